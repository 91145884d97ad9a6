"""Blocking calls beside the event loop, in threads that cannot keep the program alive."""

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from realtime.errors import DeviceError, RealtimeError

__all__ = ["in_thread", "post", "unless"]

log = logging.getLogger(__name__)

T = TypeVar("T")


async def in_thread(call: Callable[[], T]) -> T:
    """Run a blocking call in a daemon thread: one that never returns does not keep the program alive."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def deliver(value: T | None, error: BaseException | None) -> None:
        if done.done():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(value)  # type: ignore[arg-type]

    def run() -> None:
        try:
            value = call()
        except RealtimeError as error:
            post(loop, deliver, None, error)
        except Exception as error:
            translated = DeviceError(f"{type(error).__name__}: {error}", "run with --log-level debug")
            translated.__cause__ = error
            post(loop, deliver, None, translated)
        else:
            post(loop, deliver, value, None)

    threading.Thread(target=run, name="realtime-blocking", daemon=True).start()
    return await done


async def unless(stop: asyncio.Event, work: Coroutine[Any, Any, object]) -> bool:
    """Do `work`; False when `stop` was set first, and then the work is cancelled."""
    doing, stopping = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({doing, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if doing.done():
            doing.result()
            return True
        return False
    finally:
        for task in (doing, stopping):
            task.cancel()
        await asyncio.gather(doing, stopping, return_exceptions=True)


def post(loop: asyncio.AbstractEventLoop, call: Callable[..., object], *arguments: object) -> None:
    """Call in the loop's thread; dropped when the loop is closed, as for a thread that was left behind."""
    try:
        loop.call_soon_threadsafe(call, *arguments)
    except RuntimeError:
        log.debug("the event loop is closed: what a thread delivered is dropped")
