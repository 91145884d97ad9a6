"""Another face by command, live: how long until it is seen, and what it costs the picture."""

import argparse
import asyncio
import sys
import time
from asyncio import FIRST_COMPLETED
from itertools import pairwise
from statistics import median
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.app import App, Endpoint
from realtime.capture.registry import open_source
from realtime.clock import NS_PER_MS, NS_PER_S, MonotonicClock
from realtime.commands.flags import configured, start_logging
from realtime.commands.run import ask_first
from realtime.frame import Picture, PictureKind
from realtime.loop import Limits
from realtime.sinks.base import StreamInfo
from realtime.terminal import Terminal

__all__ = ["Seen", "ThumbnailSink", "measure", "seen_after_ns"]

SIDE_PX = 48
SETTLED_S = 1.5
"""Between two commands."""
CLEARLY = 30.0
"""Levels, over the three channels, by which a pixel of a thumbnail has another colour."""
LEAST = 0.008
"""Of the pixels: so many more than between its neighbours are another face."""
CHANGES = 6
FACES = ("persona:porcelain", "persona:ink")


class Seen:
    """One published picture, small."""

    __slots__ = ("at_ns", "kind", "small")

    def __init__(self, at_ns: int, kind: PictureKind, small: NDArray[np.float32]) -> None:
        self.at_ns = at_ns
        self.kind = kind
        self.small = small


class ThumbnailSink:
    """Keeps a thumbnail of every picture, with the time at which it was published."""

    name = "thumbnails"
    cadence_fps: float | None = None

    def __init__(self) -> None:
        self.seen: list[Seen] = []

    def open(self, stream: StreamInfo) -> str:
        return "thumbnails"

    def publish(self, picture: Picture) -> None:
        now_ns = time.monotonic_ns()
        small = cv2.resize(picture.bgr, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
        self.seen.append(Seen(now_ns, picture.kind, small.astype(np.float32)))

    def close(self) -> None:
        """Nothing to do."""


def seen_after_ns(seen: list[Seen], commanded_ns: int, until_ns: int) -> int:
    """From the command to the picture that differs most from the one before it, more than its neighbours do.

    What moves differs from picture to picture; another face comes at once and stays. Raises ValueError when
    there are too few pictures to tell, or none stands out so.
    """
    near = [one for one in seen if commanded_ns - NS_PER_S // 4 <= one.at_ns < until_ns]
    steps = [(one.at_ns, _step(last, one)) for last, one in pairwise(near)]
    rises = [
        (step - max(before, after), at_ns)
        for (_, before), (at_ns, step), (_, after) in zip(steps, steps[1:], steps[2:], strict=False)
        if at_ns >= commanded_ns
    ]
    if not rises:
        raise ValueError("there are no pictures before or after the command")
    rise, at_ns = max(rises)
    if rise < LEAST:
        raise ValueError("the other face was never seen")
    return at_ns - commanded_ns


def _step(last: Seen, one: Seen) -> float:
    """Share of the pixels that are clearly another colour."""
    return float((np.abs(one.small - last.small).sum(axis=2) > CLEARLY).mean())


def measure(clips: list[str], arguments: argparse.Namespace) -> tuple[dict[str, Any], int]:
    """Medians over several commands, that change the face back and forth."""
    config = configured(arguments)
    terminal = Terminal(sys.stderr)
    start_logging(config.log.level, terminal)
    ask_first(config, True, terminal)
    settings = config.source
    uri = clips[0] if clips else "still:"
    source = open_source(uri, width=settings.width, height=settings.height, fps=settings.fps, loop=True)
    sink = ThumbnailSink()
    endpoint = Endpoint(source, live=False, sinks=(sink,), page=False)
    started = asyncio.Event()

    def status(line: str) -> None:
        terminal.status(line)
        if app.ready():
            started.set()

    app = App(config, endpoint, MonotonicClock(), Limits(), terminal.say, status)
    faces = config.face.uris if len(config.face.uris) > 1 else FACES
    commands = asyncio.run(_command(app, started, faces, arguments.runs or CHANGES))
    terminal.finish()
    return {"source": uri, **_figures(sink.seen, commands), "report": app.report()}, 0


async def _command(
    app: App, started: asyncio.Event, faces: tuple[str, ...], changes: int
) -> list[tuple[int, int, int]]:
    """When each command was given, when it was answered, and when the next came."""
    stop = asyncio.Event()
    running = asyncio.create_task(app.run(stop))
    commands = []
    try:
        await asyncio.wait({running, asyncio.ensure_future(started.wait())}, return_when=FIRST_COMPLETED)
        await asyncio.sleep(SETTLED_S)
        for number in range(changes):
            commanded_ns = time.monotonic_ns()
            await app.control.apply({"face.uris": [faces[(number + 1) % len(faces)]]})
            answered_ns = time.monotonic_ns()
            await asyncio.sleep(SETTLED_S)
            commands.append((commanded_ns, answered_ns, time.monotonic_ns()))
    finally:
        stop.set()
        await running
    return commands


def _figures(seen: list[Seen], commands: list[tuple[int, int, int]]) -> dict[str, Any]:
    visible = [seen_after_ns(seen, given, until) / NS_PER_MS for given, _, until in commands]
    answered = [(answer - given) / NS_PER_MS for given, answer, _ in commands]
    live = [one for one in seen if one.at_ns >= commands[0][0]]
    gaps = np.diff([one.at_ns for one in live]) / NS_PER_MS
    return {
        "changes": len(commands),
        "visible_ms": {"p50": round(median(visible), 1), "max": round(max(visible), 1)},
        "answered_ms": {"p50": round(median(answered), 1), "max": round(max(answered), 1)},
        "gap_ms": {"p50": round(float(np.median(gaps)), 1), "max": round(float(gaps.max()), 1)},
        "not_swapped": sum(one.kind is not PictureKind.SWAPPED for one in live),
    }
