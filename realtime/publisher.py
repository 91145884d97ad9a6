"""The only door to the outputs: every picture is marked here, made read-only, numbered and broadcast."""

import threading
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from realtime.card import Cards
from realtime.clock import Now
from realtime.frame import Frame, Picture, PictureKind, Result
from realtime.mark import Mark
from realtime.telemetry.histogram import Histogram
from realtime.telemetry.rate import Rate
from realtime.veil import veil

__all__ = ["Outputs", "Publisher"]


class Outputs(Protocol):
    """Where pictures go: `Broadcast`."""

    def offer(self, value: Picture) -> object: ...


class Publisher:
    """Makes `Picture`s of results, cards and, where the user chose so, of frames."""

    def __init__(self, outputs: Outputs, mark: Mark, cards: Cards, clock: Now, size: tuple[int, int]) -> None:
        """`size`: (width, height) of cards until the first frame tells the real one."""
        self._outputs = outputs
        self._mark = mark
        self._cards = cards
        self._clock = clock
        self._size = size
        self._lock = threading.Lock()
        self._number = 0
        self.marking = Histogram()
        self.rate = Rate()
        """Swapped pictures a second."""

    def swapped(self, result: Result) -> None:
        """Publish a result whose outcome is SWAPPED."""
        height, width = result.bgr.shape[:2]
        self._size = (width, height)
        self._publish(result.bgr, result.frame.captured_ns, PictureKind.SWAPPED)
        self.rate.add(self._clock.now_ns())

    def card(self, title: str, detail: str = "") -> None:
        """Publish a card. It holds no pixel of any frame."""
        card = self._cards.card(*self._size, title, detail)
        self._publish(card.copy(), self._clock.now_ns(), PictureKind.CARD)

    def veiled(self, frame: Frame) -> None:
        """Publish a frame so blurred that nobody can be made out in it."""
        self._publish(veil(frame.bgr), frame.captured_ns, PictureKind.BLUR)

    def raw(self, frame: Frame) -> None:
        """Publish the frame itself: only for users who chose `--on-fault raw`."""
        self._publish(frame.bgr.copy(), frame.captured_ns, PictureKind.RAW)

    def _publish(self, bgr: NDArray[np.uint8], captured_ns: int, kind: PictureKind) -> None:
        began_ns = self._clock.now_ns()
        self._mark.apply(bgr)
        bgr.setflags(write=False)
        self.marking.add(self._clock.now_ns() - began_ns)
        with self._lock:
            self._number += 1
            picture = Picture(self._number, captured_ns, bgr, kind)
        self._outputs.offer(picture)
