"""What the program says on the terminal: a status line that is rewritten, and log lines above it."""

import logging
import sys
import threading
from typing import TextIO

from realtime.telemetry.snapshot import Snapshot

__all__ = ["Terminal", "status_text"]

_SYMBOLS = {
    "live": "●",
    "degraded": "◐",
    "recovering": "◌",
    "starting": "…",
    "warming": "…",
    "stopping": "■",
}


def status_text(snapshot: Snapshot) -> str:
    """One line: state, rates, age, detector calls, drops."""
    state = snapshot.state.value
    frames = max(snapshot.processed, 1)
    parts = [
        f"{_SYMBOLS[state]} {state.upper()}",
        f"in {snapshot.fps_in:.1f} fps",
        f"out {snapshot.fps_out:.1f} fps",
        f"age p50 {snapshot.recent_age.p50:.0f} ms p95 {snapshot.recent_age.p95:.0f} ms",
        f"faces {snapshot.faces}",
        f"detector {snapshot.detect_calls} of {frames} frames",
        f"dropped {snapshot.dropped}",
    ]
    if snapshot.reason:
        parts.append(snapshot.reason)
    return "  ".join(parts)


class Terminal:
    """Writes to one stream. On a terminal the status line is rewritten in place, else it is a line each."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream if stream is not None else sys.stdout
        self._rewrites = self._stream.isatty()
        self._lock = threading.Lock()
        self._status = ""
        self._gone = False

    def say(self, text: str) -> None:
        """A line that stays."""
        with self._lock:
            self._write(f"{self._wipe()}{text}\n{self._status if self._rewrites else ''}")

    def status(self, text: str) -> None:
        """The newest status."""
        with self._lock:
            wipe = self._wipe()
            self._status = text
            self._write(f"{wipe}{text}" if self._rewrites else f"{text}\n")

    def finish(self) -> None:
        """Leave the status line as it is and start a new line."""
        with self._lock:
            if self._rewrites and self._status:
                self._write("\n")
            self._status = ""

    def handler(self) -> logging.Handler:
        """A logging handler that writes above the status line."""
        return _Above(self)

    def _wipe(self) -> str:
        return "\r\x1b[K" if self._rewrites and self._status else ""

    def _write(self, text: str) -> None:
        if self._gone:
            return
        try:
            self._stream.write(text)
            self._stream.flush()
        except (BrokenPipeError, ValueError):
            # Who read our lines has left, or the stream is closed. The outputs go on without them.
            self._gone = True


class _Above(logging.Handler):
    def __init__(self, terminal: Terminal) -> None:
        super().__init__()
        self._terminal = terminal

    def emit(self, record: logging.LogRecord) -> None:
        try:
            level = "" if record.levelno <= logging.INFO else f"{record.levelname.lower()}: "
            self._terminal.say(f"{level}{self.format(record)}")
        except Exception:
            self.handleError(record)
