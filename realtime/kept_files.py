"""A folder of small files that are made again when they are lost: the user's alone, written whole, not many.

Nothing here raises: where the folder cannot be used, things are made anew each time. A file ends in the
sha256 of the rest: numpy's reader takes some damage in a disorderly way (of a changed byte: TokenError).
"""

import hashlib
import logging
import os
import tempfile
from pathlib import Path

__all__ = ["LARGEST_BYTES", "MOST_ENTRIES", "KeptFiles"]

SUFFIX = ".npz"
MOST_ENTRIES = 64
LARGEST_BYTES = 16 * 1024 * 1024
"""Nothing that is kept takes as much: a larger file is not ours."""
_DIGEST_BYTES = 32

logger = logging.getLogger(__name__)


class KeptFiles:
    """Files by key; a key is good as the name of a file."""

    def __init__(self, folder: Path, what: str) -> None:
        """`what` is kept, for the log: "the prepared face"."""
        self._folder = folder
        self._what = what

    def read(self, key: str) -> bytes | None:
        """What was written; None when there is nothing, or it is damaged. It counts as used now."""
        path = self._path(key)
        try:
            if path.stat().st_size > LARGEST_BYTES:
                return None
            content = path.read_bytes()
            os.utime(path)
        except FileNotFoundError:
            return None
        except OSError as error:
            logger.debug("%s is not used: %s", path, error)
            return None
        data, digest = content[:-_DIGEST_BYTES], content[-_DIGEST_BYTES:]
        if hashlib.sha256(data).digest() != digest:
            logger.debug("%s is damaged", path)
            return None
        return data

    def write(self, key: str, data: bytes) -> None:
        """Keep `data`, and no more than the 64 files that were used last."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor, part = tempfile.mkstemp(dir=self._folder, suffix=".part")  # for the user alone: 0600
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(data + hashlib.sha256(data).digest())
                os.replace(part, self._path(key))
            except BaseException:
                Path(part).unlink(missing_ok=True)
                raise
            kept = sorted(self._entries(), key=lambda path: path.stat().st_mtime_ns)
            for path in kept[:-MOST_ENTRIES]:
                path.unlink(missing_ok=True)
        except OSError as error:
            logger.info("%s is not kept in %s: %s", self._what, self._folder, error)

    def forget(self, pattern: str) -> None:
        """Remove what is kept under the keys that a pattern fits, `*` for anything."""
        for path in self._folder.glob(f"{pattern}{SUFFIX}"):
            _removed(path)

    def clear(self) -> int:
        """Remove everything; how many files there were."""
        entries = self._entries()
        for path in self._folder.glob("*.part"):
            _removed(path)
        return sum(map(_removed, entries))

    def _entries(self) -> list[Path]:
        return list(self._folder.glob(f"*{SUFFIX}"))

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}{SUFFIX}"


def _removed(path: Path) -> bool:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        logger.warning("%s cannot be removed: %s", path, error)
        return False
    return True
