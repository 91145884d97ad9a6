"""Every picture of a source, in order, as fast as it is asked for. For conversion, not for live use."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from realtime.capture.base import Source
from realtime.frame import Frame

__all__ = ["lossless_frames"]


def lossless_frames(source: Source) -> Iterator[Frame]:
    """The frames of an opened source until its end, each in an array of its own.

    `Frame.captured_ns` is media time from 0, so that what is written keeps the source's timing. The caller
    opens and closes the source, and iterates in one thread. Raises DeviceError when the source is lost.
    """
    seq = 0
    while (grab := source.read(_fresh)) is not None:
        yield Frame(seq, grab.media_ns, grab.bgr, grab.epoch)
        seq += 1


def _fresh(shape: tuple[int, ...]) -> NDArray[np.uint8]:
    return np.empty(shape, np.uint8)
