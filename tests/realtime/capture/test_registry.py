import importlib
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.capture.camera import CameraSource
from realtime.capture.file import FileSource
from realtime.capture.registry import SOURCES, SourceUri, open_source, parse_source
from realtime.errors import ConfigError, DeviceError, RealtimeError
from tests.fakes.clips import make_clip

ASKED = {"width": 64, "height": 48, "fps": 25.0}


@pytest.mark.parametrize(
    ("uri", "scheme", "rest"),
    [
        ("camera:0", "camera", "0"),
        ("camera:", "camera", ""),
        ("camera:Logitech C920", "camera", "Logitech C920"),
        ("CAMERA:1", "camera", "1"),
        ("/dev/video0", "camera", "/dev/video0"),
        ("camera:/dev/v4l/by-id/x", "camera", "/dev/v4l/by-id/x"),
        ("file:clip.mp4", "file", "clip.mp4"),
        ("file:C:\\clips\\a.mp4", "file", "C:\\clips\\a.mp4"),
        ("still:", "still", ""),
        ("still:portrait.png", "still", "portrait.png"),
        ("testcard:", "testcard", ""),
    ],
)
def test_names_are_taken_apart(uri: str, scheme: str, rest: str) -> None:
    assert parse_source(uri) == SourceUri(scheme, rest)


def test_a_path_of_a_file_needs_no_scheme(tmp_path: Path) -> None:
    for name in ("clip.mp4", "no suffix", "odd:name.mp4"):
        (tmp_path / name).touch()
        assert parse_source(str(tmp_path / name)) == SourceUri("file", str(tmp_path / name))


def test_a_path_that_is_not_there_is_a_device_error() -> None:
    with pytest.raises(DeviceError, match="there is no clip") as caught:
        parse_source("nowhere.mp4")
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    ("uri", "meant"), [("camra:0", "camera:"), ("files:a.mp4", "file:"), ("test-card:", "testcard:")]
)
def test_an_unknown_name_is_told_the_nearest(uri: str, meant: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_source(uri)
    assert f"did you mean {meant}?" in caught.value.hint
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("uri", ["http://example.org/a.mp4", "rtsp://camera/1", "zzz:", "whip:", "", "  "])
def test_what_is_no_source_is_told_what_is(uri: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_source(uri)
    assert "testcard:" in caught.value.hint


@pytest.mark.parametrize("uri", ["file:", "testcard:7"])
def test_a_name_with_too_little_or_too_much(uri: str) -> None:
    with pytest.raises(ConfigError):
        parse_source(uri)


@given(st.text(max_size=30) | st.from_regex(r"[a-z]{2,6}:.{0,10}"))
def test_any_text_is_a_source_or_an_error_of_ours(uri: str) -> None:
    with suppress(RealtimeError):
        assert parse_source(uri).scheme in SOURCES


def test_a_name_too_long_for_a_path_is_no_clip() -> None:
    with pytest.raises(DeviceError):
        parse_source("a" * 5000)


def test_every_source_can_be_imported() -> None:
    for target in SOURCES.values():
        module, name = target.split(":")
        assert hasattr(importlib.import_module(module), name)


def test_sources_are_made_but_not_opened(tmp_path: Path) -> None:
    assert isinstance(open_source("camera:7", **ASKED), CameraSource)
    assert isinstance(open_source("file:nowhere.mp4", **ASKED), FileSource)


def test_a_built_in_source_has_the_size_asked_for() -> None:
    for uri in ("still:", "testcard:"):
        source = open_source(uri, width=320, height=240, fps=25.0)
        info = source.open()
        source.close()
        assert (info.width, info.height, info.fps) == (320, 240, 25.0)


def test_a_clip_may_loop(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "clip.mp4", 4)
    source = open_source(str(path), **ASKED, loop=True)
    assert source.open().duration_s is None
    source.close()
