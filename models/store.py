"""The folder that holds the models: where it is, what it holds, who may write to it."""

import errno
import hashlib
import logging
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

from models.entries import Model
from models.errors import ModelError
from models.pins import read_pins

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


def digest(path: Path) -> str:
    """The sha256 of a file. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def expected_sha256(model: Model, folder: Path) -> str:
    """Of the catalogue, or of the first use; "" where there is neither. Raises ModelError."""
    return model.sha256 or read_pins(folder).get(model.file, "")


def state(model: Model, folder: Path, *, by_size: bool = False) -> State:
    """Whether the file of `model` in `folder` is the right one, byte for byte.

    `by_size`: looks at the size alone, where it is known, and reads nothing of the file. Raises ModelError
    when the record of pinned checksums is damaged.
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
        found = expected if by_size else digest(path)
    except NotADirectoryError:
        return State.MISSING
    except OSError as error:
        logger.warning("%s cannot be read: %s", path, error)
        return State.DAMAGED
    if found == expected:
        return State.PRESENT
    return State.DAMAGED if model.sha256 else State.CHANGED


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, and clear away what a killed process left. Raises ModelError and OSError."""
    from filelock import FileLock, Timeout

    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".lock")
    try:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            logger.warning("waiting for another process that is fetching models into %s", folder)
            lock.acquire(timeout=LOCK_TIMEOUT_S)
    except Timeout as error:
        raise ModelError(
            f"another process has been fetching models into {folder} for {LOCK_TIMEOUT_S / 60:.0f} minutes",
            "end that process and try again",
        ) from error
    try:
        for left in folder.glob(f"{WORK_PREFIX}*"):
            shutil.rmtree(left, ignore_errors=True)
        yield
    finally:
        lock.release()


@contextmanager
def disk_errors(folder: Path) -> Iterator[None]:
    """What the disk refuses, as a ModelError that says what to do."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise ModelError(
                f"there is no space left for models in {folder}",
                f"free some, or set {FOLDER_VARIABLE} to a folder elsewhere",
            ) from error
        raise ModelError(
            f"models cannot be written to {folder}: {error.strerror or error}",
            f"make it writable, or set {FOLDER_VARIABLE} to a folder that is",
        ) from error
