"""When a picture of a clip is due at live pace. Pure: the present comes in, a deadline goes out."""

from realtime.clock import NS_PER_S

__all__ = ["Pacing"]

LATE_AT_MOST_NS = NS_PER_S
"""Later than this, the clip does not catch up: it goes on from where it is."""
EARLY_AT_MOST_NS = NS_PER_S
"""A new epoch due later than this is shown at once; within one epoch a clip may pause as long as it likes."""


class Pacing:
    """Ties media time to the clock by one anchor: the clock's time at which media time 0 was due."""

    def __init__(self) -> None:
        self._anchor_ns: int | None = None
        self._epoch = 0

    def due_ns(self, media_ns: int, epoch: int, now_ns: int) -> int:
        """The clock's time at which the picture is due; the past when it is late, `now_ns` after a new start.

        The anchor moves at the first picture, when the picture is more than one second late, and when an
        epoch begins whose media time does not go on from the last one's.
        """
        if self._anchor_ns is not None:
            due_ns = self._anchor_ns + media_ns
            late = now_ns - due_ns > LATE_AT_MOST_NS
            early = epoch != self._epoch and due_ns - now_ns > EARLY_AT_MOST_NS
            if not late and not early:
                self._epoch = epoch
                return due_ns
        self._anchor_ns = now_ns - media_ns
        self._epoch = epoch
        return now_ns
