import asyncio
import os
import socket
import sys
import threading
from collections.abc import Iterator

import pytest
from aiortc import RTCIceGatherer, RTCIceServer

from realtime.capture.testcard import read_card
from realtime.clock import NS_PER_S
from realtime.errors import SignallingError
from realtime.frame import Picture
from realtime.rtc import viewers as viewers_module
from realtime.rtc.liveness import CONNECT_WITHIN_NS, SILENCE_NS
from realtime.rtc.offer import Offer
from realtime.rtc.viewers import Viewers
from realtime.sinks.webrtc import WebRtcSink
from realtime.slot import Broadcast, Latest
from tests.fakes.card_publisher import CardPublisher
from tests.fakes.clock import FakeClock, settle
from tests.fakes.offers import offer_sdp, section
from tests.fakes.whep_client import WhepClient, as_obs, require_network

WAIT_S = 15.0
STUN_BINDING_REQUEST = b"\x00\x01"
"""Message type (RFC 8489, section 5)."""


class WatchedBroadcast(Broadcast[Picture]):
    """Says when its last reader has left."""

    def __init__(self) -> None:
        super().__init__()
        self.deserted = asyncio.Event()

    def unsubscribe(self, slot: Latest[Picture]) -> None:
        super().unsubscribe(slot)
        if not len(self):
            self.deserted.set()


@pytest.fixture
async def broadcast() -> WatchedBroadcast:
    return WatchedBroadcast()


@pytest.fixture
def sink(broadcast: WatchedBroadcast) -> WebRtcSink:
    return WebRtcSink(broadcast, "http://127.0.0.1:8080")


@pytest.fixture
async def viewers(sink: WebRtcSink):
    viewers = Viewers(sink.broadcast)
    yield viewers
    await asyncio.wait_for(viewers.close(), WAIT_S)


async def numbers(client: WhepClient, count: int) -> list[int]:
    """The frame numbers read from the pictures that a client got; damaged ones are left out."""
    found: list[int] = []
    for _ in range(10 * count):
        reading = read_card((await client.frame()).to_ndarray(format="bgr24"))
        if reading is not None:
            found.append(reading.number)
        if len(found) == count:
            break
    return found


@pytest.mark.parametrize("codec", ["VP8", "H264"])
async def test_pictures_arrive_in_order(viewers: Viewers, sink: WebRtcSink, codec: str) -> None:
    with CardPublisher(sink):
        async with WhepClient(codec) as client:
            await client.watch(viewers)
            seen = await numbers(client, 12)
    assert len(seen) == 12
    assert seen == sorted(set(seen))
    assert viewers.stats().frames_sent >= 12


async def test_vp8_is_preferred_and_stays_in_the_answer(viewers: Viewers) -> None:
    async with WhepClient("H264", "VP8") as client:
        sdp = await client.offer()
        assert sdp.index("H264/90000") < sdp.index("VP8/90000")
        _, _, answer = await viewers.answer(Offer.parse(sdp))
    codecs = [line.split()[1] for line in answer.splitlines() if line.startswith("a=rtpmap")]
    assert codecs[0] == "VP8/90000"
    assert "H264/90000" in codecs
    assert "a=candidate" in answer
    assert "a=sendonly" in answer


async def test_an_offer_without_candidates_connects_as_obs_makes_it(
    viewers: Viewers, sink: WebRtcSink
) -> None:
    with CardPublisher(sink):
        async with WhepClient() as client:
            sdp = await client.offer()
            assert "a=candidate" not in as_obs(sdp)
            assert "a=end-of-candidates" in as_obs(sdp)
            client.session_id, _, answer = await viewers.answer(Offer.parse(as_obs(sdp)))
            await client.take(answer)
            assert await numbers(client, 2)


async def test_two_viewers_share_conversions(viewers: Viewers, sink: WebRtcSink) -> None:
    with CardPublisher(sink):
        async with WhepClient() as one, WhepClient() as other:
            await one.watch(viewers)
            await other.watch(viewers)
            seen = await asyncio.gather(numbers(one, 10), numbers(other, 10))
    assert all(len(found) == 10 for found in seen)
    assert viewers.stats().frames_sent > viewers._converter.converted


