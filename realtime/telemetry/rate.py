"""Events a second over the last few seconds."""

from collections import deque

from realtime.clock import NS_PER_S

__all__ = ["Rate"]


class Rate:
    """Counts events of one thread; the rate is over the span of the events kept."""

    def __init__(self, window_ns: int = 2 * NS_PER_S) -> None:
        self._window_ns = window_ns
        self._stamps_ns: deque[int] = deque()

    def add(self, now_ns: int) -> None:
        """Count one event at `now_ns`."""
        self._stamps_ns.append(now_ns)
        self._forget(now_ns)

    def per_second(self, now_ns: int) -> float:
        """Events a second in the window that ends at `now_ns`; 0.0 with fewer than two."""
        stamps = tuple(stamp for stamp in tuple(self._stamps_ns) if stamp > now_ns - self._window_ns)
        if len(stamps) < 2:
            return 0.0
        span_ns = max(stamps[-1] - stamps[0], now_ns - stamps[0] - self._gap_ns(stamps))
        return (len(stamps) - 1) * NS_PER_S / max(span_ns, 1)

    def _gap_ns(self, stamps: tuple[int, ...]) -> int:
        return (stamps[-1] - stamps[0]) // (len(stamps) - 1)

    def _forget(self, now_ns: int) -> None:
        while self._stamps_ns and self._stamps_ns[0] <= now_ns - self._window_ns:
            self._stamps_ns.popleft()
