"""A camera, through OpenCV: V4L2 on Linux, DirectShow on Windows, AVFoundation on macOS."""

import logging
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.capture.base import Grab, Pixels, SourceInfo
from realtime.capture.enumerate import Camera, list_cameras
from realtime.capture.trouble import why_not_open
from realtime.clock import NS_PER_S
from realtime.errors import DeviceError

__all__ = ["CameraSource", "Capture", "first_working_camera", "platform_api", "quiet_opencv"]

READ_TIMEOUT_NS = 2 * NS_PER_S
BUFFERS = 2
"""One being filled while the other is decoded. With one, a USB camera has nowhere to put the next frame
meanwhile and skips it; the thread that reads never lets more than one wait."""
MJPG = cv2.VideoWriter.fourcc(*"MJPG")
"""USB 2 has no room for uncompressed 1280x720 at 30 frames a second."""

log = logging.getLogger(__name__)


class Capture(Protocol):
    """The part of `cv2.VideoCapture` that is used."""

    def isOpened(self) -> bool: ...
    def grab(self) -> bool: ...
    def retrieve(self, image: NDArray[np.uint8] | None = None, /) -> tuple[bool, NDArray[np.uint8]]: ...
    def get(self, prop: int, /) -> float: ...
    def getBackendName(self) -> str: ...
    def release(self) -> None: ...


OpenCapture = Callable[[int | str, int, list[int]], Capture]


def platform_api(platform: str = sys.platform) -> int:
    """OpenCV's capture backend for this system.

    On Windows DirectShow, whose order of cameras is the one that users see; Media Foundation has another.
    """
    apis = {"linux": cv2.CAP_V4L2, "darwin": cv2.CAP_AVFOUNDATION, "win32": cv2.CAP_DSHOW}
    return apis.get(platform, cv2.CAP_ANY)


def quiet_opencv() -> None:
    """Keep OpenCV's own messages off the terminal: what matters is raised with a cure."""
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


class CameraSource:
    """A camera by index ("0"), by node ("/dev/video0") or by a part of its name ("c920")."""

    def __init__(
        self,
        device: str,
        width: int,
        height: int,
        fps: float,
        open_capture: OpenCapture | None = None,
        cameras: Callable[[], tuple[Camera, ...]] = list_cameras,
    ) -> None:
        """`width`, `height` and `fps` are asked for; the camera may give others."""
        self._device = device
        self._asked = (width, height, fps)
        self._open_capture = open_capture or _open_capture
        self._cameras = cameras
        self._capture: Capture | None = None
        self._lock = threading.Lock()
        """Held while OpenCV is at work: it does not bear being released meanwhile."""
        self._target: int | str = 0
        self._shape = (0, 0, 3)
        self._started_ns = 0
        self._last_media_ns = -1

    def open(self) -> SourceInfo:
        self.close()
        quiet_opencv()
        camera = self._find()
        self._target = target = camera.node or camera.index
        with self._lock:
            capture = self._opened(target)
            if capture is None:
                raise why_not_open(target)
            grabbed, first = _first_picture(capture)
            if not grabbed:
                capture.release()
                raise DeviceError(
                    f"{camera.name} ({target}) opens but gives no picture",
                    "end the program that uses it, or unplug it and plug it in again; or choose another",
                )
            self._capture = capture
        self._shape = first.shape
        self._started_ns = time.monotonic_ns()
        self._last_media_ns = -1
        height, width = first.shape[:2]
        claimed_fps = capture.get(cv2.CAP_PROP_FPS)
        fps = claimed_fps if 1.0 <= claimed_fps <= 1000.0 else 30.0
        description = f"{camera.name}, {width}x{height} {_fourcc(capture)}".rstrip()
        return SourceInfo(f"camera:{self._device}", description, width, height, fps, live=True)

    def read(self, pixels: Pixels) -> Grab | None:
        with self._lock:
            capture = self._capture
            if capture is None:
                raise DeviceError("the camera is not open", "open it before reading")
            if not _await_picture(capture) or not capture.grab():
                raise self._lost()
            grabbed_ns = time.monotonic_ns()
            media_ns = max(grabbed_ns - self._started_ns, self._last_media_ns + 1)
            buffer = pixels(self._shape)
            retrieved, bgr = capture.retrieve(buffer)
            if not retrieved:
                raise self._lost()
        self._last_media_ns = media_ns
        self._shape = bgr.shape
        late_ns = time.monotonic_ns() - grabbed_ns
        return Grab(np.ascontiguousarray(bgr), media_ns, late_ns=late_ns)

    def close(self) -> None:
        with self._lock:
            capture, self._capture = self._capture, None
            if capture is not None:
                try:
                    capture.release()
                except Exception:
                    log.exception("the camera did not close well")

    def _find(self) -> Camera:
        device = self._device
        if device.startswith("/"):
            names = {camera.node: camera for camera in self._cameras()}
            return names.get(device) or Camera(-1, Path(device).name, device)
        if device.isdecimal():
            index = int(device)
            node = f"/dev/video{index}" if sys.platform.startswith("linux") else None
            known = {camera.index: camera for camera in self._cameras()} if node else {}
            return known.get(index) or Camera(index, f"camera {index}", node)
        cameras = self._cameras()
        for camera in cameras:
            if device.lower() in camera.name.lower():
                return camera
        names_there = ", ".join(f"{camera.index}: {camera.name}" for camera in cameras) or "none"
        raise DeviceError(
            f"no camera is named {device!r}", f"cameras here: {names_there}; see realtime devices"
        )

    def _opened(self, target: int | str) -> Capture | None:
        """Open with MJPG at the size asked for, or else as the camera likes.

        DirectShow fixes the pixel format at open, so it is asked for then; a camera that cannot do what is
        asked refuses to open at all.
        """
        for wishes in _wishes(*self._asked):
            capture = self._open_capture(target, platform_api(), wishes)
            if capture.isOpened():
                return capture
            capture.release()
        return None

    def _lost(self) -> DeviceError:
        if isinstance(self._target, str) and not Path(self._target).exists():
            return DeviceError(f"the camera {self._target} was unplugged", "plug it in again; it is reopened")
        return DeviceError(
            f"the camera {self._target} gives no pictures any more", "plug it in again; it is reopened"
        )


