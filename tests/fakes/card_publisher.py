"""A thread that publishes numbered pictures at a steady rate, as a program's sink runner would."""

import threading
import time

import cv2
import numpy as np

from realtime.capture.testcard import write_strip
from realtime.clock import NS_PER_S, MonotonicClock
from realtime.frame import Picture, PictureKind
from realtime.sinks.base import Sink, StreamInfo

__all__ = ["CardPublisher", "card"]


def card(number: int, captured_ns: int, width: int = 640, height: int = 360) -> Picture:
    """A moving picture with its number and the wall clock in a strip that `read_card` reads."""
    bgr = np.empty((height, width, 3), np.uint8)
    bgr[:] = np.linspace(40, 200, width, dtype=np.uint8)[None, :, None]
    centre = (round(width * (0.5 + 0.3 * np.sin(number / 20))), height // 2)
    cv2.circle(bgr, centre, height // 4, (90, 160, 220), -1)
    write_strip(bgr, number, time.time_ns() // 1_000_000)
    bgr.flags.writeable = False
    return Picture(number, captured_ns, bgr, PictureKind.SWAPPED)


class CardPublisher:
    """Feeds a sink until the end of its `with` block."""

    def __init__(self, sink: Sink, width: int = 640, height: int = 360, fps: float = 30.0) -> None:
        self._sink = sink
        self._size = (width, height)
        self._fps = fps
        self._clock = MonotonicClock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="card publisher")

    def __enter__(self) -> "CardPublisher":
        self._sink.open(StreamInfo(*self._size, self._fps))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(5)
        self._sink.close()

    def _run(self) -> None:
        due_ns, number = self._clock.now_ns(), 0
        while not self._clock.wait_until(due_ns, self._stop):
            self._sink.publish(card(number, self._clock.now_ns(), *self._size))
            number += 1
            due_ns += round(NS_PER_S / self._fps)
