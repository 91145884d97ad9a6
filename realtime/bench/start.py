"""From the command to the first swapped frame: fresh processes, with the caches that earlier starts left."""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from realtime.bench.watched import FIRST_FRAME
from realtime.errors import ConfigError, DeviceError

__all__ = ["measure", "summary"]

RUNS = 7
TIMEOUT_S = 120.0
"""Of one start. The first one may fetch models and compile networks."""
GOAL_MS = 1500.0
"""For all default models to be open and warm."""
_PASSED_ON = (
    "preset",
    "config",
    "face",
    "swapper",
    "occlusion",
    "enhancer",
    "backend",
    "device",
    "mark",
    "log_level",
)
"""Flags of `bench` that the started program is given as well."""
_FLAGS = ("--sink", "null:", "--frames", "1", "--headless")

Spans = Mapping[str, tuple[float, float]]


def measure(clips: list[str], arguments: argparse.Namespace) -> tuple[dict[str, Any], int]:
    """Medians over `--runs` starts on the clip, after one that is not counted.

    Raises ConfigError for more than one clip, and DeviceError, with what it said, when a start fails.
    """
    if len(clips) > 1:
        raise ConfigError("a start has one source", "give one clip, or none for still:")
    source = clips[0] if clips else "still:"
    flags = ["--source", source, *_FLAGS, *_passed_on(arguments)]
    _start(flags)
    starts = [_start(flags) for _ in range(arguments.runs or RUNS)]
    return {"source": source, **summary(starts)}, 0


def summary(starts: Sequence[Spans]) -> dict[str, Any]:
    """What the spans of several starts say, in ms since the process was asked for; phases by their begin."""
    first = [spans[FIRST_FRAME][1] for spans in starts]
    ready = [max(end for name, (_, end) in spans.items() if _is_model(name)) for spans in starts]
    names = dict.fromkeys(name for spans in starts for name in spans if name != FIRST_FRAME)
    phases = {name: [spans[name] for spans in starts if name in spans] for name in names}
    medians = {
        name: (median(begin for begin, _ in found), median(end - begin for begin, end in found))
        for name, found in phases.items()
    }
    return {
        "runs": len(starts),
        "first_swapped_frame_ms": _spread(first),
        "models_open_and_warm_ms": _spread(ready),
        "goal_ms": GOAL_MS,
        "phases": {
            name: {"from_ms": round(begin, 1), "took_ms": round(took, 1)}
            for name, (begin, took) in sorted(medians.items(), key=lambda item: item[1][0])
        },
    }


def _is_model(name: str) -> bool:
    return name.startswith(("open ", "first run of "))


def _spread(values: Sequence[float]) -> dict[str, float]:
    return {"p50": round(median(values), 1), "least": round(min(values), 1), "most": round(max(values), 1)}


def _passed_on(arguments: argparse.Namespace) -> list[str]:
    flags: list[str] = []
    for name in _PASSED_ON:
        given = getattr(arguments, name, None)
        for value in given if isinstance(given, list) else [given]:
            if value is not None:
                flags += [f"--{name.replace('_', '-')}", str(value)]
    return flags


def _start(flags: Sequence[str]) -> Spans:
    with tempfile.TemporaryDirectory(prefix="realtime-start-") as folder:
        out = Path(folder) / "spans.json"
        command = [sys.executable, "-m", "realtime.bench.watched", str(time.monotonic_ns()), str(out), *flags]
        try:
            ended = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
        except subprocess.TimeoutExpired as error:
            raise DeviceError(
                f"a start took more than {TIMEOUT_S:.0f} s", f"run: realtime run {' '.join(flags)}"
            ) from error
        spans: Spans = json.loads(out.read_text("utf-8")) if out.exists() else {}
    if ended.returncode != 0 or FIRST_FRAME not in spans:
        said = (ended.stderr or ended.stdout).strip().splitlines() or ["it showed no swapped frame"]
        raise DeviceError(f"a start failed: {said[0]}", f"run: realtime run {' '.join(flags)}")
    return spans
