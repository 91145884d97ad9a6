import logging
import threading

import pytest

from realtime.clock import NS_PER_MS, NS_PER_S
from realtime.errors import DeviceError
from realtime.frame import Picture, PictureKind
from realtime.sinks.base import StreamInfo
from realtime.sinks.runner import SinkRunner, SinkState
from realtime.slot import Broadcast, Latest, Lossless
from tests.fakes.clock import FakeClock
from tests.fakes.pictures import picture
from tests.fakes.recording_sink import RecordingSink

STREAM = StreamInfo(64, 48, 30.0)
WAIT_S = 10.0


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def ages() -> list[int]:
    return []


@pytest.fixture
def run(clock: FakeClock, ages: list[int]):
    runners: list[SinkRunner] = []

    def start(sink, slot) -> SinkRunner:
        runner = SinkRunner(sink, slot, STREAM, clock, ages.append)
        runners.append(runner)
        runner.start()
        return runner

    yield start
    for runner in runners:
        runner.close()


def advance_until_openings(clock: FakeClock, sink: RecordingSink, count: int) -> None:
    for _ in range(1000):
        try:
            sink.wait_for_openings(count, 0.02)
        except AssertionError:
            clock.advance(NS_PER_S // 4)
        else:
            return
    raise AssertionError("the sink was never opened again")


def test_pictures_arrive_with_their_age(run, clock: FakeClock, ages: list[int]) -> None:
    sink, slot = RecordingSink(), Latest[Picture]()
    runner = run(sink, slot)
    assert runner.wait_open(WAIT_S)
    slot.offer(picture(7, captured_ns=clock.now_ns() - 12 * NS_PER_MS))
    assert sink.wait_for(1)[0].number == 7
    runner.close()
    assert ages == [12 * NS_PER_MS]
    status = runner.status
    assert (status.published, status.repeated, status.dropped) == (1, 0, 0)
    assert status.description == "a recording of 64x48"


def test_a_card_has_no_age(run, ages: list[int]) -> None:
    sink, slot = RecordingSink(), Lossless[Picture]()
    runner = run(sink, slot)
    for number, kind in enumerate(PictureKind):
        assert slot.offer(picture(number, kind=kind), WAIT_S)
    sink.wait_for(len(PictureKind))
    runner.close()
    assert len(ages) == len(PictureKind) - 1


def test_a_repetition_has_no_age_and_comes_at_the_cadence(run, clock: FakeClock, ages: list[int]) -> None:
    sink, slot = RecordingSink(cadence_fps=25.0), Latest[Picture]()
    runner = run(sink, slot)
    shown = picture(1, captured_ns=clock.now_ns())
    slot.offer(shown)
    sink.wait_for(1)
    clock.advance(60 * NS_PER_MS)
    sink.wait_for(2)
    for count in range(3, 10):
        clock.advance(40 * NS_PER_MS)
        sink.wait_for(count)
    runner.close()
    assert all(again is shown for again in sink.pictures)
    status = runner.status
    assert (status.published, status.repeated) == (1, 8)
    assert ages == [0]


def test_nothing_is_repeated_without_a_cadence(run, clock: FakeClock) -> None:
    sink, slot = RecordingSink(), Latest[Picture]()
    runner = run(sink, slot)
    slot.offer(picture(1))
    sink.wait_for(1)
    clock.advance(NS_PER_S)
    slot.offer(picture(2))
    sink.wait_for(2)
    runner.close()
    assert [shown.number for shown in sink.pictures] == [1, 2]


def test_a_slow_sink_loses_pictures_but_only_its_own(run) -> None:
    entered, let_go = threading.Event(), threading.Event()

    def block(shown: Picture) -> None:
        entered.set()
        assert let_go.wait(WAIT_S)

    pictures = Broadcast[Picture]()
    slow, quick = RecordingSink("slow", on_publish=block), RecordingSink("quick")
    slow_runner, quick_runner = run(slow, pictures.subscribe()), run(quick, pictures.subscribe())
    pictures.offer(picture(0))
    assert entered.wait(WAIT_S)
    quick.wait_for(1)
    for number in range(1, 20):
        pictures.offer(picture(number))
        quick.wait_for(number + 1)
    assert quick_runner.status.dropped == 0
    assert slow_runner.status.dropped == 18
    let_go.set()
    assert [shown.number for shown in slow.wait_for(2)] == [0, 19]


def test_a_sink_that_fails_is_opened_again_and_logged_once(
    run, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    def fail_on_odd(shown: Picture) -> None:
        if shown.number % 2:
            raise DeviceError("the cable is out", "plug it in")

    sink, slot = RecordingSink(on_publish=fail_on_odd), Latest[Picture]()
    runner = run(sink, slot)
    for number in (1, 3, 5):
        slot.offer(picture(number))
        advance_until_openings(clock, sink, 2 + number // 2)
    lost = [record for record in caplog.records if "is lost" in record.message]
    assert len(lost) == 1
    slot.offer(picture(6))
    assert sink.wait_for(1)[0].number == 6
    runner.close()
    status = runner.status
    assert (status.published, status.dropped, status.error) == (1, 3, None)
    assert sum("works again" in record.message for record in caplog.records) == 1


def test_a_bug_in_a_sink_is_a_loss_like_any_other(run, clock: FakeClock) -> None:
    def fail_once(shown: Picture) -> None:
        if shown.number == 0:
            raise ZeroDivisionError("a bug")

    sink, slot = RecordingSink(on_publish=fail_once), Latest[Picture]()
    runner = run(sink, slot)
    slot.offer(picture(0))
    advance_until_openings(clock, sink, 2)
    slot.offer(picture(1))
    assert sink.wait_for(1)[0].number == 1
    assert runner.status.state is SinkState.RUNNING


def test_a_lost_sink_shows_its_error_and_closes_promptly(run) -> None:
    sink = RecordingSink(failed_openings=1000)
    runner = run(sink, Latest[Picture]())
    assert not runner.wait_open(WAIT_S)
    status = runner.status
    assert status.state is SinkState.LOST
    assert isinstance(status.error, DeviceError)
    runner.close()
    assert runner.status.state is SinkState.CLOSED


def test_after_reopening_the_last_picture_comes_at_once(run, clock: FakeClock) -> None:
    failures = iter([True])

    def fail_once(shown: Picture) -> None:
        if next(failures, False):
            raise DeviceError("gone", "wait")

    sink, slot = RecordingSink(cadence_fps=30.0, on_publish=fail_once), Latest[Picture]()
    run(sink, slot)
    slot.offer(picture(4))
    advance_until_openings(clock, sink, 2)
    assert sink.wait_for(1)[0].number == 4


def test_what_waits_is_published_before_the_sink_closes(run) -> None:
    entered, let_go = threading.Event(), threading.Event()

    def hold_the_first(shown: Picture) -> None:
        entered.set()
        assert let_go.wait(WAIT_S)

    sink, slot = RecordingSink(on_publish=hold_the_first), Lossless[Picture](capacity=8)
    runner = run(sink, slot)
    for number in range(6):
        assert slot.offer(picture(number), WAIT_S)
    assert entered.wait(WAIT_S)
    closing = threading.Thread(target=runner.close)
    closing.start()
    let_go.set()
    closing.join(WAIT_S)
    assert [shown.number for shown in sink.pictures] == list(range(6))
    assert sink.closings >= 1


def test_close_is_idempotent_and_harmless_before_start(clock: FakeClock) -> None:
    runner = SinkRunner(RecordingSink(), Latest[Picture](), STREAM, clock, lambda age_ns: None)
    runner.close()
    assert runner.status.state is SinkState.CLOSED
    started = SinkRunner(RecordingSink(), Latest[Picture](), STREAM, clock, lambda age_ns: None)
    started.start()
    started.close()
    started.close()
    assert started.status.state is SinkState.CLOSED


def test_a_driver_that_does_not_let_go_does_not_hold_close(run, caplog: pytest.LogCaptureFixture) -> None:
    entered, let_go = threading.Event(), threading.Event()

    def block(shown: Picture) -> None:
        entered.set()
        let_go.wait(WAIT_S)

    slot = Latest[Picture]()
    runner = run(RecordingSink(on_publish=block), slot)
    slot.offer(picture(0))
    assert entered.wait(WAIT_S)
    runner.close(timeout_s=0.01)
    assert "did not let go" in caplog.text
    let_go.set()
