import argparse
import json

import pytest

from models.runtime.inventory import Standing, State
from models.runtime.place import Place
from realtime.capture.enumerate import Camera, VirtualCamera
from realtime.commands import devices as command
from realtime.commands.devices import devices


def run(capsys: pytest.CaptureFixture[str], as_json: bool) -> str:
    assert devices(argparse.Namespace(json=as_json)) == 0
    return capsys.readouterr().out


@pytest.fixture
def equipped(monkeypatch: pytest.MonkeyPatch) -> None:
    camera = Camera(2, "Logitech C920", "/dev/video2", "/dev/v4l/by-id/usb-Logitech")
    monkeypatch.setattr(command, "list_cameras", lambda: (camera,))
    monkeypatch.setattr(command, "list_virtual_cameras", lambda: (VirtualCamera("Realtime", "/dev/video10"),))


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "list_cameras", lambda: ())
    monkeypatch.setattr(command, "list_virtual_cameras", lambda: ())


@pytest.mark.usefixtures("equipped")
def test_everything_is_named_as_it_is_used(capsys: pytest.CaptureFixture[str]) -> None:
    printed = run(capsys, as_json=False)
    assert "camera:2" in printed
    assert "Logitech C920 (/dev/video2, /dev/v4l/by-id/usb-Logitech)" in printed
    assert "/dev/video10" in printed
    assert "openvino" in printed


@pytest.mark.usefixtures("bare")
def test_what_is_missing_comes_with_its_cure(capsys: pytest.CaptureFixture[str]) -> None:
    printed = run(capsys, as_json=False)
    assert "still:" in printed
    assert "install" in printed


@pytest.mark.usefixtures("equipped")
def test_programs_get_json(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(run(capsys, as_json=True))
    assert found["cameras"][0]["node"] == "/dev/video2"
    assert found["virtual_cameras"] == [{"name": "Realtime", "node": "/dev/video10"}]
    assert found["backends"]["openvino"]["installed"] is True
    places = {place["name"]: place for place in found["places"]}
    assert places["openvino/CPU"]["state"] == "works"
    assert places["onnx/CANN"]["cure"]
    assert found["backends"]["onnx"]["install"].startswith("pip install")


def test_this_machine_can_be_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert "cameras" in run(capsys, as_json=False)


@pytest.mark.usefixtures("bare")
def test_each_backend_and_device_works_or_says_why_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    standings = (
        Standing(Place("openvino", "CPU"), State.WORKS, "Toy CPU"),
        Standing(Place("onnx", "CUDA"), State.FAILS, "the driver is missing", "install it"),
    )
    monkeypatch.setattr(command, "survey", lambda: iter(standings))
    printed = run(capsys, as_json=False).splitlines()
    at = printed.index("  openvino/CPU        works: Toy CPU")
    assert printed[at + 1 :] == [
        "  onnx/CUDA           fails: the driver is missing",
        "                      -> install it",
    ]
