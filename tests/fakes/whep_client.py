"""A viewer made of aiortc, that speaks WHEP over HTTP or straight to `Viewers`."""

import asyncio
import re

import aiohttp
import av
import pytest
from aioice.ice import get_host_addresses
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.mediastreams import MediaStreamTrack

from realtime.rtc.offer import Offer
from realtime.rtc.viewers import Viewers

__all__ = ["WhepClient", "as_obs", "require_network"]

WAIT_S = 15.0


def as_obs(sdp: str) -> str:
    """An offer as OBS posts it: before gathering, so without candidates, yet with their end."""
    return re.sub(r"a=candidate:.*\r\n", "", sdp)


def require_network() -> None:
    """Skip the test where ICE has no address to offer: it leaves loopback out."""
    if not get_host_addresses(use_ipv4=True, use_ipv6=True):
        pytest.skip("this machine has no network address besides loopback")


class WhepClient:
    """One connection; `async with` closes it."""

    def __init__(self, *codecs: str) -> None:
        """`codecs`: the only ones to offer, most wanted first, as "H264"; aiortc's own choice without."""
        require_network()
        self.peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.session_id = ""
        self._track: asyncio.Future[MediaStreamTrack] = asyncio.get_running_loop().create_future()
        self.peer.on("track", self._track.set_result)
        transceiver = self.peer.addTransceiver("video", direction="recvonly")
        if codecs:
            able = RTCRtpSender.getCapabilities("video").codecs
            wanted = [f"video/{name}" for name in codecs]
            transceiver.setCodecPreferences([c for name in wanted for c in able if c.mimeType == name])

    async def __aenter__(self) -> "WhepClient":
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.wait_for(self.peer.close(), WAIT_S)

    async def offer(self) -> str:
        """Our offer, candidates and all."""
        await self.peer.setLocalDescription(await self.peer.createOffer())
        return self.peer.localDescription.sdp

    async def take(self, answer_sdp: str) -> None:
        await self.peer.setRemoteDescription(RTCSessionDescription(answer_sdp, "answer"))

    async def watch(self, viewers: Viewers, obs: bool = False) -> None:
        """Connect without HTTP between."""
        sdp = await self.offer()
        self.session_id, _, answer_sdp = await viewers.answer(Offer.parse(as_obs(sdp) if obs else sdp))
        await self.take(answer_sdp)

    async def post(self, http: aiohttp.ClientSession, url: str) -> None:
        """Connect to the endpoint at `url`."""
        headers = {"Content-Type": "application/sdp"}
        async with http.post(url, data=await self.offer(), headers=headers) as response:
            assert response.status == 201, await response.text()
            self.session_id = response.headers["Location"].rsplit("/", 1)[1]
            await self.take(await response.text())

    async def frame(self) -> av.VideoFrame:
        """The next decoded frame."""
        track = await asyncio.wait_for(self._track, WAIT_S)
        frame = await asyncio.wait_for(track.recv(), WAIT_S)
        assert isinstance(frame, av.VideoFrame)
        return frame
