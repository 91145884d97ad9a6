"""The threads that own the inference contexts: one, or two that work on a frame one after the other.

With two, the next frame is tracked while this one is painted: more frames a second, none of them older.
A thread that hangs in a library cannot be ended: `restart` leaves it behind (it is a daemon, and what it
still delivers is thrown away) and starts others with contexts of their own.
"""

import asyncio
import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from realtime.blocking import post
from realtime.errors import BackendError, RealtimeError, translated
from realtime.frame import Frame, Result

__all__ = ["Processor", "Worker"]

START_TIMEOUT_S = 120.0
"""Loading models and compiling them for a device for the first time can take this long."""
CLOSE_TIMEOUT_S = 2.0

_log = logging.getLogger(__name__)

T = TypeVar("T")


class Processor(Protocol[T]):
    """What the threads run: `Pipeline`."""

    def track(self, frame: Frame) -> T: ...

    def finish(self, tracked: T) -> Result: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class _Job:
    frame: Frame
    done: asyncio.Future[Result]
    tracked: threading.Event
    """Set when the frame's faces are found, and the next frame may come."""


@dataclass(frozen=True, slots=True)
class _Painting(Generic[T]):
    job: _Job
    tracked: T


class Worker(Generic[T]):
    """Takes frames through a processor, in order. All methods belong to the event loop's thread."""

    def __init__(
        self,
        build: Callable[[], Processor[T]],
        depth: int = 1,
        on_room: Callable[[], None] = lambda: None,
        start_timeout_s: float = START_TIMEOUT_S,
    ) -> None:
        """`build` makes the processor, in the worker's thread; it may raise any RealtimeError.

        `depth`: frames in flight at most, 1 or 2. `on_room` is called in the event loop's thread when a
        frame is tracked, so that another one may come.
        """
        self._build = build
        self._depth = depth
        self._on_room = on_room
        self._start_timeout_s = start_timeout_s
        self._inbox: queue.SimpleQueue[_Job | None] | None = None
        self._thread: threading.Thread | None = None
        self._in_flight: list[_Job] = []

    async def start(self) -> None:
        """Return once the processor is built. Raises what `build` raised; BackendError after the timeout."""
        loop = asyncio.get_running_loop()
        ready: asyncio.Future[None] = loop.create_future()
        self._inbox = queue.SimpleQueue()
        self._thread = threading.Thread(
            target=self._run, args=(self._inbox, ready, loop), name="realtime-worker", daemon=True
        )
        self._thread.start()
        try:
            async with asyncio.timeout(self._start_timeout_s):
                await ready
        except TimeoutError as error:
            raise BackendError(
                f"the models were not ready after {self._start_timeout_s:.0f} s",
                "try another --device or --backend; `realtime models verify` checks the files",
            ) from error

    def room(self) -> bool:
        """Whether another frame can be begun at once: none is being tracked, and few enough are painted."""
        self._in_flight = [job for job in self._in_flight if not job.done.done()]
        if not self._in_flight:
            return True
        return len(self._in_flight) < self._depth and self._in_flight[-1].tracked.is_set()

    def process(self, frame: Frame) -> asyncio.Future[Result]:
        """A future of the frame's result. It raises what the processor raised, as a RealtimeError."""
        if self._inbox is None:
            raise RuntimeError("the worker is not started")
        done: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        job = _Job(frame, done, threading.Event())
        self._in_flight.append(job)
        self._inbox.put(job)
        return done

    async def restart(self) -> None:
        """Leave the threads to themselves and start others. Raises as `start` does."""
        self._dismiss()
        await self.start()

    async def close(self) -> None:
        """End the threads, waiting at most 2 s for them. Idempotent, never raises."""
        thread, self._thread = self._thread, None
        self._dismiss()
        if thread is None:
            return
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()

        def wait() -> None:
            thread.join(CLOSE_TIMEOUT_S)
            post(loop, ended.set)

        threading.Thread(target=wait, name="realtime-worker-join", daemon=True).start()
        await ended.wait()
        if thread.is_alive():
            _log.warning("the worker did not end within %.0f s and is left behind", CLOSE_TIMEOUT_S)

    def _dismiss(self) -> None:
        inbox, self._inbox = self._inbox, None
        self._in_flight = []
        if inbox is not None:
            inbox.put(None)

    def _run(
        self,
        inbox: queue.SimpleQueue[_Job | None],
        ready: asyncio.Future[None],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        try:
            processor = self._build()
        except Exception as error:
            _settle(loop, ready, None, translated(error, "the models could not be loaded"))
            return
        painting: queue.SimpleQueue[_Painting[T] | None] = queue.SimpleQueue()
        painter: threading.Thread | None = None
        if self._depth > 1:
            painter = threading.Thread(
                target=self._paint, args=(processor, painting, loop), name="realtime-painter", daemon=True
            )
            painter.start()
        _settle(loop, ready, None, None)
        try:
            while (job := inbox.get()) is not None:
                try:
                    tracked = processor.track(job.frame)
                except Exception as error:
                    _settle(loop, job.done, None, translated(error, "a frame could not be processed"))
                    continue
                if painter is None:
                    _finish(processor, _Painting(job, tracked), loop)
                else:
                    painting.put(_Painting(job, tracked))
                    job.tracked.set()
                    post(loop, self._on_room)
        finally:
            painting.put(None)
            if painter is not None:
                painter.join()
            processor.close()

    @staticmethod
    def _paint(
        processor: Processor[T],
        painting: queue.SimpleQueue[_Painting[T] | None],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        while (job := painting.get()) is not None:
            _finish(processor, job, loop)


def _finish(processor: Processor[T], painting: _Painting[T], loop: asyncio.AbstractEventLoop) -> None:
    try:
        result = processor.finish(painting.tracked)
    except Exception as error:
        _settle(loop, painting.job.done, None, translated(error, "a frame could not be processed"))
    else:
        _settle(loop, painting.job.done, result, None)


def _settle(
    loop: asyncio.AbstractEventLoop, future: asyncio.Future[Any], value: Any, error: RealtimeError | None
) -> None:
    """Deliver from a worker's thread, unless somebody settled the future already."""

    def deliver() -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(value)

    post(loop, deliver)
