import asyncio
import threading

import pytest

from realtime.blocking import in_thread, unless
from realtime.errors import ConfigError, DeviceError

WAIT_S = 10.0


async def test_the_value_comes_back_from_another_thread() -> None:
    assert await in_thread(threading.get_ident) != threading.get_ident()


async def test_our_errors_come_as_they_are_and_foreign_ones_translated() -> None:
    def ours() -> None:
        raise ConfigError("wrong", "right it")

    def foreign() -> None:
        raise OSError("odd")

    with pytest.raises(ConfigError, match="wrong"):
        await in_thread(ours)
    with pytest.raises(DeviceError, match="OSError: odd"):
        await in_thread(foreign)


async def test_a_stop_leaves_a_call_that_does_not_return_behind() -> None:
    release, entered = threading.Event(), threading.Event()

    def call() -> None:
        entered.set()
        release.wait(WAIT_S)

    stop = asyncio.Event()

    async def work() -> None:
        await in_thread(call)

    task = asyncio.create_task(unless(stop, work()))
    await in_thread(lambda: entered.wait(WAIT_S))
    stop.set()
    assert await asyncio.wait_for(task, WAIT_S) is False
    release.set()


async def test_work_that_ends_first_says_so_and_its_error_comes_out() -> None:
    async def fails() -> None:
        raise ConfigError("wrong", "right it")

    assert await unless(asyncio.Event(), asyncio.sleep(0)) is True
    with pytest.raises(ConfigError):
        await unless(asyncio.Event(), fails())
