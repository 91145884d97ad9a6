"""What a file was found to be, kept beside it, so that an unchanged file is not hashed at every start.

A record that cannot be read or written only costs time.
"""

import hashlib
import json
import logging
import os
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

__all__ = ["VERIFIED_FILE", "digest", "known_digest"]

_log = logging.getLogger(__name__)

VERIFIED_FILE = "verified.json"
"""In the folder of the models. It is believed on the machine where it was written: a copied file has another
inode or another time of change."""
SETTLED_NS = 2_000_000_000
"""A file that changed less than this before it was hashed may change again within one tick of its clock,
unseen: two seconds is the coarsest clock of a file system (FAT)."""

_Stamp = list[int]
"""Size in bytes, times of change of the content and of the entry in ns, inode."""


def digest(path: Path) -> str:
    """The sha256 of a file, read through. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def known_digest(path: Path, now_ns: Callable[[], int] = time.time_ns) -> str:
    """The sha256 of a file, read only if it has changed since it was last asked for. Raises OSError.

    `now_ns`: on the clock of files.
    """
    folder = path.parent
    before = _stamp(path)
    known = _read(folder).get(path.name)
    if known is not None and known[0] == before:
        return known[1]
    found = digest(path)
    if _stamp(path) == before and max(before[1:3]) + SETTLED_NS < now_ns():
        _keep(folder, path.name, before, found)
    return found


def _stamp(path: Path) -> _Stamp:
    stat = path.stat()
    return [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]


def _read(folder: Path) -> Mapping[str, tuple[_Stamp, str]]:
    try:
        words = json.loads((folder / VERIFIED_FILE).read_text("utf-8"))
        return {
            str(name): ([int(each) for each in stamp], str(sha256)) for name, (stamp, sha256) in words.items()
        }
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        _log.debug("the record of checked files is not used: %r", error)
        return {}


def _keep(folder: Path, name: str, stamp: _Stamp, sha256: str) -> None:
    record = {known: each for known, each in _read(folder).items() if (folder / known).exists()}
    record[name] = stamp, sha256
    try:
        handle, beside = tempfile.mkstemp(prefix=".verified-", dir=folder)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(record, file, indent=1, sort_keys=True)
            os.replace(beside, folder / VERIFIED_FILE)
        except BaseException:
            with suppress(OSError):
                os.unlink(beside)
            raise
    except OSError as error:
        _log.debug("the record of checked files is not kept: %s", error)
