"""A camera that shows a secret and nobody's face."""

import numpy as np

from realtime.capture.base import Grab, Pixels, SourceInfo
from realtime.clock import NS_PER_S
from realtime.errors import DeviceError
from tests.fakes.frames import secret_picture

__all__ = ["CELL_PX", "SecretSource"]

CELL_PX = 16
"""Cells this large survive every encoder."""
SIZE = (640, 360)
FPS = 30.0


class SecretSource:
    """Paced by its reader. After `dies_after` pictures it is lost for good, as a clip that breaks off."""

    def __init__(self, dies_after: int | None = None) -> None:
        self._picture = secret_picture(SIZE[1], SIZE[0], CELL_PX)
        self._count = 0
        self._dies_after = dies_after

    def open(self) -> SourceInfo:
        self._count = 0
        return SourceInfo("secret:", "a secret", *SIZE, FPS, live=False)

    def read(self, pixels: Pixels) -> Grab | None:
        if self._count == self._dies_after:
            raise DeviceError("the clip breaks off", "give another")
        buffer = pixels(self._picture.shape)
        np.copyto(buffer, self._picture)
        self._count += 1
        return Grab(buffer, round(self._count * NS_PER_S / FPS))

    def close(self) -> None:
        pass
