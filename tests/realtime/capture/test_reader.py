import logging
import threading

import pytest

from realtime.capture.base import Grab, Pixels
from realtime.capture.reader import Reader, ReaderState
from realtime.clock import NS_PER_MS, NS_PER_S
from realtime.errors import DeviceError
from realtime.frame import Frame
from tests.fakes.clock import FakeClock
from tests.fakes.scripted_source import Gate, Loss, ScriptedSource, Shot, shots

WAIT_S = 10.0


class Watch:
    """Collects what a reader offers, and waits for its announcements."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self.announced = 0

    def __call__(self) -> None:
        with self._condition:
            self.announced += 1
            self._condition.notify_all()

    def wait_for(self, count: int) -> None:
        with self._condition:
            assert self._condition.wait_for(lambda: self.announced >= count, WAIT_S), self.announced


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def started(clock: FakeClock):
    readers: list[Reader] = []

    def start(source: ScriptedSource) -> tuple[Reader, Watch]:
        watch = Watch()
        reader = Reader(source, clock, watch)
        readers.append(reader)
        reader.start()
        return reader, watch

    yield start
    for reader in readers:
        reader.close()


def taken(reader: Reader) -> Frame:
    frame = reader.take()
    assert frame is not None
    return frame


def advance_until(clock: FakeClock, event: threading.Event, step_ns: int = NS_PER_S) -> None:
    """Turn the clock until a thread that waits on it has set the event."""
    for _ in range(1000):
        if event.wait(0.02):
            return
        clock.advance(step_ns)
    raise AssertionError("the event never came")


def test_a_live_source_is_read_to_its_end_and_counted(started) -> None:
    source = ScriptedSource(shots(10))
    reader, watch = started(source)
    assert reader.wait_open(WAIT_S).description == "a script"
    watch.wait_for(11)
    frame = taken(reader)
    assert frame.seq == 9
    assert int(frame.bgr[0, 0, 0]) == 9
    assert reader.take() is None
    status = reader.status
    assert status.state is ReaderState.ENDED
    assert (status.captured, status.overwritten, status.reopened) == (10, 9, 0)
    assert status.error is None
    assert source.closed.wait(WAIT_S)


def test_a_clip_is_paced_by_its_own_time(started, clock: FakeClock) -> None:
    start_ns = clock.now_ns()
    reader, watch = started(ScriptedSource(shots(3, fps=25.0), live=False))
    watch.wait_for(1)
    assert taken(reader).captured_ns == start_ns
    clock.advance(39 * NS_PER_MS)
    assert reader.take() is None
    clock.advance(1 * NS_PER_MS)
    watch.wait_for(2)
    assert taken(reader).captured_ns == start_ns + 40 * NS_PER_MS
    clock.advance(40 * NS_PER_MS)
    watch.wait_for(4)
    assert taken(reader).seq == 2
    assert reader.status.state is ReaderState.ENDED


def test_the_rate_is_measured_not_claimed(started, clock: FakeClock) -> None:
    reader, watch = started(ScriptedSource(shots(20, fps=10.0), fps=60.0, live=False))
    for count in range(1, 20):
        watch.wait_for(count)
        clock.advance(100 * NS_PER_MS)
    watch.wait_for(20)
    assert reader.status.info is not None
    assert reader.status.info.fps == 60.0
    assert reader.status.measured_fps == pytest.approx(10.0, rel=0.1)


def test_unplugged_and_back(started, clock: FakeClock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    back = Gate()
    source = ScriptedSource([Shot(0, 1), Loss(failed_openings=2), back, Shot(0, 2), Shot(1, 3)])
    reader, watch = started(source)
    watch.wait_for(1)
    assert taken(reader).epoch == 0
    advance_until(clock, back.reached)
    lost = reader.status
    assert lost.state is ReaderState.LOST
    assert isinstance(lost.error, DeviceError)
    assert lost.last_frame_ns == 1_000_000_000
    assert source.openings == 4
    back.open()
    watch.wait_for(4)
    frame = taken(reader)
    assert (frame.seq, frame.epoch, int(frame.bgr[0, 0, 0])) == (2, 1, 3)
    status = reader.status
    assert status.state is ReaderState.ENDED
    assert status.error is None
    assert status.reopened == 1
    assert sum("is lost" in record.message for record in caplog.records) == 1
    assert sum("is back" in record.message for record in caplog.records) == 1


def test_the_waits_between_openings_grow(started, clock: FakeClock) -> None:
    back = Gate()
    source = ScriptedSource([Shot(), Loss(failed_openings=3), back])
    start_ns = clock.now_ns()
    _, watch = started(source)
    watch.wait_for(1)
    advance_until(clock, back.reached, step_ns=NS_PER_MS * 50)
    waited_ns = clock.now_ns() - start_ns
    assert 3.75 * NS_PER_S <= waited_ns <= 4.5 * NS_PER_S
    back.open()


def test_after_a_picture_the_waits_are_short_again(started, clock: FakeClock) -> None:
    gates = [Gate(), Gate()]
    source = ScriptedSource([Shot(), Loss(failed_openings=5), gates[0], Shot(), Loss(), gates[1]])
    _, watch = started(source)
    watch.wait_for(1)
    advance_until(clock, gates[0].reached)
    gates[0].open()
    watch.wait_for(2)
    lost_ns = clock.now_ns()
    advance_until(clock, gates[1].reached, step_ns=NS_PER_MS * 50)
    assert clock.now_ns() - lost_ns <= NS_PER_S
    gates[1].open()


def test_an_unexpected_error_of_a_live_source_is_a_loss_too(started, clock: FakeClock) -> None:
    again = Gate()
    source = ScriptedSource([Shot(), ValueError("a bug in a driver"), again, Shot()])
    reader, watch = started(source)
    watch.wait_for(1)
    advance_until(clock, again.reached)
    assert isinstance(reader.status.error, DeviceError)
    assert "a bug in a driver" in reader.status.error.message
    again.open()
    watch.wait_for(3)


def test_a_source_that_does_not_open_fails_with_its_reason(started) -> None:
    source = ScriptedSource(shots(3), failed_openings=1)
    reader, watch = started(source)
    with pytest.raises(DeviceError, match="does not open"):
        reader.wait_open(WAIT_S)
    watch.wait_for(1)
    assert reader.status.state is ReaderState.FAILED
    assert source.openings == 1


def test_a_clip_that_fails_is_not_opened_again(started) -> None:
    source = ScriptedSource([Shot(), Loss(), Shot()], live=False)
    reader, watch = started(source)
    watch.wait_for(2)
    assert reader.status.state is ReaderState.FAILED
    assert reader.status.error is not None
    assert source.openings == 1


def test_waiting_for_a_source_that_hangs_ends(clock: FakeClock) -> None:
    opening, let_go = threading.Event(), threading.Event()

    class Stuck(ScriptedSource):
        def open(self):
            opening.set()
            let_go.wait(WAIT_S)
            return super().open()

    reader = Reader(Stuck(), clock)
    reader.start()
    assert opening.wait(WAIT_S)
    with pytest.raises(DeviceError, match="did not open within"):
        reader.wait_open(0.01)
    let_go.set()
    reader.close()


def test_a_source_epoch_begins_a_frame_epoch(started) -> None:
    gates = [Gate() for _ in range(3)]
    source = ScriptedSource(
        [Shot(0, 0, 0), gates[0], Shot(1, 1, 0), gates[1], Shot(2, 2, 7), gates[2], Shot(3, 3, 8)]
    )
    reader, watch = started(source)
    epochs = []
    for count in range(1, 5):
        watch.wait_for(count)
        epochs.append(taken(reader).epoch)
        if count <= 3:
            gates[count - 1].open()
    assert epochs == [0, 0, 1, 2]


def test_the_size_may_change(started) -> None:
    gate = Gate()
    reader, watch = started(ScriptedSource([Shot(), gate, Shot(1, 5, size=(48, 16))]))
    watch.wait_for(1)
    assert taken(reader).bgr.shape == (24, 32, 3)
    gate.open()
    watch.wait_for(2)
    assert taken(reader).bgr.shape == (16, 48, 3)


def test_close_wakes_a_paced_reader_and_is_idempotent(clock: FakeClock) -> None:
    source = ScriptedSource(shots(1000), live=False)
    watch = Watch()
    reader = Reader(source, clock, watch)
    reader.start()
    watch.wait_for(1)
    reader.close()
    reader.close()
    assert source.closed.is_set()


def test_close_wakes_a_reader_that_waits_to_open_again(clock: FakeClock) -> None:
    source = ScriptedSource([Shot(), Loss(failed_openings=1000)])
    watch = Watch()
    reader = Reader(source, clock, watch)
    reader.start()
    watch.wait_for(1)
    reader.close()
    assert source.closed.is_set()


def test_close_before_start_closes_the_source(clock: FakeClock) -> None:
    source = ScriptedSource()
    Reader(source, clock).close()
    assert source.closed.is_set()


def test_a_driver_that_does_not_let_go_does_not_hold_close(
    clock: FakeClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("realtime.capture.reader.CLOSE_TIMEOUT_S", 0.01)
    reading, let_go = threading.Event(), threading.Event()

    class Stuck(ScriptedSource):
        def read(self, pixels: Pixels) -> Grab | None:
            reading.set()
            let_go.wait(WAIT_S)
            return None

    source = Stuck()
    reader = Reader(source, clock)
    reader.start()
    assert reading.wait(WAIT_S)
    reader.close()
    assert "did not let go" in caplog.text
    assert not source.closed.is_set()
    let_go.set()
    assert source.closed.wait(WAIT_S)


def test_the_age_of_a_frame_counts_from_the_driver_not_from_the_decoder(clock: FakeClock, started) -> None:
    reader, watch = started(ScriptedSource([Shot(late_ns=7 * NS_PER_MS), Gate()]))
    watch.wait_for(1)
    assert taken(reader).captured_ns == clock.now_ns() - 7 * NS_PER_MS
