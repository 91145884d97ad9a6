"""Where a face is expected next, from where it has been: what tells two people apart who pass each other."""

import math

from realtime.boxes import Box
from realtime.clock import NS_PER_S

__all__ = ["Motion"]

LONGEST_NS = 3 * NS_PER_S // 2
"""Nobody goes on in the same way for longer."""
FOLLOWS_NS = NS_PER_S // 20
"""Time in which the expectation follows the face."""
FOLLOWS_IN_A_CROWD_NS = NS_PER_S // 3
"""The same while another face touches it: the points may be drawn to that one, little by little."""
FASTEST = 6.0
"""Sides of the face a second."""


class Motion:
    """An alpha-beta filter of a face's centre and of the logarithm of its size."""

    def __init__(self, box: Box, at_ns: int) -> None:
        self._at_ns = at_ns
        self._state = _measured(box)
        self._speed = (0.0, 0.0, 0.0)
        """Of centre x, centre y (pixels a second) and logarithm of the size (a second)."""
        self._half = ((box[2] - box[0]) / 2, (box[3] - box[1]) / 2)

    def follow(self, box: Box, now_ns: int, crowded: bool) -> None:
        """Take where the face was found. `crowded`: another face is near enough to be mistaken for it."""
        elapsed_s = (now_ns - self._at_ns) / NS_PER_S
        if elapsed_s <= 0:
            return
        expected = self._expected(elapsed_s)
        measured = _measured(box)
        follows_s = (FOLLOWS_IN_A_CROWD_NS if crowded else FOLLOWS_NS) / NS_PER_S
        gain = 1 - math.exp(-elapsed_s / follows_s)
        # Critically damped: the gain of the speed that goes with `gain` (the g-h filter of one pole).
        gain_of_speed = (1 - math.sqrt(1 - gain)) ** 2 / elapsed_s
        apart = tuple(m - e for m, e in zip(measured, expected, strict=True))
        self._state = (
            expected[0] + gain * apart[0],
            expected[1] + gain * apart[1],
            expected[2] + gain * apart[2],
        )
        fastest = FASTEST * math.exp(self._state[2])
        self._speed = (
            _within(self._speed[0] + gain_of_speed * apart[0], fastest),
            _within(self._speed[1] + gain_of_speed * apart[1], fastest),
            _within(self._speed[2] + gain_of_speed * apart[2], 1.0),
        )
        self._half = ((box[2] - box[0]) / 2, (box[3] - box[1]) / 2)
        self._at_ns = now_ns

    def expected(self, now_ns: int) -> Box:
        """The box where the face should be."""
        x, y, size = self._expected(min(now_ns - self._at_ns, LONGEST_NS) / NS_PER_S)
        grown = math.exp(size) / max(math.sqrt(4 * self._half[0] * self._half[1]), 1e-6)
        wide, tall = self._half[0] * grown, self._half[1] * grown
        return x - wide, y - tall, x + wide, y + tall

    def surprise(self, box: Box, now_ns: int) -> float:
        """How far `box` lies from where the face should be, in its sides; a factor of 2.7 in size is 1."""
        x, y, size = self._expected(min(now_ns - self._at_ns, LONGEST_NS) / NS_PER_S)
        found = _measured(box)
        return math.hypot(found[0] - x, found[1] - y) / math.exp(size) + abs(found[2] - size)

    def halt(self) -> None:
        """Expect the face to stay where it is."""
        self._speed = (0.0, 0.0, 0.0)

    def _expected(self, elapsed_s: float) -> tuple[float, float, float]:
        x, y, size = self._state
        # A size that goes on changing for long would soon be absurd.
        growth = self._speed[2] * min(elapsed_s, 0.2)
        return x + self._speed[0] * elapsed_s, y + self._speed[1] * elapsed_s, size + growth


def _measured(box: Box) -> tuple[float, float, float]:
    area = max((box[2] - box[0]) * (box[3] - box[1]), 1.0)
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2, math.log(area) / 2


def _within(value: float, limit: float) -> float:
    return min(limit, max(-limit, value))
