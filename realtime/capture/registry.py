"""Sources by name, each imported when it is used.

camera:0  camera:NAME  /dev/video0   a camera by number, by a part of its name, or by its node
clip.mp4  file:clip.mp4              a file
still:  still:portrait.png           a picture in motion; without a path the built-in one
testcard:                            a picture that says its frame number
"""

import importlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any

from realtime.capture.base import Source
from realtime.errors import ConfigError, DeviceError

__all__ = ["SOURCES", "SourceUri", "open_source", "parse_source"]

SOURCES: Mapping[str, str] = MappingProxyType(
    {
        "camera": "realtime.capture.camera:CameraSource",
        "file": "realtime.capture.file:FileSource",
        "still": "realtime.capture.still:StillSource",
        "testcard": "realtime.capture.testcard:TestCardSource",
    }
)
FORMS = "camera:0, camera:NAME, /dev/video0, a clip's path, still:, still:portrait.png or testcard:"

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):(.*)", re.DOTALL)
"""At least two letters: a single one is a drive of Windows."""


@dataclass(frozen=True, slots=True)
class SourceUri:
    """A source's name taken apart: a key of `SOURCES`, and what follows the colon."""

    scheme: str
    rest: str

    def __str__(self) -> str:
        return f"{self.scheme}:{self.rest}"


def parse_source(uri: str) -> SourceUri:
    """Take a source's name apart.

    Raises ConfigError when its scheme is unknown or it says nothing, and DeviceError for a name without
    a scheme that is no file.
    """
    if not uri.strip():
        raise ConfigError("the source has no name", f"a source is {FORMS}")
    if uri.startswith("/dev/video"):
        return SourceUri("camera", uri)
    matched = _SCHEME.fullmatch(uri)
    if matched is not None and matched[1].lower() in SOURCES:
        scheme, rest = matched[1].lower(), matched[2]
        if scheme == "file" and not rest:
            raise ConfigError("the source file: names no clip", "write it as file:clip.mp4")
        if scheme == "testcard" and rest:
            raise ConfigError(f"the source testcard: takes no {rest!r}", "write it as testcard:")
        return SourceUri(scheme, rest)
    if _exists(Path(uri)):
        return SourceUri("file", uri)
    if matched is not None:
        raise _unknown(uri, matched[1].lower())
    raise DeviceError(f"there is no clip {uri!r}", f"check the path; a source is {FORMS}")


def open_source(uri: str, *, width: int, height: int, fps: float, loop: bool = False) -> Source:
    """Construct the source that `uri` names; its `open` comes later.

    `width`, `height` and `fps` are what is asked of a camera and what a built-in source makes; a clip has its
    own. `loop` makes a clip begin again at its end. Raises what `parse_source` raises.
    """
    parsed = parse_source(uri)
    made = _load(SOURCES[parsed.scheme])
    source: Source
    match parsed.scheme:
        case "camera":
            source = made(parsed.rest or "0", width, height, fps)
        case "file":
            source = made(Path(parsed.rest), loop=loop)
        case "still":
            source = made(Path(parsed.rest) if parsed.rest else None, width, height, fps)
        case _:
            source = made(width, height, fps, paced=True)
    return source


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        # Too long for a path.
        return False


def _load(target: str) -> Any:
    module, name = target.split(":")
    return getattr(importlib.import_module(module), name)


def _unknown(uri: str, scheme: str) -> ConfigError:
    if scheme == "whip":
        return ConfigError("this version has no source whip:", f"a source is {FORMS}")
    nearest = get_close_matches(scheme, SOURCES, n=1)
    meant = f"did you mean {nearest[0]}:? " if nearest else ""
    return ConfigError(f"there is no source {uri!r}", f"{meant}a source is {FORMS}")
