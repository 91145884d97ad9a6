"""What a model is, by the content of its files: reckoned once, and again only when they have changed.

Half a gigabyte takes a second to hash. Beside the engines lies a record of what was hashed: for each model
the size, the times and the inode of its files, and the digest. While these are the same the digest holds.
"""

import hashlib
import json
import logging
import os
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.errors import ModelError
from models.onnx_file import read_onnx

__all__ = ["Digests", "model_digest"]

_log = logging.getLogger(__name__)

RECORD_NAME = "digests.json"
RECORD_VERSION = 1
SETTLED_NS = 2_000_000_000
"""A file changed less than this before it was hashed may change again within one tick of its clock, unseen:
two seconds is the coarsest clock of a file system (FAT)."""

_Stamp = list[int]
"""Size in bytes, time of change of the content and of the entry in ns, inode."""


@dataclass(slots=True)
class _Known:
    """One model of the record."""

    files: dict[str, _Stamp]
    """By name relative to the model's folder, the model first, then those that hold its weights."""
    sha256: str
    before: list[str]
    """What it was earlier."""


def model_digest(model: Path) -> str:
    """SHA-256 of the model; where weights lie in files beside it, of these too. 64 hexadecimal digits.

    Raises ModelError when it is not a whole ONNX file, or one of its files is missing or cannot be read.
    """
    return _digest(model, _names(model))


class Digests:
    """The record in one folder. Processes may share it: what one of them loses is hashed again."""

    def __init__(self, folder: Path, now_ns: Callable[[], int] = time.time_ns) -> None:
        """`now_ns`: on the clock of files."""
        self._path = folder / RECORD_NAME
        self._now_ns = now_ns

    def of(self, model: Path) -> str:
        """As `model_digest`, which it raises like, without reading files that the record knows."""
        known = self._read().get(str(model.resolve()))
        if known is not None and known.files == _stamps(model, known.files):
            return known.sha256
        names = _names(model)
        # From before: what changes while it is hashed has another stamp than the one that is recorded.
        before = _stamps(model, names)
        digest = _digest(model, names)
        if before is not None and self._settled(before):
            self._keep(model, before, digest)
        return digest

    def gone(self) -> frozenset[str]:
        """Digests that a model had until it was replaced, and that no model has now."""
        record = self._read().values()
        return frozenset(old for each in record for old in each.before) - {each.sha256 for each in record}

    def _settled(self, files: dict[str, _Stamp]) -> bool:
        return max(max(stamp[1:3]) for stamp in files.values()) + SETTLED_NS < self._now_ns()

    def _keep(self, model: Path, files: dict[str, _Stamp], digest: str) -> None:
        """A record that cannot be written costs time at the next start, no more."""
        record = self._read()
        own = str(model.resolve())
        earlier = record.get(own)
        before = [] if earlier is None else {*earlier.before, earlier.sha256} - {digest}
        record = {path: known for path, known in record.items() if Path(path).exists()}
        record[own] = _Known(files, digest, sorted(before))
        words = {
            "version": RECORD_VERSION,
            "models": {
                path: {"files": known.files, "sha256": known.sha256, "before": known.before}
                for path, known in record.items()
            },
        }
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            handle, beside = tempfile.mkstemp(prefix=".digests-", dir=self._path.parent)
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    json.dump(words, file, indent=1)
                os.replace(beside, self._path)
            except BaseException:
                with suppress(OSError):
                    os.unlink(beside)
                raise
        except OSError as error:
            _log.debug("the digests of models are not kept: %s", error)

    def _read(self) -> dict[str, _Known]:
        try:
            words = json.loads(self._path.read_text("utf-8"))
            if words["version"] != RECORD_VERSION:
                return {}
            return {path: _known(each) for path, each in words["models"].items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            _log.debug("the record of digests is not used: %r", error)
            return {}


def _known(words: dict[str, Any]) -> _Known:
    return _Known(
        {str(name): [int(number) for number in stamp] for name, stamp in words["files"].items()},
        str(words["sha256"]),
        [str(each) for each in words["before"]],
    )


def _names(model: Path) -> tuple[str, ...]:
    return (model.name, *read_onnx(model).external_files)


def _stamps(model: Path, names: Iterable[str]) -> dict[str, _Stamp] | None:
    """None when one is missing."""
    found = {}
    for name in names:
        try:
            stat = (model.parent / name).stat()
        except OSError:
            return None
        found[name] = [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]
    return found


def _digest(model: Path, names: tuple[str, ...]) -> str:
    each = {name: _file_digest(model, name) for name in names}
    if len(each) == 1:
        return each[model.name]
    # The weights by name: two files that changed places are another model. The model itself by none, so that
    # its own name does not count.
    parts = [each[model.name], *(f"{name}\0{each[name]}" for name in names[1:])]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _file_digest(model: Path, name: str) -> str:
    path = model.parent / name
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError as error:
        raise ModelError(
            f"{path} is missing"
            if name == model.name
            else f"{model} keeps weights in {name}, which is missing",
            "fetch or copy all files of the model into one folder",
        ) from error
    except OSError as error:
        raise ModelError(
            f"{path} cannot be read: {error.strerror or error}", "check its name and rights"
        ) from error
