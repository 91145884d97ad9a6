import asyncio
import threading

import pytest

from realtime.errors import BackendError, ModelError
from realtime.frame import Frame, Outcome, Result
from realtime.worker import Worker
from tests.fakes.frames import secret_frame

WAIT_S = 10.0


class Processor:
    def __init__(self) -> None:
        self.thread = threading.get_ident()
        self.release = threading.Event()
        self.entered = threading.Event()
        self.fail: Exception | None = None
        self.block = False
        self.closed = threading.Event()

    def track(self, frame: Frame) -> Frame:
        assert threading.get_ident() == self.thread, "contexts belong to the thread that built them"
        return frame

    def finish(self, frame: Frame) -> Result:
        assert threading.get_ident() == self.thread, "contexts belong to the thread that built them"
        self.entered.set()
        if self.block:
            self.release.wait(WAIT_S)
        if self.fail is not None:
            raise self.fail
        return Result(frame, frame.bgr, Outcome.NO_FACE, ())

    def close(self) -> None:
        self.closed.set()


@pytest.fixture
def built() -> list[Processor]:
    return []


@pytest.fixture
def worker(built: list[Processor]) -> Worker[Frame]:
    def build() -> Processor:
        built.append(Processor())
        return built[-1]

    return Worker(build)


async def test_frames_go_through_the_thread_that_built_the_processor(
    worker: Worker[Frame], built: list[Processor]
) -> None:
    await worker.start()
    results = [await worker.process(secret_frame(seq, seq)) for seq in range(3)]
    await worker.close()
    assert [result.frame.seq for result in results] == [0, 1, 2]
    assert built[0].thread != threading.get_ident()
    assert built[0].closed.is_set()


async def test_what_build_raises_comes_out_of_start() -> None:
    def build() -> Processor:
        raise ModelError("the file is damaged", "fetch it again")

    worker = Worker(build)
    with pytest.raises(ModelError, match="damaged"):
        await worker.start()
    await worker.close()


async def test_a_foreign_error_is_translated_and_the_next_frame_goes_through(
    worker: Worker[Frame], built: list[Processor]
) -> None:
    await worker.start()
    built[0].fail = ValueError("odd")
    with pytest.raises(BackendError, match="ValueError: odd"):
        await worker.process(secret_frame(0, 0))
    built[0].fail = None
    assert (await worker.process(secret_frame(1, 1))).frame.seq == 1
    await worker.close()


async def test_a_hung_thread_is_left_behind_and_what_it_still_says_is_dropped(
    worker: Worker[Frame], built: list[Processor]
) -> None:
    complaints: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    await worker.start()
    built[0].block = True
    pending = worker.process(secret_frame(0, 0))
    await asyncio.to_thread(built[0].entered.wait, WAIT_S)
    pending.set_exception(BackendError("hung", "wait"))
    await worker.restart()
    assert (await worker.process(secret_frame(1, 1))).frame.seq == 1
    built[0].release.set()
    await asyncio.to_thread(built[0].closed.wait, WAIT_S)
    with pytest.raises(BackendError, match="hung"):
        await pending
    await worker.close()
    assert built[1].closed.is_set()
    assert complaints == []


async def test_close_may_come_twice_and_before_start(worker: Worker[Frame]) -> None:
    await worker.close()
    await worker.start()
    await worker.close()
    await worker.close()


class TwoStages(Processor):
    """Painting takes until the test lets it; says which threads did what, in which order."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self.tracking = threading.Event()
        self.go = threading.Semaphore(0)
        self.painters: set[int] = set()

    def track(self, frame: Frame) -> Frame:
        super().track(frame)
        self.said.append(f"track {frame.seq}")
        return frame

    def finish(self, frame: Frame) -> Result:
        self.painters.add(threading.get_ident())
        assert self.go.acquire(timeout=WAIT_S)
        self.said.append(f"finish {frame.seq}")
        return Result(frame, frame.bgr, Outcome.NO_FACE, ())


async def test_with_depth_two_a_frame_is_tracked_while_the_one_before_is_painted() -> None:
    built: list[TwoStages] = []
    room = asyncio.Event()

    def build() -> TwoStages:
        built.append(TwoStages())
        return built[-1]

    worker = Worker(build, 2, room.set)
    await worker.start()
    first = worker.process(secret_frame(0, 0))
    await asyncio.wait_for(room.wait(), WAIT_S)
    assert worker.room(), "the first frame is tracked: the next one may come while it is painted"
    room.clear()
    second = worker.process(secret_frame(1, 1))
    await asyncio.wait_for(room.wait(), WAIT_S)
    assert not worker.room(), "two are in flight"
    assert built[0].said == ["track 0", "track 1"]
    built[0].go.release(2)
    assert [(await first).frame.seq, (await second).frame.seq] == [0, 1]
    assert worker.room()
    await worker.close()
    assert built[0].said == ["track 0", "track 1", "finish 0", "finish 1"]
    assert len(built[0].painters) == 1
    assert built[0].thread not in built[0].painters
    assert built[0].closed.is_set()


async def test_with_depth_one_there_is_room_only_when_the_frame_is_done(
    worker: Worker[Frame], built: list[Processor]
) -> None:
    await worker.start()
    assert worker.room()
    built[0].block = True
    pending = worker.process(secret_frame(0, 0))
    await asyncio.to_thread(built[0].entered.wait, WAIT_S)
    assert not worker.room()
    built[0].release.set()
    await pending
    assert worker.room()
    await worker.close()


async def test_a_frame_that_cannot_be_tracked_makes_room_for_the_next() -> None:
    class Blind(TwoStages):
        def track(self, frame: Frame) -> Frame:
            raise BackendError("blind", "look elsewhere")

    worker = Worker(Blind, 2)
    await worker.start()
    with pytest.raises(BackendError, match="blind"):
        await worker.process(secret_frame(0, 0))
    assert worker.room()
    await worker.close()
