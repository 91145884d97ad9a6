"""A clock that the test turns."""

import asyncio
import heapq
import threading

__all__ = ["FakeClock"]


class FakeClock:
    """Time stands still until `advance` (threads) or `run_for` (coroutines) moves it."""

    def __init__(self, now_ns: int = 1_000_000_000) -> None:
        self._condition = threading.Condition()
        self._now_ns = now_ns
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = 0

    def now_ns(self) -> int:
        with self._condition:
            return self._now_ns

    async def sleep_until(self, deadline_ns: int) -> None:
        if deadline_ns <= self._now_ns:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._order += 1
        heapq.heappush(self._sleepers, (deadline_ns, self._order, future))
        await future

    def wait_until(self, deadline_ns: int, stop: threading.Event) -> bool:
        with self._condition:
            while self._now_ns < deadline_ns and not stop.is_set():
                self._condition.wait(0.01)
        return stop.is_set()

    def advance(self, ns: int) -> None:
        """Move time on at once and wake what is due."""
        with self._condition:
            self._now_ns += ns
            self._condition.notify_all()
        while self._sleepers and self._sleepers[0][0] <= self._now_ns:
            future = heapq.heappop(self._sleepers)[2]
            if not future.done():
                future.set_result(None)

    async def run_for(self, ns: int) -> None:
        """Move time on from sleeper to sleeper, letting coroutines run in between."""
        end_ns = self._now_ns + ns
        while True:
            await settle()
            due_ns = self._sleepers[0][0] if self._sleepers else end_ns
            if due_ns > end_ns:
                break
            self.advance(max(0, due_ns - self._now_ns))
            if due_ns == end_ns and not (self._sleepers and self._sleepers[0][0] <= end_ns):
                break
        await settle()
        self.advance(end_ns - self._now_ns)
        await settle()


async def settle(rounds: int = 20) -> None:
    """Let every coroutine that can run, run."""
    for _ in range(rounds):
        await asyncio.sleep(0)
