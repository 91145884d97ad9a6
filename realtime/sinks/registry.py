"""Sinks by name, each imported when it is used.

virtualcam:  virtualcam:/dev/video10   a camera that other programs see
webrtc:                                the browser page; the program opens this one itself
file:out.mp4  out.mp4                  a recording
null:                                  nowhere
"""

import importlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any

from realtime.errors import ConfigError
from realtime.sinks.base import Sink

__all__ = ["SINKS", "SinkUri", "open_sink", "parse_sink"]

SINKS: Mapping[str, str] = MappingProxyType(
    {
        "virtualcam": "realtime.sinks.virtualcam:VirtualCameraSink",
        "webrtc": "realtime.sinks.webrtc:WebRtcSink",
        "file": "realtime.sinks.file:FileSink",
        "null": "realtime.sinks.null:NullSink",
    }
)
LATER = ("rtmp", "rtmps", "rtsp", "srt", "whip")
SUFFIXES = (".mp4", ".mov", ".mkv", ".webm")
FORMS = "virtualcam:, virtualcam:DEVICE, webrtc:, file:out.mp4, out.mp4 or null:"

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):(.*)", re.DOTALL)
"""At least two letters: a single one is a drive of Windows."""


@dataclass(frozen=True, slots=True)
class SinkUri:
    """A sink's name taken apart: a key of `SINKS`, and what follows the colon."""

    scheme: str
    rest: str

    def __str__(self) -> str:
        return f"{self.scheme}:{self.rest}"


def parse_sink(uri: str) -> SinkUri:
    """Take a sink's name apart. Raises ConfigError when it is none."""
    matched = _SCHEME.fullmatch(uri)
    scheme, rest = (matched[1].lower(), matched[2]) if matched else ("", uri)
    if scheme in SINKS:
        if scheme == "file" and not rest:
            raise ConfigError("the sink file: names no file", "write it as file:out.mp4")
        if scheme in ("null", "webrtc") and rest:
            raise ConfigError(f"the sink {scheme}: takes no {rest!r}", f"write it as {scheme}:")
        return SinkUri(scheme, rest)
    if scheme in LATER:
        raise ConfigError(f"this version has no sink {scheme}:", f"a sink is {FORMS}")
    if Path(uri).suffix.lower() in SUFFIXES:
        return SinkUri("file", uri)
    nearest = get_close_matches(scheme or uri, SINKS, n=1)
    meant = f"did you mean {nearest[0]}:? " if nearest else ""
    raise ConfigError(f"there is no sink {uri!r}", f"{meant}a sink is {FORMS}")


def open_sink(uri: str) -> Sink:
    """Construct the sink that `uri` names; its `open` comes later. Not for `webrtc:`, which needs a server.

    Raises what `parse_sink` raises.
    """
    parsed = parse_sink(uri)
    assert parsed.scheme != "webrtc", "the program makes its WebRTC sink itself"
    made = _load(SINKS[parsed.scheme])
    sink: Sink
    match parsed.scheme:
        case "virtualcam":
            sink = made(parsed.rest or None)
        case "file":
            sink = made(Path(parsed.rest))
        case _:
            sink = made()
    return sink


def _load(target: str) -> Any:
    module, name = target.split(":")
    return getattr(importlib.import_module(module), name)
