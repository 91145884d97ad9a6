"""The page as one part of the run: viewers, server and the sink that feeds them."""

from realtime.clock import Clock
from realtime.config import WebConfig
from realtime.config_layers import resolve_secret
from realtime.frame import Picture
from realtime.rtc.viewers import Viewers
from realtime.sinks.webrtc import WebRtcSink
from realtime.slot import Broadcast
from realtime.web.commands import Control
from realtime.web.server import WebServer
from realtime.web.view import StatusView

__all__ = ["Page"]


class Page:
    """Starts with `start`, ends with `close`. Raises ConfigError for a bind that needs a token."""

    def __init__(self, web: WebConfig, view: StatusView, clock: Clock, control: Control) -> None:
        self._sink: WebRtcSink | None = None
        self._broadcast: Broadcast[Picture] = Broadcast()
        self._viewers = Viewers(self._broadcast, web.max_viewers, clock=clock)
        token = resolve_secret(web.token) or None
        self._server = WebServer(web.host, web.port, token, self._viewers, view, control=control)

    @property
    def url(self) -> str:
        """What to open in a browser; it holds the token, if there is one, so it is not for a log."""
        return self._server.page_url

    @property
    def shown(self) -> str:
        """The kind of the picture that viewers see; empty before the first."""
        return self._sink.shown.value if self._sink is not None and self._sink.shown is not None else ""

    async def start(self) -> WebRtcSink:
        """Listen; returns the sink that the viewers watch. Raises DeviceError when the port is taken."""
        await self._server.start()
        self._sink = WebRtcSink(self._broadcast, self._server.url)
        return self._sink

    async def close(self) -> None:
        """End the server, then the viewers. Idempotent, bounded, never raises."""
        await self._server.close()
        await self._viewers.close()
