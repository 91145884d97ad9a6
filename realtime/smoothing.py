"""One Euro filtering of a landmark set: still at rest, quick in motion.

After Casiez, Roussel, Vogel: "1 Euro Filter: A Simple Speed-based Low-pass Filter for Noisy Input in
Interactive Systems", CHI 2012. Each point has its own cutoff, so a talking mouth does not lag in a still
face; speeds are measured in face sizes a second, so the parameters hold for near and far faces alike.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from realtime.clock import NS_PER_S

__all__ = ["OneEuro", "OneEuroSettings"]

LONGEST_GAP_NS = NS_PER_S // 2
"""After a longer pause between updates the past says nothing: the filter starts anew."""


@dataclass(frozen=True, slots=True)
class OneEuroSettings:
    """`min_cutoff_hz` rules jitter at rest, `beta` lag in motion (cutoff added per face size a second)."""

    min_cutoff_hz: float = 1.0
    beta: float = 20.0
    derivative_cutoff_hz: float = 1.5


class OneEuro:
    """The filter of one face's landmarks."""

    def __init__(self, settings: OneEuroSettings) -> None:
        self._settings = settings
        self._points: NDArray[np.float32] | None = None
        self._speed: NDArray[np.float32] | None = None
        self._at_ns = 0

    def reset(self) -> None:
        """Forget the past: the next update passes unfiltered."""
        self._points = None

    def update(
        self, points: NDArray[np.float32], face_size_px: float, captured_ns: int
    ) -> NDArray[np.float32]:
        """The smoothed landmarks.

        `points`: (N, D) float32, pixels of the source frame; `face_size_px`: any steady measure of the
        face, such as its box's longer side; `captured_ns`: of the frame the points were found in.
        """
        elapsed_ns = captured_ns - self._at_ns
        self._at_ns = captured_ns
        if self._points is None or self._speed is None or not 0 < elapsed_ns <= LONGEST_GAP_NS:
            self._points = points.copy()
            self._speed = np.zeros_like(points)
            return points.copy()
        elapsed_s = elapsed_ns / NS_PER_S
        settings = self._settings
        speed = (points - self._points) / np.float32(elapsed_s * max(face_size_px, 1.0))
        self._speed += np.float32(_weight(settings.derivative_cutoff_hz, elapsed_s)) * (speed - self._speed)
        cutoff_hz = settings.min_cutoff_hz + settings.beta * np.linalg.norm(
            self._speed, axis=1, keepdims=True
        )
        turns = np.float32(2 * math.pi * elapsed_s) * cutoff_hz
        self._points = self._points + (turns / (turns + 1)).astype(np.float32) * (points - self._points)
        return self._points.copy()


def _weight(cutoff_hz: float, elapsed_s: float) -> float:
    """Weight of the new value in a first-order low-pass: equation 4 of the paper, rearranged."""
    turns = 2 * math.pi * cutoff_hz * elapsed_s
    return turns / (turns + 1)