def first_working_camera() -> int | None:
    """The index of the first camera that gives a picture, or None; a few milliseconds where there is none."""
    for camera in list_cameras():
        source = CameraSource(camera.node or str(camera.index), 640, 480, 30.0)
        try:
            source.open()
        except DeviceError as error:
            log.info("%s is passed over: %s", camera.name, error.message)
        else:
            return camera.index
        finally:
            source.close()
    return None


def _wishes(width: int, height: int, fps: float, platform: str = sys.platform) -> list[list[int]]:
    """OpenCV's parameters for opening, the best first: pairs of property and value."""
    size = [cv2.CAP_PROP_FRAME_WIDTH, width, cv2.CAP_PROP_FRAME_HEIGHT, height]
    rate = [cv2.CAP_PROP_FPS, round(fps)]
    compressed = [cv2.CAP_PROP_FOURCC, MJPG]
    if platform == "linux":
        buffers = [cv2.CAP_PROP_BUFFERSIZE, BUFFERS]
        return [compressed + size + rate + buffers, size + rate + buffers, size + buffers, buffers, []]
    if platform == "darwin":
        return [size + rate, size, []]
    return [compressed + size + rate, size + rate, size, []]


def _open_capture(target: int | str, api: int, wishes: list[int]) -> Capture:
    if isinstance(target, int):
        return cast(Capture, cv2.VideoCapture(target, api, wishes))
    return cast(Capture, cv2.VideoCapture(target, api, wishes))


def _first_picture(capture: Capture) -> tuple[bool, NDArray[np.uint8]]:
    """The picture that tells the true size: what a camera claims is not always what it sends."""
    if _await_picture(capture) and capture.grab():
        return capture.retrieve()
    return False, np.empty((0, 0, 3), np.uint8)


def _await_picture(capture: Capture) -> bool:
    """Wait at most 2 s where OpenCV can be told so; its own limit under V4L2 is 10 s.

    `waitAny` fetches the picture, and the `grab` that follows hands over that one.
    """
    if capture.getBackendName() != "V4L2":
        return True
    try:
        ready, _ = cv2.VideoCapture.waitAny([cast(cv2.VideoCapture, capture)], READ_TIMEOUT_NS)
    except cv2.error as error:
        log.debug("the camera cannot be waited for: %s", error)
        return False
    return ready


def _fourcc(capture: Capture) -> str:
    code = int(capture.get(cv2.CAP_PROP_FOURCC))
    text = "".join(chr(code >> shift & 0xFF) for shift in (0, 8, 16, 24))
    return text if text.isalnum() else ""
