"""Which cameras and which virtual cameras this machine has.

On Linux by sysfs and one question to each node (VIDIOC_QUERYCAP, linux/videodev2.h); nothing is streamed, and
a machine without a camera is answered at once. Elsewhere OpenCV has no names to give: indices are tried.
"""

import os
import re
import struct
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = [
    "Camera",
    "Capability",
    "VirtualCamera",
    "list_cameras",
    "list_virtual_cameras",
    "query_capability",
]

SYSFS = Path("/sys/class/video4linux")
DEV = Path("/dev")
TRIED_INDICES = 5

VIDIOC_QUERYCAP = 0x80685600
CAPABILITY = struct.Struct("=16s32s32sIII12x")
"""struct v4l2_capability: driver, card, bus_info, version, capabilities, device_caps, reserved."""
CAP_VIDEO_CAPTURE = 0x00000001
CAP_VIDEO_OUTPUT = 0x00000002
CAP_VIDEO_CAPTURE_MPLANE = 0x00001000
LOOPBACK_DRIVER = "v4l2 loopback"

OBS_CLSID = "{A3FCE0F5-3493-419F-958A-ABA1250EC20B}"
UNITY_CAPTURE_CLSID = "{5C2CD55C-92AD-4999-8666-912BD3E70010}"
OBS_ON_MACOS = Path("/Applications/OBS.app")


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera that pictures can be read from."""

    index: int
    name: str
    node: str | None = None
    """On Linux, such as /dev/video0."""
    by_id: str | None = None
    """On Linux, a path that stays the same when cables are changed, where the system gives one."""


@dataclass(frozen=True, slots=True)
class VirtualCamera:
    """A camera that pictures can be sent to."""

    name: str
    node: str | None = None


@dataclass(frozen=True, slots=True)
class Capability:
    """What a V4L2 node says of itself."""

    driver: str
    card: str
    flags: int
    """Of this node (device_caps), not of the whole device."""

    @property
    def captures(self) -> bool:
        return bool(self.flags & (CAP_VIDEO_CAPTURE | CAP_VIDEO_CAPTURE_MPLANE))


Query = Callable[[Path], Capability | None]


def query_capability(node: Path) -> Capability | None:
    """Ask a V4L2 node what it is; None when it is none or may not be opened."""
    if sys.platform == "win32":
        return None
    import fcntl

    try:
        descriptor = os.open(node, os.O_RDWR | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        answer = fcntl.ioctl(descriptor, VIDIOC_QUERYCAP, bytes(CAPABILITY.size))
    except OSError:
        return None
    finally:
        os.close(descriptor)
    driver, card, _, _, _, device_caps = CAPABILITY.unpack(answer)
    return Capability(_text(driver), _text(card), device_caps)


def list_cameras(
    sysfs: Path = SYSFS, dev: Path = DEV, query: Query = query_capability, platform: str = sys.platform
) -> tuple[Camera, ...]:
    """The cameras by index; virtual cameras of v4l2loopback are left out, lest we film our own output.

    A node that may not be opened is listed when sysfs says that it is its device's first: metadata nodes of
    USB cameras come second.
    """
    if platform != "linux":
        return tuple(_tried())
    cameras = []
    for index, entry in _entries(sysfs):
        node = dev / entry.name
        capability = query(node)
        if capability is None:
            is_camera = node.exists() and not _is_loopback(entry) and _read(entry / "index") in ("", "0")
        else:
            is_camera = capability.captures and capability.driver != LOOPBACK_DRIVER
        if is_camera:
            name = _read(entry / "name") or (capability.card if capability else "") or f"camera {index}"
            cameras.append(Camera(index, name, str(node), _by_id(dev, node)))
    return tuple(cameras)


def list_virtual_cameras(
    sysfs: Path = SYSFS, dev: Path = DEV, query: Query = query_capability, platform: str = sys.platform
) -> tuple[VirtualCamera, ...]:
    """The virtual cameras that pyvirtualcam can feed, found without opening one for output."""
    if platform == "linux":
        return tuple(
            VirtualCamera(_read(entry / "name") or entry.name, str(dev / entry.name))
            for _, entry in _entries(sysfs)
            if _is_loopback(entry) or _has_loopback_driver(query(dev / entry.name))
        )
    if platform == "darwin":
        return (VirtualCamera("OBS Virtual Camera"),) if OBS_ON_MACOS.exists() else ()
    named = (("OBS Virtual Camera", OBS_CLSID), ("Unity Video Capture", UNITY_CAPTURE_CLSID))
    return tuple(VirtualCamera(name) for name, clsid in named if _is_registered(clsid))


def _has_loopback_driver(capability: Capability | None) -> bool:
    return capability is not None and capability.driver == LOOPBACK_DRIVER


def _is_loopback(entry: Path) -> bool:
    """Of v4l2loopback, by the attributes that only its nodes have in sysfs."""
    return (entry / "max_openers").exists() and (entry / "format").exists()


def _entries(sysfs: Path) -> Iterator[tuple[int, Path]]:
    numbered = []
    if sysfs.is_dir():
        for entry in sysfs.iterdir():
            if matched := re.fullmatch(r"video(\d+)", entry.name):
                numbered.append((int(matched[1]), entry))
    yield from sorted(numbered)


def _by_id(dev: Path, node: Path) -> str | None:
    folder = dev / "v4l" / "by-id"
    if folder.is_dir():
        for link in sorted(folder.iterdir()):
            if link.resolve() == node.resolve():
                return str(link)
    return None


def _tried() -> Iterator[Camera]:
    import cv2

    from realtime.capture.camera import platform_api, quiet_opencv

    quiet_opencv()
    for index in range(TRIED_INDICES):
        capture = cv2.VideoCapture(index, platform_api())
        if capture.isOpened():
            yield Camera(index, f"camera {index}")
        capture.release()


def _is_registered(clsid: str) -> bool:
    if sys.platform == "win32":
        import winreg

        try:
            winreg.CloseKey(winreg.OpenKey(winreg.HKEY_CLASSES_ROOT, rf"CLSID\{clsid}"))
        except OSError:
            return False
        return True
    return False


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""


def _text(raw: bytes) -> str:
    return raw.split(b"\0", 1)[0].decode(errors="replace")