async def test_a_removed_viewer_leaves_nothing(viewers: Viewers, sink: WebRtcSink) -> None:
    tasks, threads = asyncio.all_tasks(), threading.active_count()
    with CardPublisher(sink):
        async with WhepClient() as client:
            await client.watch(viewers)
            await client.frame()
            assert len(viewers) == len(sink.broadcast) == 1
            assert client.session_id in viewers.sessions
            await asyncio.wait_for(viewers.remove(client.session_id), WAIT_S)
            await viewers.remove(client.session_id)
            assert len(viewers) == len(sink.broadcast) == 0
    await asyncio.wait_for(viewers.close(), WAIT_S)
    leftover = {task for task in asyncio.all_tasks() - tasks if not task.done()}
    assert not leftover
    # aiortc encodes in asyncio's default executor, which keeps its threads until the loop ends.
    ours = [thread for thread in threading.enumerate() if not thread.name.startswith("asyncio_")]
    assert len(ours) <= threads


async def test_a_viewer_that_closes_is_gone(
    viewers: Viewers, sink: WebRtcSink, broadcast: WatchedBroadcast
) -> None:
    with CardPublisher(sink):
        async with WhepClient() as client:
            await client.watch(viewers)
            await client.frame()
        await asyncio.wait_for(broadcast.deserted.wait(), WAIT_S)
    assert viewers.stats().connected == len(viewers) == 0
    assert viewers.stats().accepted == 1


async def test_a_viewer_that_vanishes_is_gone(sink: WebRtcSink) -> None:
    clock = FakeClock()
    viewers = Viewers(sink.broadcast, clock=clock)
    with CardPublisher(sink):
        async with WhepClient() as client:
            await client.watch(viewers)
            await client.frame()
            # Its sockets stay, and say nothing any more.
            for receiver in client.peer.getReceivers():
                receiver.transport._send_rtp = lambda data: asyncio.sleep(0)
                receiver.transport.transport._send = lambda data: asyncio.sleep(0)
            turns = 0
            while len(viewers) and turns < 1000:
                clock.advance(NS_PER_S)
                turns += 1
                viewers._changed.set()
                await settle()
            assert len(viewers) == 0
            assert turns >= SILENCE_NS // NS_PER_S
    await asyncio.wait_for(viewers.close(), WAIT_S)


async def test_a_viewer_that_never_comes_is_gone(sink: WebRtcSink, broadcast: WatchedBroadcast) -> None:
    clock = FakeClock()
    viewers = Viewers(sink.broadcast, clock=clock)
    await viewers.answer(Offer.parse(offer_sdp()))
    clock.advance(CONNECT_WITHIN_NS)
    viewers._changed.set()
    await asyncio.wait_for(broadcast.deserted.wait(), WAIT_S)
    assert len(viewers) == 0
    await asyncio.wait_for(viewers.close(), WAIT_S)


async def test_no_more_than_are_allowed(sink: WebRtcSink) -> None:
    viewers = Viewers(sink.broadcast, max_viewers=1)
    await viewers.answer(Offer.parse(offer_sdp()))
    assert viewers.full
    with pytest.raises(SignallingError) as caught:
        await viewers.answer(Offer.parse(offer_sdp()))
    assert caught.value.status == 503
    assert len(viewers) == len(sink.broadcast) == 1
    await asyncio.wait_for(viewers.close(), WAIT_S)


async def test_many_at_once_keep_the_limit(viewers: Viewers) -> None:
    answers = await asyncio.gather(
        *(viewers.answer(Offer.parse(offer_sdp())) for _ in range(8)), return_exceptions=True
    )
    assert sum(isinstance(answer, tuple) for answer in answers) == viewers_module.MAX_VIEWERS
    assert all(answer.status == 503 for answer in answers if isinstance(answer, SignallingError))
    identifiers = {answer[0] for answer in answers if isinstance(answer, tuple)}
    assert len(identifiers) == viewers_module.MAX_VIEWERS
    assert all(len(identifier) >= 32 for identifier in identifiers)


@pytest.mark.parametrize(
    ("sdp", "status"),
    [
        (offer_sdp(section(codec="VP8/8000")), 422),
        (offer_sdp(section(codec="H264/90000") + "a=fmtp:96 packetization-mode=0\r\n"), 422),
        (offer_sdp(section() + "a=fmtp:99 x=y\r\n"), 400),
        (offer_sdp(section() + "a=extmap:x y\r\n"), 400),
        (offer_sdp(section() + "a=ssrc:1\r\n"), 400),
    ],
)
async def test_what_aiortc_refuses_leaves_nothing(
    viewers: Viewers, sink: WebRtcSink, sdp: str, status: int
) -> None:
    offer = Offer.parse(sdp)
    with pytest.raises(SignallingError) as caught:
        await viewers.answer(offer)
    assert caught.value.status == status
    assert len(viewers) == len(sink.broadcast) == 0


