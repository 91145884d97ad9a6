"""One process at a time in a folder: a lock, and beside it who holds it and since when."""

import logging
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from models.errors import RealtimeError

if TYPE_CHECKING:
    from filelock import BaseFileLock

__all__ = ["alone"]

logger = logging.getLogger(__name__)

_HOLDER = ".holder"
"""Added to the lock's name. The lock's own file is emptied by everyone who tries to get it."""
_LOOK_S = 0.5
"""Between two looks at whether who waits is to stop."""


@contextmanager
def alone(
    lock: Path,
    doing: str,
    *,
    left: str,
    timeout_s: float,
    error: type[RealtimeError],
    stop: threading.Event | None = None,
    now_s: Callable[[], float] = time.time,
) -> Iterator[None]:
    """Hold the lock file `lock`, and clear away what a killed process left beside it; its folder is made.

    `doing` goes on after "another process is": "fetching models into ~/models". `left` is the pattern of the
    work folders that only the holder may have. Who waits is told for whom. Raises `error` when the lock is
    not free after `timeout_s` or when `stop` is set, and OSError.
    """
    from filelock import FileLock, Timeout

    folder = lock.parent
    held = FileLock(lock, thread_local=False)
    try:
        try:
            held.acquire(timeout=0)
        except Timeout:
            logger.warning("waiting for %s", _told(lock, doing, now_s(), " that"))
            _wait(held, timeout_s, stop)
    except Timeout as late:
        raise error(
            _told(lock, doing, now_s()),
            "end that process and try again",
        ) from late
    holder = _holder(lock)
    try:
        with suppress(OSError):  # without it a message names nobody, no more
            holder.write_text(f"{os.getpid()} {now_s():.0f}", "utf-8")
        for each in folder.glob(left):
            shutil.rmtree(each, ignore_errors=True)
        yield
    finally:
        with suppress(OSError):
            holder.unlink()
        held.release()


def _wait(held: "BaseFileLock", timeout_s: float, stop: threading.Event | None) -> None:
    """Raises Timeout, also when `stop` is set."""
    from filelock import Timeout

    deadline_s = time.monotonic() + timeout_s
    while True:
        try:
            held.acquire(timeout=max(0.0, min(_LOOK_S, deadline_s - time.monotonic())))
            return
        except Timeout:
            if time.monotonic() >= deadline_s or (stop is not None and stop.is_set()):
                raise


def _holder(lock: Path) -> Path:
    return lock.with_name(f"{lock.name}{_HOLDER}")


def _told(lock: Path, doing: str, now_s: float, joint: str = "") -> str:
    """Who holds the lock: what a killed process left says so until the next one gets it."""
    try:
        process, since_s = map(int, _holder(lock).read_text("utf-8").split())
    except (OSError, ValueError):
        return f"another process{joint} is {doing}"
    return f"another process ({process}){joint} has been {doing} for {_lasting(now_s - since_s)}"


def _lasting(seconds: float) -> str:
    return f"{max(seconds, 0):.0f} s" if seconds < 120 else f"{seconds / 60:.0f} minutes"
