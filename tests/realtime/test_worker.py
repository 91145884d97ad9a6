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

    def process(self, frame: Frame) -> Result:
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
def worker(built: list[Processor]) -> Worker:
    def build() -> Processor:
        built.append(Processor())
        return built[-1]

    return Worker(build)


async def test_frames_go_through_the_thread_that_built_the_processor(
    worker: Worker, built: list[Processor]
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
    worker: Worker, built: list[Processor]
) -> None:
    await worker.start()
    built[0].fail = ValueError("odd")
    with pytest.raises(BackendError, match="ValueError: odd"):
        await worker.process(secret_frame(0, 0))
    built[0].fail = None
    assert (await worker.process(secret_frame(1, 1))).frame.seq == 1
    await worker.close()


async def test_a_hung_thread_is_left_behind_and_what_it_still_says_is_dropped(
    worker: Worker, built: list[Processor]
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


async def test_close_may_come_twice_and_before_start(worker: Worker) -> None:
    await worker.close()
    await worker.start()
    await worker.close()
    await worker.close()
