"""Says to other processes that an engine's file is needed, and asks whether it is."""

import logging
import os
from contextlib import suppress
from pathlib import Path
from typing import IO

__all__ = ["InUse", "delete_unused"]

_log = logging.getLogger(__name__)


class InUse:
    """An engine's file, kept from being cleared away until `close` or the end of the process."""

    def __init__(self, path: Path) -> None:
        """Never raises: a file that cannot be claimed may be cleared away, and is then built anew."""
        self._file: IO[bytes] | None = None
        try:
            self._file = path.open("rb")
            _lock(self._file, alone=False)
        except OSError as error:
            _log.debug("the engine %s is used unclaimed: %s", path, error)

    def close(self) -> None:
        """Idempotent, never raises."""
        file, self._file = self._file, None
        if file is not None:
            with suppress(OSError):
                file.close()


def delete_unused(path: Path) -> bool:
    """Delete the file unless somebody, in this process or another, uses it. Whether it is gone; never raises.

    Where the file system has no locks nothing is deleted.
    """
    try:
        with path.open("rb") as file:
            _lock(file, alone=True)
            if os.name != "nt":
                path.unlink()
                return True
        path.unlink()  # Windows deletes no file that is open, by us or by whoever uses it
    except FileNotFoundError:
        return True
    except OSError as error:
        _log.debug("the engine %s stays: %s", path, error)
        return False
    return True


def _lock(file: IO[bytes], *, alone: bool) -> None:
    """Raises OSError when another holds it. On Windows that the file is open does."""
    if os.name == "nt":
        return
    import fcntl

    fcntl.flock(file, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
