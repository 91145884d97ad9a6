"""How far a download is: a bar on a terminal, a line at its start and end elsewhere."""

import logging
import sys
from typing import Any, Protocol

__all__ = ["LogProgress", "Progress", "TerminalProgress", "default_progress"]

logger = logging.getLogger(__name__)

MIB = 1024 * 1024


class Progress(Protocol):
    """Told by a download, from the thread that does it."""

    def start(self, title: str, total_bytes: int) -> None:
        """`total_bytes` is 0 where nobody has said how long the file is."""
        ...

    def move_to(self, done_bytes: int) -> None: ...

    def end(self, *, complete: bool) -> None: ...


class LogProgress:
    """One line when it starts, one when it ends."""

    def __init__(self) -> None:
        self._title = ""

    def start(self, title: str, total_bytes: int) -> None:
        self._title = title
        size = f"{total_bytes / MIB:.1f} MiB" if total_bytes else "of unknown size"
        logger.info("fetching %s (%s)", title, size)

    def move_to(self, done_bytes: int) -> None:
        pass

    def end(self, *, complete: bool) -> None:
        logger.info("fetched %s" if complete else "gave up on %s", self._title)


class TerminalProgress:
    """A bar on standard error."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._task: Any = None

    def start(self, title: str, total_bytes: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, TextColumn, TransferSpeedColumn
        from rich.progress import Progress as Bar

        columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn()
        self._bar = Bar(*columns, console=Console(stderr=True))
        self._task = self._bar.add_task(f"fetching {title}", total=total_bytes or None)
        self._bar.start()

    def move_to(self, done_bytes: int) -> None:
        self._bar.update(self._task, completed=done_bytes)

    def end(self, *, complete: bool) -> None:
        if complete and self._bar.tasks[0].total is not None:
            self._bar.update(self._task, completed=self._bar.tasks[0].total)
        self._bar.stop()


def default_progress() -> Progress:
    """The bar where standard error is a terminal."""
    return TerminalProgress() if sys.stderr.isatty() else LogProgress()
