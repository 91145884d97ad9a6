"""A camera that other programs see: v4l2loopback on Linux, OBS or Unity Capture elsewhere."""

import logging
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.capture.enumerate import list_virtual_cameras
from realtime.errors import DeviceError
from realtime.frame import Picture
from realtime.sinks.base import StreamInfo
from realtime.sinks.letterbox import Letterbox
from realtime.sinks.loopback import hand_back, revive
from realtime.sinks.remedy import virtual_camera_remedy
from realtime.sinks.stderr_capture import StderrCapture

__all__ = ["VirtualCameraSink", "find_virtual_camera"]

PRINTS_ERRORS = sys.platform == "linux"
"""The Linux backend prints a failed write(2) to descriptor 2 instead of raising."""
CURES = (
    ("already in use", "end the other program that feeds it"),
    ("not a video output device", "end the other program that feeds it (fuser -v /dev/video*)"),
    ("permissions", "sudo usermod -aG video $USER, then log out and in again"),
    ("could not be configured", "end the programs that show it: they hold it at another size"),
)
"""By what the Linux backend says when it refuses a node."""

log = logging.getLogger(__name__)


def find_virtual_camera() -> str | None:
    """The first virtual camera's node or name, looked up without opening it; None when there is none."""
    cameras = list_virtual_cameras()
    return cameras[0].node or cameras[0].name if cameras else None


class VirtualCameraSink:
    """Feeds a virtual camera frames of one size, fixed when it is opened, at a steady beat.

    Programs in a call keep the camera open: its size never changes, and they take a camera that falls
    silent for a broken one.
    """

    name = "virtualcam"

    def __init__(self, device: str | None = None, backend: str | None = None) -> None:
        """`device`: a node or a camera's name; `backend`: pyvirtualcam's. None takes the first that works."""
        self.cadence_fps: float | None = 30.0
        self._device = device
        self._backend = backend
        self._camera: Any = None
        self._stderr: StderrCapture | None = None
        self._converted: Picture | None = None
        """What `_i420` shows: a repeated picture is not converted again."""
        self._letterbox = Letterbox(2, 2)
        self._i420: NDArray[np.uint8] = np.empty((3, 2), np.uint8)

    def open(self, stream: StreamInfo) -> str:
        # Looked for in every run, opened in few: the import takes longer than the search.
        import pyvirtualcam

        self.close()
        width, height = max(2, stream.width & ~1), max(2, stream.height & ~1)
        self.cadence_fps = stream.fps
        self._letterbox = Letterbox(width, height)
        self._i420 = np.empty((height * 3 // 2, width), np.uint8)
        self._converted = None
        for node in self._nodes():
            revive(node)
        try:
            camera = pyvirtualcam.Camera(
                width,
                height,
                stream.fps,
                fmt=pyvirtualcam.PixelFormat.I420,
                device=self._device,
                backend=self._backend,
            )
        except Exception as error:
            raise self._refused(error) from error
        self._camera = camera
        self._stderr = StderrCapture(_is_of_the_backend) if PRINTS_ERRORS else None
        return f"{camera.device} {width}x{height}@{stream.fps:g} ({camera.backend})"

    def publish(self, picture: Picture) -> None:
        camera, stderr = self._camera, self._stderr
        if camera is None:
            raise DeviceError("the virtual camera is not open", "open it before publishing")
        if picture is not self._converted:
            cv2.cvtColor(self._letterbox.fit(picture.bgr), cv2.COLOR_BGR2YUV_I420, dst=self._i420)
            self._converted = picture
        try:
            with stderr.turned() if stderr else nullcontext():
                camera.send(self._i420)
        except Exception as error:
            raise _took_nothing(str(error)) from error
        lines = stderr.lines() if stderr else []
        if lines:
            raise _took_nothing(lines[-1])

    def close(self) -> None:
        self._converted = None
        camera, self._camera = self._camera, None
        if camera is not None:
            try:
                node = camera.device
                camera.close()
            except Exception:
                log.exception("the virtual camera did not close well")
            else:
                if node.startswith("/dev/"):
                    hand_back(Path(node))
        if self._stderr is not None:
            self._stderr.close()
            self._stderr = None

    def _nodes(self) -> list[Path]:
        """The nodes that may be opened, on Linux."""
        if self._device is not None:
            return [Path(self._device)] if self._device.startswith("/dev/") else []
        return [Path(camera.node) for camera in list_virtual_cameras() if camera.node]

    def _refused(self, error: Exception) -> DeviceError:
        named = f"the virtual camera {self._device}" if self._device else "a virtual camera"
        reason = " ".join(str(error).split()).rstrip(".")
        cure = next((cure for sign, cure in CURES if sign in reason), virtual_camera_remedy())
        return DeviceError(f"{named} cannot be opened: {reason}", cure)


def _took_nothing(reason: str) -> DeviceError:
    return DeviceError(f"the virtual camera took no picture: {reason}", virtual_camera_remedy())


def _is_of_the_backend(line: str) -> bool:
    return "error writing frame" in line.lower()
