import os
from pathlib import Path

import pytest

from realtime.capture.enumerate import CAP_VIDEO_CAPTURE, CAP_VIDEO_OUTPUT, LOOPBACK_DRIVER, Capability
from realtime.capture.trouble import why_not_open

CAMERA = Capability("uvcvideo", "C920", CAP_VIDEO_CAPTURE)


@pytest.fixture
def node(tmp_path: Path) -> Path:
    node = tmp_path / "video0"
    node.touch()
    return node


def test_a_node_that_is_not_there(tmp_path: Path) -> None:
    error = why_not_open(str(tmp_path / "video7"))
    assert "there is no camera" in error.message
    assert "realtime devices" in error.hint


def test_a_node_that_is_no_camera(node: Path) -> None:
    assert "is no camera" in why_not_open(str(node), lambda _: None).message
    assert "is no camera" in why_not_open(str(node), lambda _: Capability("x", "x", 0)).message


def test_a_virtual_camera_that_is_not_fed(node: Path) -> None:
    idle = Capability(LOOPBACK_DRIVER, "Realtime", CAP_VIDEO_OUTPUT)
    assert "no program feeds" in why_not_open(str(node), lambda _: idle).message


def test_the_program_that_holds_it_is_named(node: Path, tmp_path: Path) -> None:
    proc = tmp_path / "proc"
    descriptors = proc / "4711" / "fd"
    descriptors.mkdir(parents=True)
    (proc / "4711" / "comm").write_text("obs\n")
    (descriptors / "5").symlink_to(node)
    (proc / "self").mkdir()
    assert "used by obs (pid 4711)" in why_not_open(str(node), lambda _: CAMERA, proc).message


def test_ourselves_are_not_to_blame(node: Path, tmp_path: Path) -> None:
    descriptors = tmp_path / "proc" / str(os.getpid()) / "fd"
    descriptors.mkdir(parents=True)
    (descriptors / "5").symlink_to(node)
    error = why_not_open(str(node), lambda _: CAMERA, tmp_path / "proc")
    assert "cannot be opened" in error.message


def test_a_node_that_this_user_may_not_use(node: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    error = why_not_open(str(node), lambda _: CAMERA)
    assert "may not use" in error.message
    assert "usermod" in error.hint


def test_a_camera_by_number(tmp_path: Path) -> None:
    error = why_not_open(1)
    assert "camera 1 cannot be opened" in error.message
    assert error.hint
