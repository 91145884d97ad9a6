"""A recording: H.264 in MP4, MOV or Matroska, VP8 in WebM, through PyAV."""

import logging
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Any

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray

from realtime.clock import NS_PER_S
from realtime.errors import ConfigError, DeviceError
from realtime.frame import Picture
from realtime.sinks.base import StreamInfo
from realtime.sinks.letterbox import Letterbox
from realtime.sinks.sound import SoundCopy

__all__ = ["FileSink"]

TICKS_PER_S = 90_000
"""Unit of the timestamps, MPEG's usual one."""
PART = ".part"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Kind:
    """How a file of one suffix is written."""

    container: str
    codec: str
    options: Mapping[str, str]


_H264 = MappingProxyType({"preset": "superfast", "crf": "21"})
"""Two thirds of "veryfast"'s work at the same quality, for half as many bytes again: the processor is wanted
for the faces."""
_VP8 = MappingProxyType({"deadline": "realtime", "cpu-used": "8", "crf": "10", "b": "4M"})
KINDS: Mapping[str, _Kind] = MappingProxyType(
    {
        ".mp4": _Kind("mp4", "libx264", _H264),
        ".mov": _Kind("mov", "libx264", _H264),
        ".mkv": _Kind("matroska", "libx264", _H264),
        ".webm": _Kind("webm", "libvpx", _VP8),
    }
)


@dataclass(slots=True)
class _Recording:
    """A file being written."""

    path: Path
    part: Path
    container: Any
    stream: Any
    sound: SoundCopy | None
    letterbox: Letterbox
    i420: NDArray[np.uint8]
    frame_s: float
    """How long the last picture is taken to be shown."""
    first_ns: int | None = None
    last_pts: int = -1


class FileSink:
    """Writes pictures with the times at which they were captured, and names the file only when it is whole.

    The file grows as `out.mp4.part`. `close` ends and renames it; when no picture came, or it cannot be
    ended, nothing stays. Opened again after it lost its disk, the sink writes `out-2.mp4`, and so on: what
    was recorded before is not overwritten.
    """

    name = "file"
    cadence_fps: float | None = None

    def __init__(self, path: Path, fps: float | None = None, audio_from: Path | None = None) -> None:
        """`fps`: the nominal rate, None for the stream's. `audio_from`: a clip whose first sound track is
        copied, as it is, beside the pictures; its pictures are those that are written, from the first one on.

        Raises ConfigError when the path's suffix is none of `KINDS`.
        """
        if path.suffix.lower() not in KINDS:
            raise ConfigError(
                f"the output {path} has no suffix of a video file",
                f"name it with one of {', '.join(KINDS)}",
            )
        self._path = path
        self._fps = fps
        self._audio_from = audio_from
        self._recording: _Recording | None = None
        self._kept = 0

    def open(self, stream: StreamInfo) -> str:
        self.close()
        path = self._free_path()
        folder = path.parent
        if not folder.is_dir():
            raise DeviceError(f"there is no folder {folder}", f"mkdir -p {folder}")
        if path.is_dir():
            raise DeviceError(f"{path} is a folder", "name a file")
        part = path.with_name(path.name + PART)
        kind = KINDS[path.suffix.lower()]
        try:
            self._recording = self._begin(path, part, kind, stream)
        except (av.FFmpegError, OSError, ValueError) as error:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            raise DeviceError(
                f"{path} cannot be written: {error}", "choose a folder that you may write to, with free space"
            ) from error
        encoder = self._recording.stream.codec_context
        return f"{path} {encoder.width}x{encoder.height} {encoder.name}"

    def publish(self, picture: Picture) -> None:
        recording = self._recording
        if recording is None:
            raise DeviceError("the recording is not open", "open it before publishing")
        if recording.first_ns is None:
            recording.first_ns = picture.captured_ns
        pts = (picture.captured_ns - recording.first_ns) * TICKS_PER_S // NS_PER_S
        recording.last_pts = pts = max(pts, recording.last_pts + 1)
        cv2.cvtColor(recording.letterbox.fit(picture.bgr), cv2.COLOR_BGR2YUV_I420, dst=recording.i420)
        frame = av.VideoFrame.from_ndarray(recording.i420, format="yuv420p")
        frame.pts = pts
        frame.time_base = Fraction(1, TICKS_PER_S)
        try:
            recording.container.mux(recording.stream.encode(frame))
            if recording.sound is not None:
                recording.sound.copy_until(pts / TICKS_PER_S)
        except (av.FFmpegError, OSError, ValueError) as error:
            raise DeviceError(
                f"{recording.path} cannot be written further: {error}", "make room on the disk"
            ) from error

    def discard(self) -> None:
        """Close and leave nothing of what is being written. Idempotent, never raises."""
        if self._recording is not None:
            self._recording.last_pts = -1
        self.close()

    def close(self) -> None:
        recording, self._recording = self._recording, None
        if recording is None:
            return
        if self._end(recording) and recording.last_pts >= 0:
            try:
                os.replace(recording.part, recording.path)
            except OSError as error:
                log.error("%s could not be renamed to %s: %s", recording.part, recording.path, error)
            else:
                self._kept += 1
                log.info("%s is written", recording.path)
        else:
            with suppress(FileNotFoundError):
                recording.part.unlink()

    def _free_path(self) -> Path:
        if self._kept == 0:
            return self._path
        return self._path.with_stem(f"{self._path.stem}-{self._kept + 1}")

    def _begin(self, path: Path, part: Path, kind: _Kind, stream: StreamInfo) -> _Recording:
        width, height = max(2, stream.width & ~1), max(2, stream.height & ~1)
        rate = Fraction(self._fps or stream.fps).limit_denominator(1001)
        container = av.open(f"file:{part}", "w", format=kind.container)
        try:
            video: Any = container.add_stream(kind.codec, rate=rate, options=dict(kind.options))
            video.width, video.height, video.pix_fmt = width, height, "yuv420p"
            video.time_base = video.codec_context.time_base = Fraction(1, TICKS_PER_S)
            # What cv2's BGR to I420 makes: BT.601, limited range.
            video.codec_context.colorspace = Colorspace.ITU601
            video.codec_context.color_range = ColorRange.MPEG
            sound = SoundCopy.between(self._audio_from, container) if self._audio_from else None
            container.start_encoding()
        except BaseException:
            with suppress(av.FFmpegError, OSError, ValueError):
                container.close()
            raise
        i420 = np.empty((height * 3 // 2, width), np.uint8)
        return _Recording(
            path, part, container, video, sound, Letterbox(width, height), i420, float(1 / rate)
        )

    def _end(self, recording: _Recording) -> bool:
        """Flush and close; True when the file is whole."""
        whole = True
        try:
            if recording.last_pts >= 0:
                recording.container.mux(recording.stream.encode(None))
                if recording.sound is not None:
                    recording.sound.copy_until(recording.last_pts / TICKS_PER_S + recording.frame_s)
        except (av.FFmpegError, OSError, ValueError) as error:
            log.error("%s could not be ended: %s", recording.path, error)
            whole = False
        try:
            recording.container.close()
        except (av.FFmpegError, OSError, ValueError) as error:
            log.error("%s could not be closed: %s", recording.path, error)
            whole = False
        if recording.sound is not None:
            recording.sound.close()
        return whole
