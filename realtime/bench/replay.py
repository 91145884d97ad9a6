"""A clip's frames in order, as fast as they are asked for, at the clip's own time."""

from collections.abc import Iterator

from realtime.capture.lossless import lossless_frames
from realtime.capture.registry import open_source, parse_source
from realtime.clock import NS_PER_S
from realtime.errors import ConfigError
from realtime.frame import Frame

__all__ = ["ENDLESS_S", "replay"]

ENDLESS_S = 10.0
"""How much is taken of a source without an end, unless said otherwise."""


def replay(uri: str, width: int, height: int, fps: float, seconds: float | None = None) -> Iterator[Frame]:
    """Every frame of a clip, `still:` or `testcard:` whose media time is below `seconds`.

    None: all of a clip, ten seconds of what has no end.

    Each frame is an array of its own; `captured_ns` is media time from 0. `width`, `height`, `fps` are of the
    built-in sources, which have no end. Raises ConfigError for a camera, DeviceError for a clip that
    cannot be read.
    """
    parsed = parse_source(uri)
    if parsed.scheme == "camera":
        raise ConfigError("a camera never shows the same twice", "give a clip, or still:")
    if parsed.scheme != "file" and seconds is None:
        seconds = ENDLESS_S
    source = open_source(uri, width=width, height=height, fps=fps)
    source.open()
    try:
        for frame in lossless_frames(source):
            if seconds is not None and frame.captured_ns >= seconds * NS_PER_S:
                return
            yield frame
    finally:
        source.close()
