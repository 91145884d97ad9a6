"""When a sink that needs a steady beat gets the last picture again. Pure."""

from realtime.clock import NS_PER_S

__all__ = ["Cadence"]


class Cadence:
    """A deadline that moves by one period for each picture published, new or repeated.

    The deadlines are absolute, so that the mean rate is the cadence's however late each call is. The first
    lies one and a half periods ahead, so that a source at the cadence's own rate that is a little late is
    not overtaken by a repetition; none lies more than two periods ahead, so that a fast source that stops
    is soon filled in for; and after a delay of more than one period they are set anew: no burst makes up
    for a stall.
    """

    def __init__(self, fps: float) -> None:
        self.period_ns = round(NS_PER_S / fps)
        self._due_ns: int | None = None

    @property
    def due_ns(self) -> int | None:
        """When the last picture is to be published again; None before the first."""
        return self._due_ns

    def published(self, now_ns: int) -> None:
        """A picture went out at `now_ns`, new or repeated."""
        if self._due_ns is None or now_ns - self._due_ns >= self.period_ns:
            self._due_ns = now_ns + self.period_ns * 3 // 2
        else:
            self._due_ns = min(self._due_ns + self.period_ns, now_ns + 2 * self.period_ns)
