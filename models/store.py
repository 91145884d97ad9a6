"""The folder that holds the models: where it is, what it holds, who may write to it."""

import logging
import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from enum import StrEnum
from pathlib import Path

from models import disk
from models.alone import alone as hold
from models.entries import Model
from models.errors import ModelError
from models.pins import read_pins
from models.verified import digest, known_digest

__all__ = ["State", "alone", "cache_folder", "digest", "disk_errors", "expected_sha256", "state"]

logger = logging.getLogger(__name__)

FOLDER_VARIABLE = "REALTIME_MODELS"
LOCK_TIMEOUT_S = 900.0
"""Another process fetches; a slow line needs minutes."""
WORK_PREFIX = ".fetching-"


class State(StrEnum):
    """What the folder holds of a model."""

    PRESENT = "present"
    MISSING = "missing"
    DAMAGED = "damaged"
    """Not the file that the catalogue names."""
    UNPINNED = "unpinned"
    """There, but nobody has said which checksum is right."""
    CHANGED = "changed"
    """Not the file that was trusted on first use."""


def cache_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Where models are kept: `REALTIME_MODELS`, or the user's cache folder."""
    if chosen := environ.get(FOLDER_VARIABLE):
        return Path(chosen).expanduser()
    from platformdirs import user_cache_path

    return user_cache_path("realtime") / "models"


def expected_sha256(model: Model, folder: Path) -> str:
    """Of the catalogue, or of the first use; "" where there is neither. Raises ModelError."""
    return model.sha256 or read_pins(folder).get(model.file, "")


def state(model: Model, folder: Path, *, by_size: bool = False, unchanged: bool = False) -> State:
    """Whether the file of `model` in `folder` is the right one, byte for byte.

    `by_size`: looks at the size alone, where it is known, and reads nothing of the file. `unchanged`: a file
    that has not changed since it was last hashed is not read again. Raises ModelError when the record of
    pinned checksums is damaged.
    """
    path = folder / model.file
    try:
        if not path.exists():
            return State.MISSING
        if model.size_bytes and path.stat().st_size != model.size_bytes and model.sha256:
            return State.DAMAGED
        expected = expected_sha256(model, folder)
        if not expected:
            return State.UNPINNED
        found = expected if by_size else known_digest(path) if unchanged else digest(path)
    except NotADirectoryError:
        return State.MISSING
    except OSError as error:
        logger.warning("%s cannot be read: %s", path, error)
        return State.DAMAGED
    if found == expected:
        return State.PRESENT
    return State.DAMAGED if model.sha256 else State.CHANGED


def alone(folder: Path) -> AbstractContextManager[None]:
    """Hold the folder's lock, and clear away what a killed process left. Raises ModelError and OSError."""
    doing = f"fetching models into {folder}"
    left = f"{WORK_PREFIX}*"
    return hold(folder / ".lock", doing, left=left, timeout_s=LOCK_TIMEOUT_S, error=ModelError)


def disk_errors(folder: Path) -> AbstractContextManager[None]:
    """What the disk refuses, as a ModelError that says what to do."""
    return disk.disk_errors(folder, "models", f"set {FOLDER_VARIABLE} to a folder", ModelError)
