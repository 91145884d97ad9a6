import asyncio
import gc
import random

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from realtime.capture.testcard import read_card
from realtime.rtc.session import MAX_BODY_BYTES
from realtime.rtc.viewers import Viewers
from realtime.sinks.webrtc import WebRtcSink
from realtime.slot import Broadcast
from realtime.web.server import WebServer
from tests.fakes.card_publisher import CardPublisher
from tests.fakes.offers import CANDIDATE, offer_sdp
from tests.fakes.status_view import FakeStatusView
from tests.fakes.whep_client import WhepClient

SDP = {"Content-Type": "application/sdp"}
TRICKLE = {"Content-Type": "application/trickle-ice-sdpfrag"}
WAIT_S = 15.0


async def test_from_offer_to_picture_to_delete(
    server: WebServer, viewers: Viewers, sink: WebRtcSink, http: aiohttp.ClientSession
) -> None:
    with CardPublisher(sink):
        async with WhepClient() as client:
            await client.post(http, f"{server.url}/whep")
            numbers = []
            while len(numbers) < 5:
                reading = read_card((await client.frame()).to_ndarray(format="bgr24"))
                numbers += [reading.number] if reading else []
            assert numbers == sorted(set(numbers))
            session = f"{server.url}/whep/{client.session_id}"
            fragment = f"m=video 9 RTP/AVP 0\r\na=mid:0\r\na=candidate:{CANDIDATE}\r\n"
            async with http.patch(session, data=fragment, headers=TRICKLE) as response:
                assert response.status == 204
            async with http.delete(session) as response:
                assert response.status == 200
            assert len(viewers) == len(sink.broadcast) == 0
            async with http.delete(session) as response:
                assert response.status == 404


async def test_201_has_all_that_a_client_needs(server: WebServer, http: aiohttp.ClientSession) -> None:
    async with http.post(f"{server.url}/whep", data=offer_sdp(), headers=SDP) as response:
        assert response.status == 201
        assert response.headers["Content-Type"] == "application/sdp"
        assert response.headers["ETag"].strip('"') in await response.text()
        assert "Location" in response.headers["Access-Control-Expose-Headers"]
        assert len(response.headers["Location"]) > len("/whep/") + 30


async def test_the_token_is_asked_for(guarded: WebServer, http: aiohttp.ClientSession) -> None:
    async with http.post(f"{guarded.url}/whep", data=offer_sdp(), headers=SDP) as response:
        assert response.status == 401
        assert response.headers["WWW-Authenticate"].startswith("Bearer")
    headers = {**SDP, "Authorization": "Bearer s3cret"}
    async with http.post(f"{guarded.url}/whep", data=offer_sdp(), headers=headers) as response:
        assert response.status == 201


async def test_nobody_comes_in_before_the_program_is_ready_or_when_it_is_full(
    server: WebServer, view: FakeStatusView, http: aiohttp.ClientSession
) -> None:
    view.is_ready = False
    async with http.post(f"{server.url}/whep", data=offer_sdp(), headers=SDP) as response:
        assert response.status == 503
        assert int(response.headers["Retry-After"]) > 0
    view.is_ready = True
    statuses = []
    for _ in range(5):
        async with http.post(f"{server.url}/whep", data=offer_sdp(), headers=SDP) as response:
            statuses.append(response.status)
    assert statuses == [201, 201, 201, 201, 503]


@pytest.mark.parametrize("chunked", [True, False])
async def test_a_long_body_is_refused_without_being_read(
    server: WebServer, http: aiohttp.ClientSession, chunked: bool
) -> None:
    sent = 0

    async def endless():
        nonlocal sent
        for _ in range(1000):
            sent += 65536
            yield bytes(65536)

    data = endless() if chunked else bytes(MAX_BODY_BYTES + 1)
    try:
        async with http.post(f"{server.url}/whep", data=data, headers=SDP) as response:
            assert response.status == 413
    except aiohttp.ClientConnectionError:
        # The server closed while we were still sending.
        assert chunked
    assert sent < 1000 * 65536


METHODS = st.sampled_from(["GET", "HEAD", "POST", "PATCH", "DELETE", "OPTIONS", "PUT", "TRACE", "FOO"])
LINES = st.sampled_from(offer_sdp().split("\r\n"))
BODIES = st.binary(max_size=300) | st.lists(LINES | st.text(max_size=30), max_size=40).map(
    lambda lines: ("v=0\r\n" + "\r\n".join(lines)).encode()
)
TYPES = st.sampled_from([SDP, TRICKLE, {}, {"Content-Type": "text/plain"}])


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(requests=st.lists(st.tuples(METHODS, st.booleans(), BODIES, TYPES), min_size=1, max_size=4))
def test_no_request_gets_a_500(requests: list[tuple[str, bool, bytes, dict[str, str]]]) -> None:
    async def main() -> list[int]:
        statuses = []
        sink = WebRtcSink(Broadcast(), "")
        viewers = Viewers(sink.broadcast)
        server = WebServer("127.0.0.1", 0, None, viewers, FakeStatusView())
        await server.start()
        try:
            async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(WAIT_S)) as http:
                async with http.post(f"{server.url}/whep", data=offer_sdp(), headers=SDP) as response:
                    session = response.headers["Location"]
                for method, to_session, body, headers in requests:
                    url = server.url + (session if to_session else "/whep")
                    async with http.request(method, url, data=body, headers=headers) as response:
                        statuses.append(response.status)
        finally:
            await server.close()
            await asyncio.wait_for(viewers.close(), WAIT_S)
        return statuses

    assert all(status < 500 or status == 503 for status in asyncio.run(main()))


async def test_hostile_offers_are_refused_and_leave_nothing(
    server: WebServer,
    viewers: Viewers,
    sink: WebRtcSink,
    http: aiohttp.ClientSession,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A real offer with its lines cut, doubled, swapped and bent; a fixed seed, so that it comes again."""
    chance = random.Random(7)
    async with WhepClient() as client:
        lines = (await client.offer()).split("\r\n")
    for _ in range(150):
        damaged = list(lines)
        for _ in range(chance.randint(1, 4)):
            place, other = chance.randrange(len(damaged)), chance.randrange(len(damaged))
            match chance.randrange(4):
                case 0:
                    damaged[place] = damaged[place][: chance.randrange(len(damaged[place]) + 1)]
                case 1:
                    damaged.insert(place, damaged[other])
                case 2:
                    damaged[place], damaged[other] = damaged[other], damaged[place]
                case _:
                    damaged[place] = damaged[place].replace(":", chance.choice(["", "::", ": "]))
        async with http.post(f"{server.url}/whep", data="\r\n".join(damaged), headers=SDP) as response:
            assert response.status in (201, 400, 422), "\r\n".join(damaged)
            if response.status == 201:
                async with http.delete(server.url + response.headers["Location"]) as deleted:
                    assert deleted.status == 200
    assert len(viewers) == len(sink.broadcast) == 0
    gc.collect()
    assert not [record for record in caplog.records if record.levelname in ("ERROR", "CRITICAL")]
