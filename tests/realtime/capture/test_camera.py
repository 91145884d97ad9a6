import sys
from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from realtime.capture.camera import BUFFERS, MJPG, CameraSource, first_working_camera, platform_api
from realtime.capture.enumerate import Camera, list_cameras
from realtime.capture.reader import Reader
from realtime.clock import MonotonicClock
from realtime.errors import DeviceError
from tests.fakes.video_capture import FakeDevice
from tests.realtime.capture.contract import SourceContract, fresh

DESK = (Camera(0, "Logitech C920", "/dev/video0"), Camera(2, "Integrated Camera", "/dev/video2"))
ON_LINUX = sys.platform.startswith("linux")


def camera(device: FakeDevice, name: str = "0", size: tuple[int, int] = (64, 48)) -> CameraSource:
    return CameraSource(name, *size, 30.0, open_capture=device.open, cameras=lambda: DESK)


class TestCameraSource(SourceContract):
    endless = True

    def make(self) -> CameraSource:
        return camera(FakeDevice())


@pytest.fixture
def device() -> Iterator[FakeDevice]:
    device = FakeDevice()
    yield device
    assert device.open_captures == 0, "a capture was not released"


def test_mjpg_the_size_and_the_rate_are_asked_for_at_open(device: FakeDevice) -> None:
    source = camera(device, size=(1280, 720))
    source.open()
    source.close()
    (asked,) = device.asked
    assert asked[cv2.CAP_PROP_FRAME_WIDTH] == 1280
    assert asked[cv2.CAP_PROP_FRAME_HEIGHT] == 720
    assert asked[cv2.CAP_PROP_FPS] == 30
    if ON_LINUX:
        assert asked[cv2.CAP_PROP_FOURCC] == MJPG
        assert asked[cv2.CAP_PROP_BUFFERSIZE] == BUFFERS


@pytest.mark.skipif(not ON_LINUX, reason="other systems are asked for other things")
@pytest.mark.parametrize(
    "refused", [{cv2.CAP_PROP_FOURCC}, {cv2.CAP_PROP_FPS}, {cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FOURCC}]
)
def test_a_camera_that_cannot_do_it_is_opened_as_it_likes(refused: set[int]) -> None:
    device = FakeDevice(refused=frozenset(refused))
    source = camera(device)
    source.open()
    source.close()
    assert not refused & device.asked[-1].keys()
    assert len(device.asked) > 1
    assert device.open_captures == 0


def test_the_size_is_what_comes_not_what_was_asked(device: FakeDevice) -> None:
    device.size = (80, 60)
    source = camera(device, size=(1280, 720))
    info = source.open()
    source.close()
    assert (info.width, info.height, info.live) == (80, 60, True)
    assert info.description == ("Logitech C920, 80x60 MJPG" if ON_LINUX else "camera 0, 80x60 MJPG")


def test_pictures_are_read_into_the_buffer_lent(device: FakeDevice) -> None:
    source = camera(device)
    source.open()
    lent = []

    def pixels(shape: tuple[int, ...]) -> np.ndarray:
        lent.append(fresh(shape))
        return lent[-1]

    grab = source.read(pixels)
    source.close()
    assert grab is not None
    assert grab.bgr is lent[0]


def test_a_size_that_changes_is_followed(device: FakeDevice) -> None:
    source = camera(device)
    source.open()
    device.size = (32, 24)
    shapes = [source.read(fresh).bgr.shape for _ in range(2)]
    source.close()
    assert shapes == [(24, 32, 3)] * 2


@pytest.mark.parametrize(("name", "index"), [("integrated", 2), ("C920", 0)])
def test_a_camera_is_found_by_a_part_of_its_name(device: FakeDevice, name: str, index: int) -> None:
    source = camera(device, name)
    source.open()
    source.close()
    assert device.targets == [f"/dev/video{index}"]


def test_a_camera_is_found_by_its_node(device: FakeDevice) -> None:
    source = camera(device, "/dev/video2")
    assert "Integrated Camera" in source.open().description
    source.close()


def test_an_unknown_name_is_told_who_is_there(device: FakeDevice) -> None:
    with pytest.raises(DeviceError, match="no camera is named 'brio'") as caught:
        camera(device, "brio").open()
    assert "Logitech C920" in caught.value.hint


def test_a_camera_that_does_not_open_says_so() -> None:
    device = FakeDevice()
    device.plugged = False
    with pytest.raises(DeviceError) as caught:
        camera(device).open()
    assert caught.value.hint


def test_a_camera_that_sends_nothing_is_not_kept_open(device: FakeDevice) -> None:
    device.sends = False
    with pytest.raises(DeviceError, match="gives no picture"):
        camera(device).open()


def test_an_unplugged_camera_is_lost_and_comes_back(device: FakeDevice) -> None:
    source = camera(device)
    source.open()
    device.plugged = False
    with pytest.raises(DeviceError) as caught:
        source.read(fresh)
    assert "plug it in again" in caught.value.hint
    device.plugged = True
    source.open()
    assert source.read(fresh) is not None
    source.close()


def test_each_system_has_its_backend() -> None:
    assert platform_api("linux") == cv2.CAP_V4L2
    assert platform_api("darwin") == cv2.CAP_AVFOUNDATION
    assert platform_api("win32") == cv2.CAP_DSHOW
    assert platform_api("plan9") == cv2.CAP_ANY


@pytest.mark.skipif(not ON_LINUX, reason="the node's path is Linux's")
def test_opencv_itself_is_silent_about_a_missing_camera(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(DeviceError, match="there is no camera /dev/video987"):
        CameraSource("/dev/video987", 64, 48, 30.0).open()
    captured = capfd.readouterr()
    assert (captured.out, captured.err) == ("", "")


@pytest.mark.skipif(not ON_LINUX or bool(list_cameras()), reason="this machine has cameras, or is not Linux")
def test_without_a_camera_there_is_no_first() -> None:
    assert first_working_camera() is None


@pytest.mark.device
@pytest.mark.skipif(ON_LINUX and not list_cameras(), reason="this machine has no camera")
def test_a_real_camera_is_read() -> None:
    index = first_working_camera()
    if index is None:
        pytest.skip("no camera of this machine gives a picture")
    reader = Reader(CameraSource(str(index), 640, 480, 30.0), MonotonicClock())
    reader.start()
    try:
        assert reader.wait_open(20).live
    finally:
        reader.close()
