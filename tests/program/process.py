"""`realtime` as a subprocess, as a user starts it."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["Program", "realtime", "started"]

TIMEOUT_S = 90.0
STOP_S = 8.0


def realtime(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run to the end."""
    return subprocess.run(
        _command(arguments), capture_output=True, text=True, timeout=TIMEOUT_S, cwd=cwd, env=_environment(cwd)
    )


class Program:
    """A running one; its output is read as it comes."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self._lines: list[str] = []
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def text(self) -> str:
        with self._changed:
            return "".join(self._lines)

    def wait_for(self, pattern: str) -> re.Match[str]:
        """The first match in the output; raises AssertionError when the program ends or takes too long."""
        found: list[re.Match[str]] = []

        def look() -> bool:
            match = re.search(pattern, "".join(self._lines))
            if match is not None:
                found.append(match)
            return match is not None or not self._reader.is_alive()

        with self._changed:
            self._changed.wait_for(look, TIMEOUT_S)
        assert found, f"no {pattern!r} in:\n{self.text}"
        return found[0]

    def interrupt(self) -> int:
        """Ctrl-C; the exit code. Raises TimeoutExpired when it does not end in time."""
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(STOP_S)
        self._reader.join(STOP_S)
        return code

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._changed:
                self._lines.append(line)
                self._changed.notify_all()
        with self._changed:
            self._changed.notify_all()


@contextmanager
def started(*arguments: str | Path, cwd: Path) -> Iterator[Program]:
    """A running program, ended with the block."""
    process = subprocess.Popen(
        _command(arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=cwd,
        env=_environment(cwd),
    )
    program = Program(process)
    try:
        yield program
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(STOP_S)
        program._reader.join(STOP_S)
        assert process.stdout is not None
        process.stdout.close()


def _command(arguments: tuple[str | Path, ...]) -> list[str]:
    return [sys.executable, "-m", "realtime", *map(str, arguments)]


def _environment(cwd: Path) -> dict[str, str]:
    """This one, with the user's configuration in a folder of the test."""
    return {**os.environ, "XDG_CONFIG_HOME": str(cwd / "config"), "PYTHONUNBUFFERED": "1"}
