"""What the disk refuses, as an error that says what to do."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from models.errors import RealtimeError

__all__ = ["disk_errors"]

_FULL = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def disk_errors(folder: Path, what: str, move: str, error: type[RealtimeError]) -> Iterator[None]:
    """Turn an OSError of the block into `error`.

    `what` is to lie in `folder`: "models". `move` puts it elsewhere: "set REALTIME_MODELS to a folder".
    """
    try:
        yield
    except OSError as refused:
        if refused.errno in _FULL:
            raise error(
                f"there is no space left for {what} in {folder}", f"free some, or {move} elsewhere"
            ) from refused
        raise error(
            f"{what} cannot be written to {folder}: {refused.strerror or refused}",
            f"make it writable, or {move} that is",
        ) from refused
