"""What native code writes to file descriptor 2, caught while it is called.

Some libraries report errors nowhere else, and write across a terminal's screen. The descriptor belongs to the
whole process, so it is turned to a pipe only for the length of one call: in between, and for ever after,
standard error is the terminal, as the log, the status line and `isatty` expect. What other threads write
during the call is passed on unchanged. Not for Windows.
"""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["StderrCapture"]

STDERR = 2
CHUNK = 65536
"""Bytes; the usual capacity of a pipe."""

_turned = threading.Lock()
"""Only one caller at a time may turn the process's descriptor."""


class StderrCapture:
    """A pipe that takes the place of descriptor 2 during calls. For one thread; `close` it after use."""

    def __init__(self, is_ours: Callable[[str], bool]) -> None:
        """`is_ours` says of a line whether it is the native code's; other lines are passed on."""
        self._is_ours = is_ours
        self._read_end, self._write_end = os.pipe()
        # A flood of messages must not block the native code: nobody reads until it returns.
        os.set_blocking(self._read_end, False)
        os.set_blocking(self._write_end, False)
        self._lines: list[str] = []
        self._closed = False

    @contextmanager
    def turned(self) -> Iterator[None]:
        """Catch descriptor 2 inside the block. A process without one is left as it is."""
        with _turned:
            try:
                kept = os.dup(STDERR)
            except OSError:
                yield
                return
            os.dup2(self._write_end, STDERR)
            try:
                yield
            finally:
                os.dup2(kept, STDERR)
                os.close(kept)
                self._sort()

    def lines(self) -> list[str]:
        """The native code's lines since the last call of `lines`."""
        lines, self._lines = self._lines, []
        return lines

    def close(self) -> None:
        """Idempotent."""
        if not self._closed:
            self._closed = True
            os.close(self._read_end)
            os.close(self._write_end)

    def _sort(self) -> None:
        try:
            caught = os.read(self._read_end, CHUNK)
        except BlockingIOError:
            return
        for line in caught.splitlines(keepends=True):
            text = line.decode(errors="replace")
            if self._is_ours(text):
                self._lines.append(text.strip())
            else:
                os.write(STDERR, line)
