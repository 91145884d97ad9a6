import asyncio
import threading
from itertools import pairwise

import numpy as np
import pytest
from aiortc.mediastreams import MediaStreamError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from realtime.clock import NS_PER_MS, NS_PER_S
from realtime.frame import Picture, PictureKind
from realtime.rtc.i420 import I420Converter
from realtime.rtc.timestamps import RTP_CLOCK_HZ
from realtime.rtc.track import PictureTrack
from realtime.slot import Broadcast
from tests.fakes.clock import FakeClock, settle

WAIT_S = 10.0


@pytest.fixture
def converter():
    converter = I420Converter()
    yield converter
    converter.close()


@pytest.fixture
def broadcast() -> Broadcast[Picture]:
    return Broadcast()


def grey(number: int, captured_ns: int, level: int = 0) -> Picture:
    return Picture(number, captured_ns, np.full((16, 16, 3), level, np.uint8), PictureKind.SWAPPED)


def level_of(frame: object) -> int:
    return int(frame.to_ndarray()[0, 0])  # type: ignore[attr-defined]


async def test_the_newest_picture_wins(broadcast: Broadcast[Picture], converter: I420Converter) -> None:
    track = PictureTrack(broadcast, converter, FakeClock())
    for number in range(5):
        broadcast.offer(grey(number, number, 50 * number))
    frame = await asyncio.wait_for(track.recv(), WAIT_S)
    expected = await converter.frame(grey(9, 9, 200))
    assert level_of(frame) == level_of(expected)
    assert track.slot_stats().overwritten == 4
    assert track.sent == 1
    track.stop()


async def test_a_picture_from_another_thread_wakes_it(
    broadcast: Broadcast[Picture], converter: I420Converter
) -> None:
    track = PictureTrack(broadcast, converter, FakeClock(), repeat_after_s=WAIT_S)
    receiving = asyncio.create_task(track.recv())
    await settle()
    assert not receiving.done()
    thread = threading.Thread(target=broadcast.offer, args=(grey(0, 0),))
    thread.start()
    assert (await asyncio.wait_for(receiving, WAIT_S)).width == 16
    thread.join(WAIT_S)
    track.stop()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.integers(-50, 200), st.integers(0, 100)), min_size=2, max_size=12))
def test_pts_strictly_rise(converter: I420Converter, steps: list[tuple[int, int]]) -> None:
    async def main() -> list[int]:
        clock, broadcast = FakeClock(), Broadcast[Picture]()
        track = PictureTrack(broadcast, converter, clock)
        made, captured_ns = [], clock.now_ns()
        for number, (step_ms, age_ms) in enumerate(steps):
            captured_ns = max(0, captured_ns + step_ms * NS_PER_MS)
            clock.advance(max(0, captured_ns + age_ms * NS_PER_MS - clock.now_ns()))
            broadcast.offer(grey(number, captured_ns))
            made.append((await asyncio.wait_for(track.recv(), WAIT_S)).pts)
        track.stop()
        return made

    made = asyncio.run(main())
    assert all(later > earlier for earlier, later in pairwise(made))


async def test_pts_follow_the_capture(broadcast: Broadcast[Picture], converter: I420Converter) -> None:
    clock = FakeClock()
    track = PictureTrack(broadcast, converter, clock)
    origin_ns, pts = clock.now_ns(), []
    for number in range(4):
        broadcast.offer(grey(number, origin_ns + number * NS_PER_S // 30))
        clock.advance(NS_PER_S // 30)
        frame = await asyncio.wait_for(track.recv(), WAIT_S)
        assert frame.time_base == pytest.approx(1 / RTP_CLOCK_HZ)
        pts.append(frame.pts)
    assert pts == [0, 2999, 5999, 9000]
    track.stop()


async def test_the_last_picture_comes_again_when_nothing_new_does(
    broadcast: Broadcast[Picture], converter: I420Converter
) -> None:
    clock = FakeClock()
    track = PictureTrack(broadcast, converter, clock, repeat_after_s=0.01)
    broadcast.offer(grey(0, clock.now_ns(), 120))
    first = await asyncio.wait_for(track.recv(), WAIT_S)
    clock.advance(NS_PER_S)
    again = await asyncio.wait_for(track.recv(), WAIT_S)
    assert level_of(again) == level_of(first)
    assert again.pts == RTP_CLOCK_HZ
    assert converter.converted == 1
    track.stop()


async def test_stop_ends_a_waiting_recv_and_leaves_the_broadcast(
    broadcast: Broadcast[Picture], converter: I420Converter
) -> None:
    track = PictureTrack(broadcast, converter, FakeClock())
    receiving = asyncio.create_task(track.recv())
    await settle()
    track.stop()
    track.stop()
    with pytest.raises(MediaStreamError):
        await asyncio.wait_for(receiving, WAIT_S)
    assert len(broadcast) == 0
    with pytest.raises(MediaStreamError):
        await track.recv()


async def test_a_cancelled_recv_is_cancelled_even_when_a_picture_comes_with_it(
    broadcast: Broadcast[Picture], converter: I420Converter
) -> None:
    track = PictureTrack(broadcast, converter, FakeClock())
    receiving = asyncio.create_task(track.recv())
    await settle()
    track._news.set()
    await asyncio.sleep(0)
    receiving.cancel()
    await asyncio.wait({receiving}, timeout=WAIT_S)
    assert receiving.cancelled()
    track.stop()


async def test_a_picture_that_cannot_be_sent_ends_the_track(
    broadcast: Broadcast[Picture], converter: I420Converter
) -> None:
    track = PictureTrack(broadcast, converter, FakeClock())
    broadcast.offer(Picture(0, 0, np.zeros((0, 0, 3), np.uint8), PictureKind.SWAPPED))
    with pytest.raises(MediaStreamError):
        await asyncio.wait_for(track.recv(), WAIT_S)
    assert track.readyState == "ended"
    assert len(broadcast) == 0


def test_a_picture_after_the_loop_closed_hurts_nobody(
    broadcast: Broadcast[Picture], converter: I420Converter
) -> None:
    async def main() -> PictureTrack:
        return PictureTrack(broadcast, converter, FakeClock())

    track = asyncio.run(main())
    broadcast.offer(grey(0, 0))
    assert track.slot_stats().offered == 1
