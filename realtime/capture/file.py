"""A clip, through PyAV."""

import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.stream import Disposition

from realtime.capture.base import Grab, Pixels, SourceInfo
from realtime.capture.container import open_clip
from realtime.capture.decoded import BgrConverter, upright_size
from realtime.clock import NS_PER_S
from realtime.errors import DeviceError

__all__ = ["FileSource"]

DEFAULT_FPS = 30.0
EARLY_END_S = 0.5
"""A clip that ends this much before its claimed end is reported as cut off."""
AV_TIME_BASE = 1_000_000
CURE = "give a clip that a video player opens, such as an mp4, mov, mkv or webm file"

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Opened:
    """A clip being read."""

    container: Any
    frames: Iterator[av.VideoFrame]
    period_ns: int
    """Nominal, from frame to frame."""
    tick: Fraction
    """Length of a unit of pts, in seconds."""
    first_pts: int | None
    ahead: av.VideoFrame | None
    """Decoded to learn the true size, not yet handed over."""


class FileSource:
    """A video file, frame by frame, in display order, with its own timestamps.

    A picture's media time is its pts from the first one's; where pts are missing or do not rise, it is the
    nominal period after the last. With `loop` the clip begins anew at its end, with the next epoch, and media
    time goes on. The display matrix (a phone held upright) is honoured in quarter turns.
    """

    def __init__(self, path: Path, loop: bool = False) -> None:
        self._path = path
        self._loop = loop
        self._lock = threading.Lock()
        """Held while PyAV is at work: it does not bear being closed meanwhile."""
        self._opened: _Opened | None = None
        self._converter = BgrConverter()
        self._duration_s: float | None = None
        self._offset_ns = 0
        """Media time at which the present round began."""
        self._last_ns = -1
        self._epoch = 0
        self._damaged = 0

    def open(self) -> SourceInfo:
        self.close()
        with self._lock:
            self._opened = opened = self._begin()
            self._offset_ns, self._last_ns, self._epoch, self._damaged = 0, -1, 0, 0
            self._duration_s = _duration_s(opened.container)
            assert opened.ahead is not None, "a clip is open only with its first picture decoded"
            width, height = upright_size(opened.ahead)
        return SourceInfo(
            uri=f"file:{self._path}",
            description=f"clip {self._path.name}, {width}x{height}",
            width=width,
            height=height,
            fps=NS_PER_S / opened.period_ns,
            live=False,
            duration_s=None if self._loop else self._duration_s,
        )

    def read(self, pixels: Pixels) -> Grab | None:
        with self._lock:
            if self._opened is None:
                raise DeviceError("the clip is not open", "open it before reading")
            frame = self._next(self._opened)
            if frame is None and self._loop:
                frame = self._next(self._begin_again(self._opened))
            if frame is None:
                self._say_how_it_ended()
                return None
            media_ns = self._media_ns(self._opened, frame)
            return Grab(self._converter.convert(frame, pixels), media_ns, self._epoch)

    def close(self) -> None:
        with self._lock:
            opened, self._opened = self._opened, None
            if opened is not None:
                opened.container.close()

    def _begin(self) -> _Opened:
        """Open the file and decode its first picture. Raises DeviceError."""
        container = self._container()
        try:
            stream = _video_stream(container, self._path)
            stream.thread_type = "AUTO"
            frames = self._decoded(container, stream)
            ahead = next(frames, None)
        except DeviceError:
            container.close()
            raise
        if ahead is None:
            container.close()
            raise DeviceError(f"the clip {self._path} has no picture that can be decoded", CURE)
        fps = _fraction(stream.average_rate) or _fraction(stream.guessed_rate)
        return _Opened(
            container=container,
            frames=frames,
            period_ns=round(NS_PER_S / (float(fps) if fps else DEFAULT_FPS)),
            tick=_fraction(stream.time_base) or Fraction(1, round(DEFAULT_FPS)),
            first_pts=ahead.pts,
            ahead=ahead,
        )

    def _container(self) -> Any:
        path = self._path
        if not path.exists():
            raise DeviceError(f"there is no clip {path}", "check the path")
        if not path.is_file():
            raise DeviceError(f"{path} is no file", CURE)
        try:
            container = open_clip(path)
        except PermissionError as error:
            raise DeviceError(f"this user may not read {path}", f"chmod u+r {path}") from error
        except (av.FFmpegError, OSError, ValueError) as error:
            raise DeviceError(f"{path} is no video file, or it is cut off or damaged", CURE) from error
        kind = container.format.name
        if kind == "image2" or kind.endswith("_pipe"):
            container.close()
            raise DeviceError(f"{path} is a picture, not a clip", f"write it as still:{path}")
        if kind == "tty":
            container.close()
            raise DeviceError(f"{path} is a text, not a clip", CURE)
        return container

    def _decoded(self, container: Any, stream: Any) -> Iterator[av.VideoFrame]:
        """Frames until the end; damaged packets are left out and counted."""
        try:
            for packet in container.demux(stream):
                try:
                    yield from packet.decode()
                except av.FFmpegError as error:
                    if self._damaged == 0:
                        log.warning("%s is damaged in places: %s", self._path, error)
                    self._damaged += 1
        except (av.FFmpegError, OSError) as error:
            log.warning("%s cannot be read further: %s", self._path, error)

    def _next(self, opened: _Opened) -> av.VideoFrame | None:
        frame, opened.ahead = opened.ahead, None
        return frame if frame is not None else next(opened.frames, None)

    def _begin_again(self, ended: _Opened) -> _Opened:
        ended.container.close()
        self._opened = None
        self._opened = opened = self._begin()
        self._offset_ns = self._last_ns + opened.period_ns
        self._epoch += 1
        return opened

    def _media_ns(self, opened: _Opened, frame: av.VideoFrame) -> int:
        media_ns = self._last_ns + opened.period_ns if self._last_ns >= 0 else 0
        if frame.pts is not None and opened.first_pts is not None:
            stamped_ns = self._offset_ns + round((frame.pts - opened.first_pts) * opened.tick * NS_PER_S)
            if stamped_ns > self._last_ns:
                media_ns = stamped_ns
        self._last_ns = media_ns
        return media_ns

    def _say_how_it_ended(self) -> None:
        ended_s = self._last_ns / NS_PER_S
        if self._duration_s is not None and ended_s < self._duration_s - EARLY_END_S:
            log.warning("%s is cut off: it ends at %.1f of %.1f s", self._path, ended_s, self._duration_s)
            self._duration_s = None


def _video_stream(container: Any, path: Path) -> Any:
    for stream in container.streams.video:
        # A song's cover is a video stream of one picture.
        if not stream.disposition & Disposition.attached_pic:
            return stream
    raise DeviceError(f"{path} has no video stream", CURE)


def _duration_s(container: Any) -> float | None:
    for stream in container.streams.video:
        tick = _fraction(stream.time_base)
        if stream.duration and tick:
            return float(stream.duration * tick)
    return float(container.duration) / AV_TIME_BASE if container.duration else None


def _fraction(value: Any) -> Fraction | None:
    """A rational of PyAV 17 and 18 (Fraction or None) and of 19 (AVRational, 0/0 for none)."""
    if value is None or not value.denominator or not value.numerator:
        return None
    return Fraction(int(value.numerator), int(value.denominator))
