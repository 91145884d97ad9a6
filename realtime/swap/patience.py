"""How long a frame waits for its own faces before older ones are put where its faces are."""

from collections import deque
from enum import StrEnum

from realtime.clock import NS_PER_MS, NS_PER_S

__all__ = ["Late", "Patience"]

REMEMBERED = 9
"""Durations whose median is the typical one: a single slow job changes nothing."""
OWN_SHARE = 0.15
"""Of the frame's interval, for what comes after the faces: pasting, the mark, the outputs."""
LEAVE, RETURN = 1.1, 0.9
"""Of the time there is: above the first the faces are too slow to wait for, below the second they are not."""
SPIKE = 1.5
"""Of the typical duration: a frame waits no longer for a job that takes unusually long."""
FORGOTTEN_NS = 2 * NS_PER_S
"""A face that was made so long ago is shown no more, however slow the network."""
KEPT_JOBS = 5
"""A face is shown for as long as so many jobs take: it is two of them old when the next one comes, and each
may take more than twice its time when something else runs on the machine."""
FOREVER_NS = 60 * NS_PER_S
DEFAULT_INTERVAL_NS = NS_PER_S // 30
LONGEST_INTERVAL_NS = NS_PER_S // 5
"""A longer gap between frames is a pause, and says nothing of the rate."""


class Late(StrEnum):
    """Whether a face made of an earlier frame may be put where the face is now."""

    AUTO = "auto"
    """When the networks are slower than the camera."""
    ALWAYS = "always"
    NEVER = "never"
    """Each frame waits for its own faces, and the rate falls."""


class Patience:
    """Decides from how long jobs took, and how far frames lie apart. Takes the time, never asks for it."""

    def __init__(
        self, late: Late = Late.AUTO, hold_ns: int = 500 * NS_PER_MS, *, lossless: bool = False
    ) -> None:
        """`hold_ns`: a frame never waits longer, and a face is shown at least so long after it was made.

        `lossless`: nobody looks on, and each frame waits for its own faces for as long as it takes.
        """
        self.late = late
        """May be set between frames."""
        self._lossless = lossless
        self._hold_ns = FOREVER_NS if lossless else hold_ns
        self._took_ns: deque[int] = deque(maxlen=REMEMBERED)
        self._interval_ns = float(DEFAULT_INTERVAL_NS)
        self._before: tuple[int, int] | None = None
        self._in_step = True

    @property
    def in_step(self) -> bool:
        """Whether frames wait for their own faces."""
        return self._lossless or (self.late != Late.ALWAYS and self._in_step)

    @property
    def typical_ns(self) -> int:
        """How long a job takes; 0 before the first."""
        return sorted(self._took_ns)[len(self._took_ns) // 2] if self._took_ns else 0

    def took(self, duration_ns: int) -> None:
        """A job has ended after so long."""
        self._took_ns.append(duration_ns)

    def wait_ns(self, seq: int, captured_ns: int, now_ns: int) -> int:
        """How long the frame that is looked at now may wait; 0 not at all. Once a frame, in their order."""
        self._see(seq, captured_ns)
        if self._lossless or self.late == Late.NEVER:
            return self._hold_ns
        if self.late == Late.ALWAYS:
            return 0
        spent_ns = max(0, now_ns - captured_ns)
        room_ns = self._interval_ns * (1 - OWN_SHARE) - min(spent_ns, self._interval_ns / 2)
        typical_ns = self.typical_ns
        self._in_step = typical_ns <= room_ns * (LEAVE if self._in_step else RETURN)
        if not self._in_step:
            return 0
        # Before the first job has ended nothing is known, and there is nothing older to show.
        return int(min(self._hold_ns, max(room_ns, typical_ns * SPIKE))) if typical_ns else self._hold_ns

    def shown_ns(self) -> int:
        """How old a face may be that is put where the face is now."""
        if self._lossless:
            return 0
        return min(FORGOTTEN_NS, max(self._hold_ns, KEPT_JOBS * self.typical_ns))

    def _see(self, seq: int, captured_ns: int) -> None:
        before, self._before = self._before, (seq, captured_ns)
        if before is None or seq <= before[0]:
            return
        apart_ns = (captured_ns - before[1]) / (seq - before[0])
        if 0 < apart_ns <= LONGEST_INTERVAL_NS:
            self._interval_ns += 0.1 * (apart_ns - self._interval_ns)
