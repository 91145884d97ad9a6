from pathlib import Path

from realtime.frame import PictureKind
from realtime.sinks.base import StreamInfo
from realtime.sinks.webrtc import WebRtcSink
from realtime.slot import Broadcast
from tests.realtime.sinks.contract import SinkContract

URL = "http://127.0.0.1:8080"


class TestWebRtcSink(SinkContract):
    def make(self, folder: Path) -> WebRtcSink:
        return WebRtcSink(Broadcast(), URL)


def test_its_description_says_where_to_look() -> None:
    assert WebRtcSink(Broadcast(), URL).open(StreamInfo(1280, 720, 30.0)) == f"{URL} 1280x720@30"


def test_every_viewer_is_offered_every_picture_and_none_delays_it() -> None:
    sink = WebRtcSink(Broadcast(), URL)
    sink.open(StreamInfo(64, 48, 30.0))
    idle, busy = sink.broadcast.subscribe(), sink.broadcast.subscribe()
    for number in range(3):
        sink.publish(SinkContract.picture(number))
        assert busy.take() is not None
    assert idle.stats().overwritten == 2
    assert busy.stats().overwritten == 0


def test_it_knows_what_it_shows() -> None:
    sink = WebRtcSink(Broadcast(), URL)
    sink.open(StreamInfo(64, 48, 30.0))
    assert sink.shown is None
    sink.publish(SinkContract.picture(0))
    assert isinstance(sink.shown, PictureKind)
    sink.close()
    assert sink.shown is None
