import threading
from collections.abc import Iterator

import pytest

from realtime.clock import NS_PER_S, MonotonicClock
from realtime.errors import BackendError, HungError, ModelError
from realtime.swap.heavy import HANG_NS, Ended, HeavyThread
from tests.fakes.clock import FakeClock

WAIT_S = 10.0


class Doubling:
    """Doubles a number, when the test lets it."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.thread = threading.get_ident()
        self.go = threading.Semaphore(0)
        self.fail: Exception | None = None
        self.cost_ns = 0
        self.closed = threading.Event()

    def run(self, job: int) -> int:
        assert threading.get_ident() == self.thread, "contexts belong to the thread that built them"
        assert self.go.acquire(timeout=WAIT_S)
        self.clock.advance(self.cost_ns)
        if self.fail is not None:
            raise self.fail
        return 2 * job

    def close(self) -> None:
        self.closed.set()


class Rig:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.works: list[Doubling] = []
        self.heavy: HeavyThread[int, int] = HeavyThread(self._build, self.clock)

    @property
    def work(self) -> Doubling:
        return self.works[0]

    def _build(self) -> Doubling:
        self.works.append(Doubling(self.clock))
        return self.works[-1]

    def ended(self) -> Ended[int] | None:
        """What the job came to, once it has come to it."""
        assert self.heavy._settled.wait(WAIT_S)
        return self.heavy.collect()


@pytest.fixture
def rig() -> Iterator[Rig]:
    rig = Rig()
    rig.heavy.start(WAIT_S)
    yield rig
    rig.work.go.release()
    rig.heavy.close()


def test_a_job_is_done_in_the_thread_that_built_the_work(rig: Rig) -> None:
    rig.work.cost_ns = 7
    assert rig.heavy.submit(21)
    rig.work.go.release()
    assert rig.ended() == Ended(42, 7)
    assert rig.work.thread != threading.get_ident()


def test_nobody_waits_for_a_job_that_runs(rig: Rig) -> None:
    assert rig.heavy.submit(1)
    assert rig.heavy.busy
    assert rig.heavy.collect() is None
    assert not rig.heavy.submit(2), "one at a time"


def test_what_was_not_collected_is_not_overwritten(rig: Rig) -> None:
    rig.heavy.submit(1)
    rig.work.go.release()
    assert rig.heavy._settled.wait(WAIT_S)
    assert not rig.heavy.submit(2)
    ended = rig.heavy.collect()
    assert ended is not None
    assert ended.value == 2
    assert rig.heavy.submit(2)


def test_a_deadline_ends_the_waiting() -> None:
    heavy: HeavyThread[int, int] = HeavyThread(lambda: Doubling(FakeClock()), MonotonicClock())
    heavy.start(WAIT_S)
    heavy.submit(1)
    assert heavy.collect(MonotonicClock().now_ns() + NS_PER_S // 1000) is None
    heavy.close()


def test_a_job_is_waited_for_until_it_ends(rig: Rig) -> None:
    rig.heavy.submit(4)
    rig.work.go.release()
    ended = rig.heavy.collect(rig.clock.now_ns() + 60 * NS_PER_S)
    assert ended is not None
    assert ended.value == 8


def test_nothing_to_collect_is_nothing(rig: Rig) -> None:
    assert rig.heavy.collect(rig.clock.now_ns() + NS_PER_S) is None


def test_what_a_job_raises_comes_out_and_the_next_one_runs(rig: Rig) -> None:
    rig.work.fail = ValueError("odd")
    rig.heavy.submit(1)
    rig.work.go.release()
    with pytest.raises(BackendError, match="ValueError: odd"):
        rig.ended()
    rig.work.fail = None
    assert rig.heavy.submit(3)
    rig.work.go.release()
    ended = rig.ended()
    assert ended is not None
    assert ended.value == 6


def test_what_build_raises_comes_out_of_start() -> None:
    def build() -> Doubling:
        raise ModelError("the file is damaged", "fetch it again")

    heavy: HeavyThread[int, int] = HeavyThread(build, FakeClock())
    with pytest.raises(ModelError, match="damaged"):
        heavy.start(WAIT_S)
    assert not heavy.submit(1)
    heavy.close()


def test_a_build_that_does_not_end_is_told() -> None:
    go = threading.Event()

    def build() -> Doubling:
        go.wait(WAIT_S)
        return Doubling(FakeClock())

    heavy: HeavyThread[int, int] = HeavyThread(build, FakeClock())
    with pytest.raises(BackendError, match="not ready"):
        heavy.start(0.01)
    go.set()
    heavy.close()


def test_a_job_that_takes_too_long_has_hung(rig: Rig) -> None:
    rig.heavy.submit(1)
    rig.clock.advance(HANG_NS - 1)
    assert rig.heavy.collect() is None
    rig.clock.advance(1)
    with pytest.raises(HungError, match="hung"):
        rig.heavy.collect()


def test_closing_frees_the_work_and_may_come_twice_and_before_the_start() -> None:
    rig = Rig()
    rig.heavy.close()
    rig = Rig()
    rig.heavy.start(WAIT_S)
    rig.heavy.close()
    rig.heavy.close()
    assert rig.work.closed.is_set()
    assert not rig.heavy.submit(1)
