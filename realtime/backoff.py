"""How long to wait before the next try. Pure."""

from realtime.clock import NS_PER_S

__all__ = ["Backoff"]

FIRST_NS = NS_PER_S // 4
LONGEST_NS = 2 * NS_PER_S


class Backoff:
    """0.25 s, 0.5 s, 1 s, then 2 s for ever, until something worked."""

    def __init__(self, first_ns: int = FIRST_NS, longest_ns: int = LONGEST_NS) -> None:
        self._first_ns = first_ns
        self._longest_ns = longest_ns
        self._next_ns = first_ns

    def next_ns(self) -> int:
        """The wait before the coming try."""
        wait_ns = self._next_ns
        self._next_ns = min(2 * wait_ns, self._longest_ns)
        return wait_ns

    def reset(self) -> None:
        """It worked: the next failure waits the shortest time again."""
        self._next_ns = self._first_ns
