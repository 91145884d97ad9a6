import importlib
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.errors import ConfigError
from realtime.sinks.file import KINDS, FileSink
from realtime.sinks.null import NullSink
from realtime.sinks.registry import LATER, SINKS, SUFFIXES, SinkUri, open_sink, parse_sink
from realtime.sinks.virtualcam import VirtualCameraSink


@pytest.mark.parametrize(
    ("uri", "scheme", "rest"),
    [
        ("virtualcam:", "virtualcam", ""),
        ("virtualcam:/dev/video10", "virtualcam", "/dev/video10"),
        ("virtualcam:Unity Video Capture", "virtualcam", "Unity Video Capture"),
        ("webrtc:", "webrtc", ""),
        ("file:out.mp4", "file", "out.mp4"),
        ("out.MKV", "file", "out.MKV"),
        ("C:\\clips\\out.mp4", "file", "C:\\clips\\out.mp4"),
        ("null:", "null", ""),
    ],
)
def test_names_are_taken_apart(uri: str, scheme: str, rest: str) -> None:
    assert parse_sink(uri) == SinkUri(scheme, rest)


@pytest.mark.parametrize("scheme", LATER)
def test_what_comes_later_is_said_to_be_missing(scheme: str) -> None:
    with pytest.raises(ConfigError, match="this version has no sink"):
        parse_sink(f"{scheme}://example.org/live")


@pytest.mark.parametrize(
    ("uri", "meant"), [("virtualcm:", "virtualcam:"), ("webrct:", "webrtc:"), ("nul:", "null:")]
)
def test_an_unknown_name_is_told_the_nearest(uri: str, meant: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_sink(uri)
    assert f"did you mean {meant}?" in caught.value.hint


@pytest.mark.parametrize("uri", ["", "out", "out.gif", "file:", "null:x", "webrtc:8080", "zzz:"])
def test_what_is_no_sink_is_a_usage_error(uri: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_sink(uri)
    assert caught.value.hint


@given(st.text(max_size=30))
def test_any_text_is_a_sink_or_a_usage_error(uri: str) -> None:
    with suppress(ConfigError):
        assert parse_sink(uri).scheme in SINKS


def test_sinks_are_made_but_not_opened(tmp_path: Path) -> None:
    assert isinstance(open_sink("null:"), NullSink)
    assert isinstance(open_sink("virtualcam:"), VirtualCameraSink)
    assert isinstance(open_sink(str(tmp_path / "out.mp4")), FileSink)
    assert list(tmp_path.iterdir()) == []


def test_every_sink_can_be_imported() -> None:
    for target in SINKS.values():
        module, name = target.split(":")
        assert hasattr(importlib.import_module(module), name)


def test_the_names_of_files_are_those_that_can_be_written() -> None:
    assert set(SUFFIXES) == set(KINDS)
