import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest

from realtime.rtc.viewers import Viewers
from realtime.sinks.webrtc import WebRtcSink
from realtime.slot import Broadcast
from realtime.web.server import WebServer
from tests.fakes.status_view import FakeStatusView

WAIT_S = 15.0


@pytest.fixture
def sink() -> WebRtcSink:
    return WebRtcSink(Broadcast(), "http://127.0.0.1")


@pytest.fixture
def view() -> FakeStatusView:
    return FakeStatusView()


@pytest.fixture
async def viewers(sink: WebRtcSink) -> AsyncIterator[Viewers]:
    viewers = Viewers(sink.broadcast)
    yield viewers
    await asyncio.wait_for(viewers.close(), WAIT_S)


@pytest.fixture
async def server(viewers: Viewers, view: FakeStatusView) -> AsyncIterator[WebServer]:
    server = WebServer("127.0.0.1", 0, None, viewers, view)
    await server.start()
    yield server
    await asyncio.wait_for(server.close(), WAIT_S)


@pytest.fixture
async def guarded(viewers: Viewers, view: FakeStatusView) -> AsyncIterator[WebServer]:
    """A server whose token is "s3cret"."""
    server = WebServer("127.0.0.1", 0, "s3cret", viewers, view, allow_origins=("https://obs.example",))
    await server.start()
    yield server
    await asyncio.wait_for(server.close(), WAIT_S)


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(WAIT_S)) as http:
        yield http
