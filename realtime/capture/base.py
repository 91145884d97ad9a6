"""What a source is: something that hands over pictures, one blocking call each."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Grab", "Pixels", "Source", "SourceInfo"]


class Pixels(Protocol):
    """Where a source gets a buffer to fill: `TripleBuffer.writable`."""

    def __call__(self, shape: tuple[int, ...]) -> NDArray[np.uint8]: ...


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """What an opened source is. Claimed by the source; the real rate is measured."""

    uri: str
    description: str
    """For people: "Logitech C920, 1280x720 MJPG", "clip webcam.mp4", "built-in animated still"."""
    width: int
    height: int
    fps: float
    """Nominal frames per second; 30 when the source does not say."""
    live: bool
    """True when pictures come at their own pace; False when they come as fast as they are read."""
    duration_s: float | None = None
    """Length of a file; None when endless."""


@dataclass(frozen=True, slots=True)
class Grab:
    """One picture as a source hands it over."""

    bgr: NDArray[np.uint8]
    """(H, W, 3), C-contiguous; an array from `pixels(shape)` or one given away for good."""
    media_ns: int
    """Its time in the source, from 0: when it is due at live pace."""
    epoch: int = 0
    """Changes when the picture does not follow from the last: a loop began anew, a device reopened."""
    late_ns: int = 0
    """How long ago the driver delivered it: what decoding it has taken. Counts as age."""


class Source(Protocol):
    """A source is used by one thread at a time, except `close`."""

    def open(self) -> SourceInfo:
        """Raises DeviceError when the source cannot be used; opening twice reopens it."""
        ...

    def read(self, pixels: Pixels) -> Grab | None:
        """The next picture, blocking a bounded time (2 s at most); None at the end.

        Raises DeviceError when the source is lost; the caller may `open` it again.
        """
        ...

    def close(self) -> None:
        """Idempotent, never raises, from any thread."""
        ...
