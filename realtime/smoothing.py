"""One Euro filtering of a landmark set: still at rest, quick in motion.

After Casiez, Roussel, Vogel: "1 Euro Filter: A Simple Speed-based Low-pass Filter for Noisy Input in
Interactive Systems", CHI 2012. The motion that all points have in common (shift, turn in the plane, growth)
is filtered apart from what each point does besides, so the head holds together and a talking mouth does not
lag in a still face. Speeds are measured in face sizes a second: the parameters hold for near and far faces.

The trade, over six clips and the moving still (wander at rest as a share of that of a fresh detection in each
frame; mean error against it in percent of the distance of the eyes; lag in milliseconds; each the mean of the
clips, from a sweep over the recorded landmarks with the definitions of `realtime bench tracking`):

    filter                              wander   error   lag
    none                                  1.00    0.81     0
    each point alone, 1 Hz, beta 10       0.38    1.39    27
    each point alone, 1 Hz, beta 20       0.46    1.13    18
    apart: 0.5 Hz, beta 20; 1 Hz, 20      0.42    1.18    19
    apart: 0.5 Hz, beta 30; 1 Hz, 20      0.46    1.07    16    (the default)
    apart: 0.5 Hz, beta 40; 1 Hz, 20      0.48    1.01    14

The default is the quickest whose wander is half or less on every clip that has a head at rest (0.34 to 0.48);
a derivative cutoff of 1 to 4 Hz and a lower cutoff of 0.3 to 1 Hz change each figure by a tenth at most.
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
    """A minimal cutoff rules jitter at rest, a beta lag in motion (Hz added per face size a second)."""

    min_cutoff_hz: float = 0.5
    """Of the motion that all points have in common, as the next."""
    beta: float = 30.0
    own_min_cutoff_hz: float = 1.0
    """Of what each point does besides, as the next."""
    own_beta: float = 20.0
    derivative_cutoff_hz: float = 1.5


class OneEuro:
    """The filter of one face's landmarks."""

    def __init__(self, settings: OneEuroSettings) -> None:
        self._settings = settings
        self._points: NDArray[np.float32] | None = None
        self._common_speed = (0.0, 0.0, 0.0, 0.0)
        """Shift in x and y, growth and turn of half a face, in face sizes a second."""
        self._own_speed: NDArray[np.float32] = np.zeros((0, 0), np.float32)
        self._at_ns = 0

    def reset(self) -> None:
        """Forget the past: the next update passes unfiltered."""
        self._points = None

    def update(
        self, points: NDArray[np.float32], face_size_px: float, captured_ns: int
    ) -> NDArray[np.float32]:
        """The smoothed landmarks, an array of their own that is not written to again.

        `points`: (N, 2) or (N, 3) float32, pixels of the source frame; `face_size_px`: any steady measure of
        the face, such as its box's longer side; `captured_ns`: of the frame the points were found in.
        """
        elapsed_ns = captured_ns - self._at_ns
        self._at_ns = captured_ns
        before = self._points
        if before is None or before.shape != points.shape or not 0 < elapsed_ns <= LONGEST_GAP_NS:
            self._points = points.copy()
            self._common_speed = (0.0, 0.0, 0.0, 0.0)
            self._own_speed = np.zeros_like(points)
            return self._points
        elapsed_s = elapsed_ns / NS_PER_S
        face_size_px = max(face_size_px, 1.0)
        middle, target = before.mean(axis=0), points.mean(axis=0)
        was, now = before - middle, points - target
        shift = target - middle
        turn = _turn(was, now)
        gain = self._common_gain(shift, turn, face_size_px, elapsed_s)
        moved = 1 + gain * (turn - 1)
        # Both in the pose that the filtered head has now: what is left between them each point does itself.
        carried: NDArray[np.float32] = was @ _matrix(moved, points.shape[1])
        own: NDArray[np.float32] = now @ _matrix(moved / turn, points.shape[1]) - carried
        carried += middle + np.float32(gain) * shift
        own *= self._own_gains(own, face_size_px, elapsed_s)
        carried += own
        self._points = carried
        return carried

    def _common_gain(
        self, shift: NDArray[np.float32], turn: complex, face_size_px: float, elapsed_s: float
    ) -> float:
        settings = self._settings
        weight = _weight(settings.derivative_cutoff_hz, elapsed_s)
        steps = (
            float(shift[0]) / face_size_px,
            float(shift[1]) / face_size_px,
            (turn.real - 1) / 2,
            turn.imag / 2,
        )
        x, y, growth, angle = (
            speed + weight * (step / elapsed_s - speed)
            for speed, step in zip(self._common_speed, steps, strict=True)
        )
        self._common_speed = (x, y, growth, angle)
        return _weight(settings.min_cutoff_hz + settings.beta * math.hypot(x, y, growth, angle), elapsed_s)

    def _own_gains(
        self, own: NDArray[np.float32], face_size_px: float, elapsed_s: float
    ) -> NDArray[np.float32]:
        """(N, 1)."""
        settings = self._settings
        weight = np.float32(_weight(settings.derivative_cutoff_hz, elapsed_s))
        self._own_speed *= 1 - weight
        self._own_speed += own * (weight / np.float32(elapsed_s * face_size_px))
        turns = np.sqrt(np.einsum("ij,ij->i", self._own_speed, self._own_speed))
        per_hz = 2 * math.pi * elapsed_s
        turns *= np.float32(settings.own_beta * per_hz)
        turns += np.float32(settings.own_min_cutoff_hz * per_hz)
        gains: NDArray[np.float32] = (turns / (turns + 1))[:, None]
        return gains


def _turn(was: NDArray[np.float32], now: NDArray[np.float32]) -> complex:
    """The turn and growth in the plane, as one complex factor, that bring `was` nearest to `now`.

    Least squares, as `models.geometry.similarity_fit`; both (N, 2+), their means 0.
    """
    products = was[:, :2].T @ now[:, :2]
    spread = float(np.einsum("ij,ij->", was[:, :2], was[:, :2]))
    if not spread > 0:
        return 1 + 0j
    found = complex(float(products[0, 0] + products[1, 1]), float(products[0, 1] - products[1, 0])) / spread
    return found if found else 1 + 0j


def _matrix(turn: complex, width: int) -> NDArray[np.float32]:
    """(width, width), to be multiplied from the right; depth grows as x and y do."""
    matrix = np.zeros((width, width), np.float32)
    matrix[0, 0] = matrix[1, 1] = turn.real
    matrix[0, 1], matrix[1, 0] = turn.imag, -turn.imag
    if width > 2:
        matrix[2, 2] = abs(turn)
    return matrix


def _weight(cutoff_hz: float, elapsed_s: float) -> float:
    """Weight of the new value in a first-order low-pass: equation 4 of the paper, rearranged."""
    turns = 2 * math.pi * cutoff_hz * elapsed_s
    return turns / (turns + 1)
