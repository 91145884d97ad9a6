"""The sink that browsers watch: it hands pictures to every WHEP viewer's slot."""

from realtime.frame import Picture, PictureKind
from realtime.sinks.base import StreamInfo
from realtime.slot import Broadcast

__all__ = ["WebRtcSink"]


class WebRtcSink:
    """Never blocks and never fails: encoding is each viewer's own affair (`realtime.rtc.viewers`)."""

    name = "webrtc"
    cadence_fps: float | None = None

    def __init__(self, broadcast: Broadcast[Picture], url: str) -> None:
        """`url` is the page's, for the description."""
        self.broadcast = broadcast
        self.shown: PictureKind | None = None
        """What the last published picture is; None before the first and after `close`."""
        self._url = url

    def open(self, stream: StreamInfo) -> str:
        return f"{self._url} {stream.width}x{stream.height}@{stream.fps:g}"

    def publish(self, picture: Picture) -> None:
        self.shown = picture.kind
        self.broadcast.offer(picture)

    def close(self) -> None:
        self.shown = None
