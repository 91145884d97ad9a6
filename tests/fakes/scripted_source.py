"""A source that does what its script says."""

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from realtime.capture.base import Grab, Pixels, SourceInfo
from realtime.clock import NS_PER_S
from realtime.errors import DeviceError

__all__ = ["Gate", "Loss", "ScriptedSource", "Shot", "shots"]

GATE_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture, filled with `value`."""

    media_ns: int = 0
    value: int = 0
    epoch: int = 0
    size: tuple[int, int] | None = None
    """(width, height) when it is not the source's own."""
    late_ns: int = 0


@dataclass(frozen=True, slots=True)
class Loss:
    """`read` raises: the cable is out. The next `open` fails `failed_openings` times."""

    failed_openings: int = 0


class Gate:
    """`read` blocks here until the test opens it, so that a test decides when pictures come."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self._opened = threading.Event()

    def open(self) -> None:
        self._opened.set()

    def wait(self) -> None:
        self.reached.set()
        if not self._opened.wait(GATE_TIMEOUT_S):
            raise TimeoutError("no test opened the gate")


def shots(count: int, fps: float = 30.0, start: int = 0) -> list[Shot]:
    """`count` pictures in a row at `fps`; picture i has the value i modulo 256."""
    return [Shot(round(i * NS_PER_S / fps), i % 256) for i in range(start, start + count)]


class ScriptedSource:
    """Plays a script of `Shot`, `Loss`, `Gate` and exceptions, then ends."""

    def __init__(
        self,
        script: Iterable[Shot | Loss | Gate | Exception] = (),
        *,
        size: tuple[int, int] = (32, 24),
        fps: float = 30.0,
        live: bool = True,
        failed_openings: int = 0,
    ) -> None:
        self._script: Iterator[Shot | Loss | Gate | Exception] = iter(script)
        self._size = size
        self._fps = fps
        self._live = live
        self._failed_openings = failed_openings
        self._is_open = False
        self.openings = 0
        """Calls of `open`, the failed ones too."""
        self.closed = threading.Event()

    def open(self) -> SourceInfo:
        self.openings += 1
        if self._failed_openings > 0:
            self._failed_openings -= 1
            raise DeviceError("the scripted source does not open", "change the script")
        self._is_open = True
        self.closed.clear()
        width, height = self._size
        return SourceInfo("scripted:", "a script", width, height, self._fps, self._live)

    def read(self, pixels: Pixels) -> Grab | None:
        if not self._is_open:
            raise DeviceError("the scripted source is not open", "open it before reading")
        for step in self._script:
            match step:
                case Gate():
                    step.wait()
                case Loss():
                    self._failed_openings = step.failed_openings
                    self._is_open = False
                    raise DeviceError("the scripted source is lost", "open it again")
                case Shot():
                    width, height = step.size or self._size
                    bgr = pixels((height, width, 3))
                    bgr[:] = np.uint8(step.value)
                    return Grab(bgr, step.media_ns, step.epoch, late_ns=step.late_ns)
                case _:
                    raise step
        return None

    def close(self) -> None:
        self._is_open = False
        self.closed.set()