async def test_nothing_that_a_peer_offers_to_send_is_received(viewers: Viewers) -> None:
    sections = section(way="sendrecv"), section("audio", "1", "opus/48000/2", "sendrecv")
    _, _, answer = await viewers.answer(Offer.parse(offer_sdp(*sections)))
    ways = [
        line
        for line in answer.splitlines()
        if line in ("a=sendonly", "a=inactive", "a=sendrecv", "a=recvonly")
    ]
    assert ways == ["a=sendonly", "a=inactive"]


@pytest.fixture
def stun_server() -> Iterator[socket.socket]:
    """Hears what is asked of it, and answers nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.setblocking(False)
        yield listening


async def test_no_server_is_asked_by_default(
    viewers: Viewers, stun_server: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_network()
    google = RTCIceServer(f"stun:127.0.0.1:{stun_server.getsockname()[1]}")
    monkeypatch.setattr(RTCIceGatherer, "getDefaultIceServers", lambda: [google])
    _, _, answer = await viewers.answer(Offer.parse(offer_sdp()))
    assert " typ host" in answer
    with pytest.raises(BlockingIOError):
        stun_server.recv(2048)


async def test_a_server_that_was_named_is_asked(sink: WebRtcSink, stun_server: socket.socket) -> None:
    require_network()
    url = f"stun:127.0.0.1:{stun_server.getsockname()[1]}"
    viewers = Viewers(sink.broadcast, ice_servers=[RTCIceServer(url)])
    answering = asyncio.create_task(viewers.answer(Offer.parse(offer_sdp())))
    asked = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(stun_server, 2048), WAIT_S)
    assert asked[:2] == STUN_BINDING_REQUEST
    answering.cancel()
    await asyncio.wait({answering}, timeout=WAIT_S)
    assert len(sink.broadcast) == 0
    await asyncio.wait_for(viewers.close(), WAIT_S)


async def test_candidates_after_the_offer_are_taken_and_bad_ones_passed_over(
    viewers: Viewers, sink: WebRtcSink
) -> None:
    with CardPublisher(sink):
        async with WhepClient() as client:
            given = Offer.parse(await client.offer())
            client.session_id, _, answer = await viewers.answer(Offer(given.sdp, (), given.ufrag))
            bad = Offer.parse(offer_sdp()).candidates[0]
            await viewers.add_candidates(client.session_id, (bad, *given.candidates))
            await viewers.add_candidates("nobody", given.candidates)
            await client.take(answer)
            assert await client.frame()


async def test_a_picture_of_another_size_goes_through(viewers: Viewers, sink: WebRtcSink) -> None:
    async with WhepClient() as client:
        with CardPublisher(sink):
            await client.watch(viewers)
            assert (await client.frame()).width == 640
        with CardPublisher(sink, 320, 240):
            widths = [(await client.frame()).width for _ in range(30)]
    assert widths[-1] == 320


async def test_close_ends_everybody_and_takes_no_more(sink: WebRtcSink) -> None:
    viewers = Viewers(sink.broadcast)
    await viewers.answer(Offer.parse(offer_sdp()))
    answering = asyncio.create_task(viewers.answer(Offer.parse(offer_sdp())))
    await asyncio.sleep(0)
    await asyncio.wait_for(viewers.close(), WAIT_S)
    assert answering.done()
    with pytest.raises(SignallingError):
        await answering
    await asyncio.wait_for(viewers.close(), WAIT_S)
    with pytest.raises(SignallingError):
        await viewers.answer(Offer.parse(offer_sdp()))
    assert len(viewers) == len(sink.broadcast) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="counts open files by /dev/fd")
async def test_many_come_and_go_and_their_sockets_with_them(viewers: Viewers, sink: WebRtcSink) -> None:
    before = len(os.listdir("/dev/fd"))
    for _ in range(5):
        session_id, _, _ = await viewers.answer(Offer.parse(offer_sdp()))
        assert len(os.listdir("/dev/fd")) > before
        await viewers.remove(session_id)
        await settle()
    assert len(os.listdir("/dev/fd")) == before
    assert len(sink.broadcast) == 0
