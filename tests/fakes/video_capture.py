"""A stand-in for `cv2.VideoCapture`: a camera with given abilities."""

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["FakeDevice", "FakeVideoCapture"]


class FakeDevice:
    """The camera behind the captures; the test sets what it can do and reads what was asked."""

    def __init__(self, size: tuple[int, int] = (64, 48), *, refused: frozenset[int] = frozenset()) -> None:
        """`refused`: properties with which it does not open."""
        self.size = size
        self.refused = refused
        self.plugged = True
        self.sends = True
        """Whether pictures come."""
        self.fps = 30.0
        self.asked: list[dict[int, int]] = []
        """The parameters of each opening."""
        self.targets: list[int | str] = []
        self.open_captures = 0
        self.sent = 0

    def open(self, target: int | str, api: int, wishes: list[int]) -> "FakeVideoCapture":
        """In the place of `cv2.VideoCapture(...)`."""
        asked = dict(zip(wishes[::2], wishes[1::2], strict=True))
        self.asked.append(asked)
        self.targets.append(target)
        return FakeVideoCapture(self, opened=self.plugged and not self.refused & asked.keys())


class FakeVideoCapture:
    """As much of `cv2.VideoCapture` as a camera source uses."""

    def __init__(self, device: FakeDevice, opened: bool) -> None:
        self._device = device
        self._opened = opened
        device.open_captures += opened

    def isOpened(self) -> bool:
        return self._opened

    def grab(self) -> bool:
        if not (self._opened and self._device.plugged and self._device.sends):
            return False
        self._device.sent += 1
        return True

    def retrieve(self, image: NDArray[np.uint8] | None = None, /) -> tuple[bool, NDArray[np.uint8]]:
        width, height = self._device.size
        if image is None or image.shape != (height, width, 3):
            image = np.empty((height, width, 3), np.uint8)
        image[:] = self._device.sent % 256
        return True, image

    def get(self, prop: int, /) -> float:
        if prop == cv2.CAP_PROP_FPS:
            return self._device.fps
        return float(cv2.VideoWriter.fourcc(*"MJPG")) if prop == cv2.CAP_PROP_FOURCC else 0.0

    def getBackendName(self) -> str:
        return "FAKE"

    def release(self) -> None:
        self._device.open_captures -= self._opened
        self._opened = False
