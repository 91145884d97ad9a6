"""The one thread that owns the inference contexts.

A thread that hangs in a library cannot be ended: `restart` leaves it behind (it is a daemon, and what it
still delivers is thrown away) and starts another with contexts of its own.
"""

import asyncio
import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from realtime.blocking import post
from realtime.errors import BackendError, RealtimeError
from realtime.frame import Frame, Result

__all__ = ["Processor", "Worker"]

START_TIMEOUT_S = 120.0
"""Loading models and compiling them for a device for the first time can take this long."""
CLOSE_TIMEOUT_S = 2.0

_log = logging.getLogger(__name__)


class Processor(Protocol):
    """What the thread runs: `Pipeline`."""

    def process(self, frame: Frame) -> Result: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class _Job:
    frame: Frame
    done: asyncio.Future[Result]


class Worker:
    """Runs frames through a processor, one at a time. All methods belong to the event loop's thread."""

    def __init__(self, build: Callable[[], Processor]) -> None:
        """`build` makes the processor, in the worker's thread; it may raise any RealtimeError."""
        self._build = build
        self._inbox: queue.SimpleQueue[_Job | None] | None = None
        self._thread: threading.Thread | None = None

    async def start(self) -> None:
        """Return once the processor is built. Raises what `build` raised, or BackendError after 120 s."""
        loop = asyncio.get_running_loop()
        ready: asyncio.Future[None] = loop.create_future()
        self._inbox = queue.SimpleQueue()
        self._thread = threading.Thread(
            target=self._run, args=(self._inbox, ready, loop), name="realtime-worker", daemon=True
        )
        self._thread.start()
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                await ready
        except TimeoutError as error:
            raise BackendError(
                f"the models were not ready after {START_TIMEOUT_S:.0f} s",
                "try another --device or --backend; `realtime models verify` checks the files",
            ) from error

    def process(self, frame: Frame) -> asyncio.Future[Result]:
        """A future of the frame's result. It raises what the processor raised, as a RealtimeError."""
        if self._inbox is None:
            raise RuntimeError("the worker is not started")
        done: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._inbox.put(_Job(frame, done))
        return done

    async def restart(self) -> None:
        """Leave the thread to itself and start another. Raises as `start` does."""
        self._dismiss()
        await self.start()

    async def close(self) -> None:
        """End the thread, waiting at most 2 s for it. Idempotent, never raises."""
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
            _settle(loop, ready, None, _translated(error, "the models could not be loaded"))
            return
        _settle(loop, ready, None, None)
        try:
            while (job := inbox.get()) is not None:
                try:
                    result = processor.process(job.frame)
                except Exception as error:
                    _settle(loop, job.done, None, _translated(error, "a frame could not be processed"))
                else:
                    _settle(loop, job.done, result, None)
        finally:
            processor.close()


def _translated(error: Exception, what: str) -> RealtimeError:
    if isinstance(error, RealtimeError):
        return error
    _log.debug("%s", what, exc_info=error)
    translated = BackendError(
        f"{what}: {type(error).__name__}: {error}", "run with --log-level debug, report it"
    )
    translated.__cause__ = error
    return translated


def _settle(
    loop: asyncio.AbstractEventLoop, future: asyncio.Future[Any], value: Any, error: RealtimeError | None
) -> None:
    """Deliver from the worker's thread, unless somebody settled the future already."""

    def deliver() -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(value)

    post(loop, deliver)
