"""Time, as an object: the program runs on `MonotonicClock`, the tests on a clock that they turn."""

import asyncio
import threading
import time
from typing import Protocol

__all__ = ["NS_PER_MS", "NS_PER_S", "Clock", "MonotonicClock", "Now"]

NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000


class Now(Protocol):
    """Whatever tells the time."""

    def now_ns(self) -> int: ...


class Clock(Now, Protocol):
    """A monotonic clock in nanoseconds. All stamps in the program come from one of these."""

    def now_ns(self) -> int:
        """The present, in nanoseconds from an arbitrary origin; never runs backwards."""
        ...

    async def sleep_until(self, deadline_ns: int) -> None:
        """Return at `deadline_ns`, or at once when it has passed. For coroutines."""
        ...

    def wait_until(self, deadline_ns: int, stop: threading.Event) -> bool:
        """Block a thread until `deadline_ns` or until `stop` is set; True when `stop` is set."""
        ...


class MonotonicClock:
    """The machine's monotonic clock."""

    def now_ns(self) -> int:
        return time.monotonic_ns()

    async def sleep_until(self, deadline_ns: int) -> None:
        await asyncio.sleep(max(0.0, (deadline_ns - time.monotonic_ns()) / NS_PER_S))

    def wait_until(self, deadline_ns: int, stop: threading.Event) -> bool:
        remaining_ns = deadline_ns - time.monotonic_ns()
        return stop.wait(remaining_ns / NS_PER_S) if remaining_ns > 0 else stop.is_set()
