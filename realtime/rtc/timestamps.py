"""From capture stamps to RTP timestamps: the 90 kHz clock of video (RFC 3551, section 5)."""

from realtime.clock import NS_PER_MS, NS_PER_S

__all__ = ["RTP_CLOCK_HZ", "RtpStamps"]

RTP_CLOCK_HZ = 90_000
OLDEST_NS = 150 * NS_PER_MS


class RtpStamps:
    """The timestamps of one stream: strictly rising, in step with the capture stamps.

    A picture older than 150 ms (a card made long ago, a picture held or repeated) is stamped as if it
    were 150 ms old: a receiver's jitter buffer takes a step of the timestamps against the clock for
    delay, and would show the next live picture that much too late.
    """

    def __init__(self) -> None:
        self._origin_ns: int | None = None
        self._last = -1

    def stamp(self, captured_ns: int, now_ns: int) -> int:
        """The timestamp, in ticks of 1/90000 s from the first picture, of one captured then and sent now."""
        shown_ns = max(captured_ns, now_ns - OLDEST_NS)
        if self._origin_ns is None:
            self._origin_ns = shown_ns
        ticks = (shown_ns - self._origin_ns) * RTP_CLOCK_HZ // NS_PER_S
        self._last = max(ticks, self._last + 1)
        return self._last
