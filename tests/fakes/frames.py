"""Frames, and scripted ends of the frame loop."""

import asyncio

import cv2
import numpy as np

from realtime.errors import RealtimeError
from realtime.frame import Frame, Outcome, Result
from tests.fakes.clock import FakeClock

__all__ = [
    "SECRET",
    "RecordingOutputs",
    "ScriptedFeed",
    "TimedWork",
    "secret_frame",
    "secret_picture",
    "shows_secret",
]

SECRET = np.array([[0, 255, 0, 255], [255, 0, 255, 0]] * 2, np.uint8)
"""A pattern that nothing but the raw frame can show."""


def secret_frame(seq: int, captured_ns: int, height: int = 72, width: int = 128, cell_px: int = 1) -> Frame:
    """A frame tiled with the secret pattern, each of its cells `cell_px` wide."""
    return Frame(seq, captured_ns, secret_picture(height, width, cell_px))


def secret_picture(height: int, width: int, cell_px: int = 1) -> np.ndarray:
    """(height, width, 3) uint8, tiled with the secret pattern."""
    tile = np.kron(SECRET, np.ones((cell_px, cell_px), np.uint8))
    rows, columns = -(-height // tile.shape[0]), -(-width // tile.shape[1])
    grey = np.tile(tile, (rows, columns))[:height, :width]
    return np.ascontiguousarray(np.repeat(grey[:, :, None], 3, axis=2))


def shows_secret(bgr: np.ndarray, cell_px: int = 1) -> bool:
    """Whether any part of the picture repeats the secret pattern, however dim, wherever it lies."""
    grey = bgr[:, :, 1].astype(np.float32)
    tile = np.kron(SECRET, np.ones((cell_px, cell_px))).astype(np.float32)
    if grey.shape[0] < tile.shape[0] or grey.shape[1] < tile.shape[1]:
        return False
    likeness = cv2.matchTemplate(grey, tile, cv2.TM_CCOEFF_NORMED)
    mean = cv2.matchTemplate(grey, np.ones_like(tile), cv2.TM_CCORR) / tile.size
    square = cv2.matchTemplate(grey * grey, np.ones_like(tile), cv2.TM_CCORR) / tile.size
    contrast = np.sqrt(np.maximum(square - mean * mean, 0))
    return bool(((np.abs(likeness) > 0.85) & (contrast > 2)).any())


class ScriptedFeed:
    """A feed that the test fills; like the triple buffer, it keeps only the newest."""

    def __init__(self) -> None:
        self._waiting: Frame | None = None
        self.over = False
        self.trouble: str | None = None
        self.dropped = 0

    def put(self, frame: Frame) -> None:
        self.dropped += self._waiting is not None
        self._waiting = frame

    def take(self) -> Frame | None:
        frame, self._waiting = self._waiting, None
        return frame

    def ended(self) -> bool:
        return self.over

    def problem(self) -> str | None:
        return self.trouble


class TimedWork:
    """A worker whose frames take `cost_ns` of the fake clock; `fail` makes them raise, `hang` never end."""

    def __init__(self, clock: FakeClock, cost_ns: int, outcome: Outcome = Outcome.SWAPPED) -> None:
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()
        self._in_flight: list[asyncio.Future[Result]] = []
        self.depth = 1
        self.cost_ns = cost_ns
        self.outcome = outcome
        self.fail: RealtimeError | None = None
        self.hang = False
        self.restarts = 0
        self.restart_ns = 0

    def room(self) -> bool:
        self._in_flight = [one for one in self._in_flight if not one.done()]
        return len(self._in_flight) < self.depth

    def process(self, frame: Frame) -> asyncio.Future[Result]:
        done: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._in_flight.append(done)
        if not self.hang:
            task = asyncio.create_task(self._finish(frame, done))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return done

    async def restart(self) -> None:
        self.restarts += 1
        self._in_flight = []
        await self._clock.sleep_until(self._clock.now_ns() + self.restart_ns)
        self.hang = False

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _finish(self, frame: Frame, done: asyncio.Future[Result]) -> None:
        await self._clock.sleep_until(self._clock.now_ns() + self.cost_ns)
        if done.done():
            return
        if self.fail is not None:
            done.set_exception(self.fail)
            return
        swapped = self.outcome is Outcome.SWAPPED
        picture = np.full_like(frame.bgr, 128) if swapped else frame.bgr
        refused = self.outcome is Outcome.FAULT
        done.set_result(Result(frame, picture, self.outcome, (), refused))


class RecordingOutputs:
    """What the outputs were given, with the time of each."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self.pictures: list[tuple[int, object]] = []

    def offer(self, value: object) -> None:
        self.pictures.append((self._clock.now_ns(), value))
