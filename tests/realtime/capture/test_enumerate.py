import time
from pathlib import Path

import pytest

from realtime.capture.enumerate import (
    CAP_VIDEO_CAPTURE,
    CAP_VIDEO_OUTPUT,
    LOOPBACK_DRIVER,
    Camera,
    Capability,
    VirtualCamera,
    list_cameras,
    list_virtual_cameras,
    query_capability,
)

METADATA = 0x00800000


class Machine:
    """A sysfs and a /dev of plain files, and what its nodes answer."""

    def __init__(self, folder: Path) -> None:
        self.sysfs, self.dev = folder / "sys", folder / "dev"
        self.sysfs.mkdir()
        self.dev.mkdir()
        self._answers: dict[str, Capability | None] = {}

    def add(
        self, number: int, name: str, answer: Capability | None, *, place: int = 0, loopback: bool = False
    ):
        entry = self.sysfs / f"video{number}"
        entry.mkdir()
        (entry / "name").write_text(f"{name}\n")
        (entry / "index").write_text(f"{place}\n")
        if loopback:
            (entry / "max_openers").write_text("10\n")
            (entry / "format").write_text("\n")
        (self.dev / f"video{number}").touch()
        self._answers[f"video{number}"] = answer

    def cameras(self) -> tuple[Camera, ...]:
        return list_cameras(self.sysfs, self.dev, lambda node: self._answers[node.name], "linux")

    def virtual(self) -> tuple[VirtualCamera, ...]:
        return list_virtual_cameras(self.sysfs, self.dev, lambda node: self._answers[node.name], "linux")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def usb(flags: int = CAP_VIDEO_CAPTURE) -> Capability:
    return Capability("uvcvideo", "C920", flags)


def test_cameras_come_by_number_with_their_names(machine: Machine) -> None:
    machine.add(10, "Second", usb())
    machine.add(2, "First", usb())
    assert [(camera.index, camera.name) for camera in machine.cameras()] == [(2, "First"), (10, "Second")]
    assert machine.cameras()[0].node == str(machine.dev / "video2")


def test_metadata_nodes_are_no_cameras(machine: Machine) -> None:
    machine.add(0, "C920", usb())
    machine.add(1, "C920", usb(METADATA), place=1)
    assert [camera.index for camera in machine.cameras()] == [0]


def test_our_own_output_is_never_offered_as_a_camera(machine: Machine) -> None:
    both = Capability(LOOPBACK_DRIVER, "Realtime", CAP_VIDEO_CAPTURE | CAP_VIDEO_OUTPUT)
    machine.add(10, "Realtime", both, loopback=True)
    machine.add(11, "Locked", None, loopback=True)
    assert machine.cameras() == ()
    assert machine.virtual() == (
        VirtualCamera("Realtime", str(machine.dev / "video10")),
        VirtualCamera("Locked", str(machine.dev / "video11")),
    )


def test_a_loopback_is_known_by_its_driver_too(machine: Machine) -> None:
    machine.add(10, "Realtime", Capability(LOOPBACK_DRIVER, "Realtime", CAP_VIDEO_OUTPUT))
    assert machine.cameras() == ()
    assert [camera.name for camera in machine.virtual()] == ["Realtime"]


def test_a_camera_is_no_virtual_camera(machine: Machine) -> None:
    machine.add(0, "C920", usb())
    assert machine.virtual() == ()


def test_a_camera_that_may_not_be_opened_is_listed(machine: Machine) -> None:
    machine.add(0, "C920", None)
    machine.add(1, "C920", None, place=1)
    assert [camera.index for camera in machine.cameras()] == [0]


def test_the_lasting_name_is_found(machine: Machine) -> None:
    machine.add(0, "C920", usb())
    folder = machine.dev / "v4l" / "by-id"
    folder.mkdir(parents=True)
    (folder / "usb-Logitech-index0").symlink_to("../../video0")
    assert machine.cameras()[0].by_id == str(folder / "usb-Logitech-index0")


def test_a_machine_without_video_answers_at_once(tmp_path: Path) -> None:
    started = time.monotonic()
    assert list_cameras(tmp_path / "none", tmp_path, platform="linux") == ()
    assert list_virtual_cameras(tmp_path / "none", tmp_path, platform="linux") == ()
    assert time.monotonic() - started < 1.0


def test_what_is_no_video_node_has_no_capability(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert query_capability(tmp_path / "file") is None
    assert query_capability(tmp_path / "nothing") is None
    assert query_capability(Path("/dev/null")) is None
