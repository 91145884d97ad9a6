import sys
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest

from realtime.clock import NS_PER_S
from realtime.errors import DeviceError
from realtime.frame import Picture
from realtime.sinks.base import StreamInfo
from realtime.sinks.runner import SinkRunner, SinkState
from realtime.sinks.virtualcam import PRINTS_ERRORS, VirtualCameraSink, find_virtual_camera
from realtime.slot import Latest
from tests.fakes.clock import FakeClock
from tests.fakes.pictures import picture
from tests.fakes.virtual_camera import VirtualCameraStage, virtual_camera_stage
from tests.realtime.sinks.contract import SinkContract

STREAM = StreamInfo(64, 48, 30.0)
WAIT_S = 10.0


@pytest.fixture
def stage():
    with virtual_camera_stage() as stage:
        yield stage


class TestVirtualCameraSink(SinkContract):
    @pytest.fixture(autouse=True)
    def registered(self, stage: VirtualCameraStage) -> None:
        self.stage = stage

    def make(self, folder: Path) -> VirtualCameraSink:
        return VirtualCameraSink(backend=self.stage.backend)

    def make_broken(self, folder: Path) -> VirtualCameraSink:
        self.stage.refusal = "no such camera"
        return VirtualCameraSink(backend=self.stage.backend)


def shown(i420: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(i420, cv2.COLOR_YUV2BGR_I420)


def test_the_colours_arrive(stage: VirtualCameraStage) -> None:
    sink = VirtualCameraSink("My Camera", backend="fake")
    description = sink.open(STREAM)
    sink.publish(picture(colour=(30, 60, 220)))
    sink.close()
    assert description == "My Camera 64x48@30 (fake)"
    assert np.abs(shown(stage.frames[0]).astype(int) - (30, 60, 220)).max() <= 5


def test_the_size_stays_and_the_picture_is_letterboxed(stage: VirtualCameraStage) -> None:
    sink = VirtualCameraSink(backend="fake")
    sink.open(STREAM)
    sink.publish(picture(0, size=(64, 48), colour=(200, 200, 200)))
    sink.publish(picture(1, size=(24, 48), colour=(200, 200, 200)))
    sink.close()
    assert stage.sizes == [(64, 48)]
    letterboxed = shown(stage.frames[1])
    assert letterboxed[:, 20:44].min() > 190
    assert letterboxed[:, :20].max() < 5
    assert letterboxed[:, 44:].max() < 5


def test_odd_sizes_are_made_even(stage: VirtualCameraStage) -> None:
    sink = VirtualCameraSink(backend="fake")
    sink.open(StreamInfo(641, 361, 30.0))
    sink.publish(picture(size=(641, 361)))
    sink.close()
    assert stage.sizes == [(640, 360)]
    assert stage.frames[0].shape == (540, 640)


@pytest.mark.skipif(not PRINTS_ERRORS, reason="only Linux's backend prints its errors")
def test_a_failed_write_is_an_error_and_stays_off_the_terminal(
    stage: VirtualCameraStage, capfd: pytest.CaptureFixture[str]
) -> None:
    sink = VirtualCameraSink(backend="fake")
    sink.open(STREAM)
    stage.write_error = "error writing frame: No such device"
    with pytest.raises(DeviceError, match="No such device"):
        sink.publish(picture())
    stage.write_error = None
    sink.publish(picture())
    sink.close()
    assert capfd.readouterr().err == ""


@pytest.mark.skipif(not PRINTS_ERRORS, reason="only Linux's backend prints its errors")
def test_other_messages_on_stderr_are_neither_errors_nor_lost(
    stage: VirtualCameraStage, capfd: pytest.CaptureFixture[str]
) -> None:
    sink = VirtualCameraSink(backend="fake")
    sink.open(STREAM)
    stage.write_error = "a line of somebody else's log"
    sink.publish(picture())
    sink.close()
    assert capfd.readouterr().err == "a line of somebody else's log\n"


def test_a_picture_again_is_the_same_and_a_new_one_is_not(stage: VirtualCameraStage) -> None:
    sink = VirtualCameraSink(backend="fake")
    sink.open(STREAM)
    grey, white = picture(0, colour=(90, 90, 90)), picture(1, colour=(250, 250, 250))
    for given in (grey, grey, white, grey):
        sink.publish(given)
    sink.close()
    levels = [int(shown(frame).mean()) for frame in stage.frames]
    assert levels == pytest.approx([90, 90, 250, 90], abs=3)


def test_the_camera_is_closed_once(stage: VirtualCameraStage) -> None:
    sink = VirtualCameraSink(backend="fake")
    sink.open(STREAM)
    sink.close()
    sink.close()
    assert stage.closings == 1


def test_the_cadence_is_the_streams(stage: VirtualCameraStage) -> None:
    sink = VirtualCameraSink(backend="fake")
    sink.open(StreamInfo(64, 48, 24.0))
    assert sink.cadence_fps == 24.0
    sink.close()


@pytest.mark.skipif(not PRINTS_ERRORS, reason="only Linux's backend prints its errors")
def test_a_lost_camera_comes_back_in_its_runner(stage: VirtualCameraStage) -> None:
    clock, slot, published = FakeClock(), Latest[Picture](), threading.Event()
    sink = VirtualCameraSink(backend="fake")
    runner = SinkRunner(sink, slot, STREAM, clock, lambda age_ns: published.set())
    stage.write_error = "error writing frame: No such device"
    runner.start()
    try:
        assert runner.wait_open(WAIT_S)
        slot.offer(picture(0))
        for _ in range(500):
            if runner.status.state is SinkState.LOST:
                break
            published.wait(0.01)
        assert runner.status.state is SinkState.LOST
        stage.write_error = None
        slot.offer(picture(1))
        for _ in range(500):
            clock.advance(NS_PER_S)
            if published.wait(0.02):
                break
        assert published.is_set()
    finally:
        runner.close()
    assert len(stage.sizes) >= 2


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks Linux's own backend")
@pytest.mark.skipif(find_virtual_camera() is not None, reason="this machine has a virtual camera")
def test_without_a_virtual_camera_the_cure_is_named() -> None:
    with pytest.raises(DeviceError) as caught:
        VirtualCameraSink().open(STREAM)
    assert "modprobe v4l2loopback" in caught.value.hint
    assert "exclusive_caps=1" in caught.value.hint


@pytest.mark.parametrize(
    ("refusal", "cure"),
    [
        ("Device /dev/video10 is not a video output device", "other program"),
        ("Device /dev/video10 is already in use.", "end the other program"),
        ("Device /dev/video10 could not be opened due to missing permissions.", "usermod"),
        (
            "Virtual camera device /dev/video10 could not be configured: Device or resource busy",
            "another size",
        ),
    ],
)
def test_a_refusal_comes_with_its_cure(stage: VirtualCameraStage, refusal: str, cure: str) -> None:
    stage.refusal = refusal
    with pytest.raises(DeviceError, match="cannot be opened") as caught:
        VirtualCameraSink(backend="fake").open(STREAM)
    assert cure in caught.value.hint


@pytest.mark.device
@pytest.mark.skipif(find_virtual_camera() is None, reason="this machine has no virtual camera")
def test_a_real_virtual_camera_takes_pictures() -> None:
    sink = VirtualCameraSink()
    sink.open(StreamInfo(640, 360, 30.0))
    for number in range(10):
        sink.publish(picture(number, size=(640, 360)))
    sink.close()
