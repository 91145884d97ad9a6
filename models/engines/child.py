"""Builds an engine in a process of its own, so that it can be ended.

A build runs for minutes in a library that cannot be interrupted, and may take the process with it. The child
is given its request as one line of JSON and answers with lines of JSON: {"share", "phase"}, and at the end
{"done"} or {"error", "hint"}. It ends by itself when its standard input closes, so none outlives its parent.
"""

import json
import logging
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from models.engines.cache import BuildPaths
from models.engines.profile import Range
from models.engines.progress import BuildProgress, ReportProgress
from models.errors import BackendError

__all__ = ["BUILDER", "BuildRequest", "build_in_child"]

logger = logging.getLogger(__name__)

BUILDER = (sys.executable, "-m", "models.engines.builder")
TIME_LIMIT_S = 1500.0
"""A 512 px network takes a minute or two; this is for the largest on the slowest."""
LOOK_S = 0.2
KILL_TIMEOUT_S = 10.0
_ENDED = object()


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """What to build; goes to the child as JSON."""

    model: Path
    shapes: Mapping[str, Range]
    device: int = 0
    workspace_bytes: int = 2 << 30
    level: int = 3
    """TensorRT's optimisation level, 0 to 5: the higher, the longer it looks for fast kernels."""
    tf32: bool = True
    """Products of float32 with 10 bits of mantissa, as TensorRT does by default."""

    def options(self) -> tuple[tuple[str, int | str], ...]:
        """What of it belongs into the engine's key."""
        return ("level", self.level), ("tf32", int(self.tf32)), ("workspace", self.workspace_bytes)

    def line(self, paths: BuildPaths) -> str:
        shapes = {name: each.shapes() for name, each in self.shapes.items()}
        return json.dumps(
            {
                "model": str(self.model.resolve()),
                "shapes": shapes,
                "device": self.device,
                "workspace_bytes": self.workspace_bytes,
                "level": self.level,
                "tf32": self.tf32,
                "plan": str(paths.plan),
                "timing": str(paths.timing),
            }
        )


def build_in_child(
    request: BuildRequest,
    paths: BuildPaths,
    progress: ReportProgress,
    stop: threading.Event,
    *,
    limit_s: float = TIME_LIMIT_S,
    command: Sequence[str] = BUILDER,
) -> None:
    """Return when the plan is in its place.

    Raises BackendError when the build fails, dies, takes longer than `limit_s` or `stop` is set; the child is
    then gone.
    """
    with tempfile.TemporaryFile() as complaints:
        child = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            env=_environment(),
            text=True,
            encoding="utf-8",
        )
        try:
            try:
                _watch(child, request.line(paths), progress, stop, limit_s, request.model.name)
                silent = False
            except _SilentError:
                silent = True
            try:
                code = child.wait(KILL_TIMEOUT_S)
            except subprocess.TimeoutExpired as error:
                raise _failed(request.model.name, "the builder does not end", complaints) from error
            if code < 0:
                raise _failed(request.model.name, f"the builder was killed by signal {-code}", complaints)
            if silent or code != 0:
                raise _failed(request.model.name, f"the builder ended with {code}", complaints)
        finally:
            _end(child)


class _SilentError(Exception):
    """The child closed its output without a last word."""


def _watch(
    child: "subprocess.Popen[str]",
    line: str,
    progress: ReportProgress,
    stop: threading.Event,
    limit_s: float,
    name: str,
) -> None:
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        child.stdin.write(line + "\n")
        child.stdin.flush()
    except OSError as error:
        raise _SilentError from error
    said: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(child.stdout, said), name="engine-build", daemon=True).start()
    deadline = time.monotonic() + limit_s
    while True:
        if stop.is_set():
            raise BackendError(f"the build of the engine of {name} was stopped", "start it again")
        if time.monotonic() > deadline:
            raise BackendError(
                f"the engine of {name} was not built within {limit_s:.0f} s",
                "use another backend, or a smaller model",
            )
        try:
            word = said.get(timeout=LOOK_S)
        except queue.Empty:
            continue
        if word is _ENDED:
            raise _SilentError
        if "error" in word:
            raise BackendError(str(word["error"]), str(word.get("hint", "use another backend")))
        if word.get("done"):
            return
        progress(BuildProgress(float(word["share"]), str(word["phase"])))


def _listen(stream: IO[str], said: "queue.SimpleQueue[Any]") -> None:
    """Hand on the lines that are JSON objects; libraries print to standard output too."""
    try:
        for line in stream:
            try:
                word = json.loads(line)
            except ValueError:
                continue
            if isinstance(word, dict) and {"error", "done", "share"} & set(word):
                said.put(word)
    except (OSError, ValueError):  # closed under our hands, after the child was ended
        pass
    finally:
        said.put(_ENDED)


def _end(child: "subprocess.Popen[str]") -> None:
    if child.poll() is None:
        child.kill()
    try:
        child.wait(KILL_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        logger.warning("the process %d that builds an engine does not end", child.pid)
    for stream in (child.stdin, child.stdout):
        if stream is not None:
            try:
                stream.close()
            except OSError:  # what was not yet written to a child that is gone
                logger.debug("the pipe of the builder was broken")


def _failed(name: str, what: str, complaints: IO[bytes]) -> BackendError:
    complaints.seek(0)
    lines = complaints.read().decode("utf-8", "replace").strip().splitlines()
    if lines:
        logger.debug("the builder wrote:\n%s", "\n".join(lines))
    last = f": {lines[-1].strip().rstrip('.')}" if lines else ""
    return BackendError(
        f"the engine of {name} could not be built: {what}{last}",
        "use another backend; `--log-level debug` shows all that the builder wrote",
    )


def _environment() -> dict[str, str]:
    """With the place of this package in it, wherever the program was started from."""
    root = str(Path(__file__).resolve().parents[2])
    before = os.environ.get("PYTHONPATH")
    return os.environ | {"PYTHONPATH": root + (os.pathsep + before if before else "")}
