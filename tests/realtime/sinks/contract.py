"""What every sink keeps to, alone and in its runner. Subclass `SinkContract` and say how to make one."""

import threading
from pathlib import Path

import pytest

from realtime.clock import NS_PER_S
from realtime.errors import DeviceError
from realtime.frame import Picture, PictureKind
from realtime.sinks.base import Sink, StreamInfo
from realtime.sinks.runner import SinkRunner, SinkState
from realtime.slot import Latest, Lossless
from tests.fakes.clock import FakeClock
from tests.fakes.pictures import picture

__all__ = ["SinkContract"]

STREAM = StreamInfo(64, 48, 30.0)
WAIT_S = 20.0


class SinkContract:
    """Override `make`, and `make_broken` for a sink whose `open` fails."""

    def make(self, folder: Path) -> Sink:
        """A new sink, not yet open. `folder` is its own, empty."""
        raise AssertionError("the subclass makes the sink")

    def make_broken(self, folder: Path) -> Sink | None:
        """A sink that cannot be opened; None when this kind always opens."""
        return None

    @pytest.fixture
    def sink(self, tmp_path: Path):
        sink = self.make(tmp_path)
        yield sink
        sink.close()

    @staticmethod
    def picture(number: int, size: tuple[int, int] = (64, 48)) -> Picture:
        return picture(number, size=size, captured_ns=number * NS_PER_S // 30)

    def test_it_has_a_name_and_a_cadence(self, sink: Sink) -> None:
        assert sink.name
        assert sink.name == sink.name.strip().lower()
        assert sink.cadence_fps is None or sink.cadence_fps > 0

    def test_open_publish_close(self, sink: Sink) -> None:
        assert sink.open(STREAM)
        for number in range(3):
            sink.publish(self.picture(number))
        sink.close()

    def test_close_is_idempotent(self, sink: Sink) -> None:
        sink.open(STREAM)
        sink.publish(self.picture(0))
        sink.close()
        sink.close()

    def test_close_before_open_is_harmless(self, sink: Sink) -> None:
        sink.close()
        sink.open(STREAM)
        sink.publish(self.picture(0))

    def test_close_without_a_picture(self, sink: Sink) -> None:
        sink.open(STREAM)
        sink.close()

    def test_it_opens_again_after_close(self, sink: Sink) -> None:
        sink.open(STREAM)
        sink.publish(self.picture(0))
        sink.close()
        sink.open(STREAM)
        sink.publish(self.picture(1))

    @pytest.mark.parametrize("size", [(32, 24), (128, 96), (48, 64), (640, 30), (65, 49), (2, 2)])
    def test_a_picture_of_another_size_is_taken(self, sink: Sink, size: tuple[int, int]) -> None:
        sink.open(STREAM)
        sink.publish(self.picture(0))
        sink.publish(self.picture(1, size))
        sink.publish(self.picture(2))

    def test_odd_sizes_are_taken(self, sink: Sink) -> None:
        sink.open(StreamInfo(65, 49, 30.0))
        sink.publish(self.picture(0, (65, 49)))

    def test_the_picture_is_not_changed(self, sink: Sink) -> None:
        sink.open(STREAM)
        shown = self.picture(0)
        before = shown.bgr.copy()
        sink.publish(shown)
        sink.publish(shown)
        assert (shown.bgr == before).all()
        assert not shown.bgr.flags.writeable

    def test_every_kind_of_picture_is_taken(self, sink: Sink) -> None:
        sink.open(STREAM)
        for number, kind in enumerate(PictureKind):
            sink.publish(picture(number, captured_ns=number * NS_PER_S // 30, kind=kind))

    def test_its_runner_publishes_and_closes_it(self, sink: Sink) -> None:
        slot: Lossless[Picture] = Lossless()
        ages: list[int] = []
        published = threading.Event()

        def record(age_ns: int) -> None:
            ages.append(age_ns)
            if len(ages) == 5:
                published.set()

        runner = SinkRunner(sink, slot, STREAM, FakeClock(), record)
        runner.start()
        try:
            for number in range(5):
                assert slot.offer(self.picture(number), WAIT_S)
            assert published.wait(WAIT_S)
            status = runner.status
            assert status.name == sink.name
            assert status.state is SinkState.RUNNING
            assert status.description
            assert status.error is None
        finally:
            runner.close()
        assert runner.status.state is SinkState.CLOSED
        assert runner.status.published == 5

    def test_a_sink_that_does_not_open_says_why_and_its_runner_goes_on(self, tmp_path: Path) -> None:
        sink = self.make_broken(tmp_path)
        if sink is None:
            return
        with pytest.raises(DeviceError) as caught:
            sink.open(STREAM)
        assert caught.value.message
        assert caught.value.hint
        sink.close()
        runner = SinkRunner(sink, Latest(), STREAM, FakeClock(), lambda age_ns: None)
        runner.start()
        try:
            assert not runner.wait_open(WAIT_S)
            assert runner.status.state is SinkState.LOST
            assert isinstance(runner.status.error, DeviceError)
        finally:
            runner.close()
        assert runner.status.state is SinkState.CLOSED
