"""The sound of a clip, copied beside new pictures without decoding it."""

import logging
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from realtime.capture.container import open_clip

__all__ = ["SoundCopy"]

log = logging.getLogger(__name__)


class SoundCopy:
    """Copies packets from a clip's first sound track, timed from the clip's first picture."""

    @classmethod
    def between(cls, clip: Path, output: Any) -> "SoundCopy | None":
        """Add the clip's sound to `output`, a container whose header is not written yet.

        None, with a warning, when the clip has no sound, cannot be read, or the container cannot hold it.
        """
        try:
            container = open_clip(clip)
        except (av.FFmpegError, OSError, ValueError) as error:
            log.warning("the sound of %s cannot be read: %s", clip, error)
            return None
        if not container.streams.audio:
            container.close()
            return None
        track = container.streams.audio[0]
        codec = track.codec_context.name
        if codec not in output.supported_codecs:
            log.warning("%s files cannot hold %s sound: there will be none", output.format.name, codec)
            container.close()
            return None
        return cls(container, track, output, output.add_stream_from_template(track))

    def __init__(self, clip: Any, track: Any, output: Any, copied: Any) -> None:
        self._clip = clip
        self._output = output
        self._copied = copied
        tick = track.time_base
        self._tick = Fraction(int(tick.numerator), int(tick.denominator))
        self._start = round(_pictures_start_s(clip) / self._tick)
        self._packets: Iterator[Any] = clip.demux(track)
        self._ahead: Any = None

    def copy_until(self, end_s: float) -> None:
        """Copy what begins before `end_s` seconds after the clip's first picture. Raises what PyAV raises."""
        while (packet := self._ahead or next(self._packets, None)) is not None:
            self._ahead = None
            if packet.dts is None:
                continue
            begin_s = float((packet.dts - self._start) * self._tick)
            if begin_s >= end_s:
                self._ahead = packet
                return
            if begin_s >= 0:
                packet.pts = packet.dts = packet.dts - self._start
                packet.stream = self._copied
                self._output.mux_one(packet)

    def close(self) -> None:
        """Idempotent."""
        self._ahead = None
        self._clip.close()


def _pictures_start_s(clip: Any) -> Fraction:
    for stream in clip.streams.video:
        tick = stream.time_base
        if stream.start_time is not None and tick.denominator:
            return Fraction(stream.start_time * int(tick.numerator), int(tick.denominator))
    return Fraction(0)
