"""The real page in a real browser, fed with test cards by a thread of this process."""

import asyncio
import sys
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, expect

from realtime.frame import Picture
from realtime.rtc.viewers import Viewers
from realtime.sinks.webrtc import WebRtcSink
from realtime.slot import Broadcast, Latest
from realtime.web.server import WebServer
from tests.browser.page_reader import playing, read_page
from tests.fakes.card_publisher import CardPublisher
from tests.fakes.status_view import FakeStatusView

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WAIT_S = 20.0
WARM_UP_S = 3.0
WATCH_S = 4.0


class WatchedBroadcast(Broadcast[Picture]):
    """Says when its last reader has left."""

    def __init__(self) -> None:
        super().__init__()
        self.deserted = asyncio.Event()

    def subscribe(self, notify=None) -> Latest[Picture]:
        self.deserted.clear()
        return super().subscribe(notify)

    def unsubscribe(self, slot: Latest[Picture]) -> None:
        super().unsubscribe(slot)
        if not len(self):
            self.deserted.set()


@pytest.fixture
async def broadcast() -> WatchedBroadcast:
    return WatchedBroadcast()


@pytest.fixture
def view() -> FakeStatusView:
    return FakeStatusView()


@pytest.fixture
async def viewers(broadcast: WatchedBroadcast) -> AsyncIterator[Viewers]:
    viewers = Viewers(broadcast)
    yield viewers
    await asyncio.wait_for(viewers.close(), WAIT_S)


@pytest.fixture
async def server(viewers: Viewers, view: FakeStatusView) -> AsyncIterator[WebServer]:
    server = WebServer("127.0.0.1", 0, None, viewers, view)
    await server.start()
    yield server
    await asyncio.wait_for(server.close(), WAIT_S)


@pytest.fixture
def publisher(broadcast: WatchedBroadcast, server: WebServer):
    with CardPublisher(WebRtcSink(broadcast, server.url), 1280, 720) as publisher:
        yield publisher


@pytest.fixture
def complaints(page: Page) -> list[str]:
    """What the page's scripts complain about; the browser's own note of a failed fetch is none."""
    found: list[str] = []
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("console", lambda line: line.type == "error" and found.append(line.text))
    return found


@pytest.mark.usefixtures("publisher")
async def test_the_picture_moves(
    page: Page, server: WebServer, complaints: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    await page.goto(server.url)
    await playing(page)
    await asyncio.wait_for(read_page(page, WARM_UP_S), WAIT_S)
    seen = await asyncio.wait_for(read_page(page, WATCH_S), WAIT_S)
    with capsys.disabled():
        sys.stdout.write(f"\nChromium, 1280x720: {seen}\n")
    assert seen.last_number > seen.first_number
    assert seen.rising
    assert complaints == []


@pytest.mark.usefixtures("publisher")
async def test_the_figures_show(page: Page, server: WebServer, view: FakeStatusView) -> None:
    await page.goto(server.url)
    await expect(page.locator("#word")).to_have_text("LIVE")
    await expect(page.locator("#age")).to_have_text("18")
    await expect(page.locator("#age95")).to_have_text("27")
    await expect(page.locator("#fps")).to_have_text("30")
    await expect(page.locator("#detect")).to_have_text("3.7")
    await expect(page.locator("#drops")).to_have_text("2")
    await expect(page.locator("#viewers")).to_have_text("1")
    view.values |= {"shown": "card", "reason": "no face in the picture"}
    await expect(page.locator("#state")).to_contain_text("CARD SHOWN")
    await expect(page.locator("#reason")).to_have_text("no face in the picture")


@pytest.mark.usefixtures("publisher")
@pytest.mark.parametrize("path", ["/", "/player"])
async def test_a_closed_page_leaves_nothing(
    page: Page, server: WebServer, viewers: Viewers, broadcast: WatchedBroadcast, path: str
) -> None:
    await page.goto(server.url + path)
    await playing(page)
    assert len(viewers) == len(broadcast) == 1
    await page.close(run_before_unload=True)
    await asyncio.wait_for(broadcast.deserted.wait(), WAIT_S)
    assert len(viewers) == 0


@pytest.mark.usefixtures("publisher")
async def test_two_pages_play_at_once(browser: Browser, server: WebServer, viewers: Viewers) -> None:
    pages = [await browser.new_page() for _ in range(2)]
    for page in pages:
        await page.goto(f"{server.url}/player")
    for page in pages:
        await playing(page)
    assert viewers.stats().connected == 2


@pytest.mark.usefixtures("publisher")
async def test_the_player_is_the_picture_on_nothing(
    page: Page, server: WebServer, complaints: list[str]
) -> None:
    await page.set_viewport_size({"width": 640, "height": 360})
    await page.goto(f"{server.url}/player")
    await playing(page)
    background = "getComputedStyle(document.{}).backgroundColor"
    for part in ("body", "documentElement"):
        assert await page.evaluate(background.format(part)) == "rgba(0, 0, 0, 0)"
    assert await page.evaluate("document.body.innerText.trim()") == ""
    box = await page.locator("video").bounding_box()
    assert box == {"x": 0, "y": 0, "width": 640, "height": 360}
    assert complaints == []


@pytest.mark.usefixtures("publisher")
async def test_it_says_that_the_program_warms_up_and_then_plays(
    page: Page, server: WebServer, view: FakeStatusView
) -> None:
    view.is_ready = False
    await page.goto(server.url)
    await expect(page.locator("#words")).to_contain_text("warming up")
    await expect(page.locator("#word")).to_have_text("WARMING UP")
    view.is_ready = True
    await playing(page)
    await expect(page.locator("#veil")).to_be_hidden()


@pytest.mark.usefixtures("publisher")
async def test_it_comes_back_when_the_connection_is_lost(
    page: Page, server: WebServer, viewers: Viewers
) -> None:
    await page.goto(server.url)
    await playing(page)
    (session_id,) = viewers.sessions
    await viewers.remove(session_id)
    await expect(page.locator("#screen")).to_have_attribute("data-state", "waiting", timeout=1000 * WAIT_S)
    await expect(page.locator("#screen")).to_have_attribute("data-state", "playing", timeout=1000 * WAIT_S)
    assert await read_page(page, 0.5)


@pytest.mark.usefixtures("publisher")
async def test_the_token_comes_in_the_fragment_and_leaves_the_address(
    page: Page, viewers: Viewers, view: FakeStatusView
) -> None:
    server = WebServer("127.0.0.1", 0, "s3cret", viewers, view)
    await server.start()
    try:
        await page.goto(server.url)
        await expect(page.locator("#words")).to_contain_text("token")
        await page.goto("about:blank")
        await page.goto(f"{server.url}/#token=s3cret")
        await playing(page)
        assert "s3cret" not in page.url
        await expect(page.locator("#viewers")).to_have_text("1")
    finally:
        await asyncio.wait_for(server.close(), WAIT_S)


@pytest.mark.usefixtures("publisher")
async def test_it_asks_for_a_click_when_the_browser_refuses_to_play(page: Page, server: WebServer) -> None:
    await page.add_init_script(
        """
        let clicked = false
        addEventListener('click', () => { clicked = true }, { capture: true })
        const play = HTMLMediaElement.prototype.play
        HTMLMediaElement.prototype.play = function () {
          return clicked
            ? play.call(this)
            : Promise.reject(new DOMException('not yet', 'NotAllowedError'))
        }
        """
    )
    await page.goto(server.url)
    await expect(page.locator("#words")).to_contain_text("click")
    await page.get_by_role("button", name="Play").click()
    await playing(page)
    await expect(page.locator("#veil")).to_be_hidden()


async def test_it_says_that_the_codec_was_refused(page: Page, server: WebServer) -> None:
    await page.add_init_script(
        """
        const add = RTCPeerConnection.prototype.addTransceiver
        RTCPeerConnection.prototype.addTransceiver = function (...given) {
          const transceiver = add.apply(this, given)
          const codecs = RTCRtpReceiver.getCapabilities('video').codecs
          transceiver.setCodecPreferences(codecs.filter((codec) => codec.mimeType === 'video/VP9'))
          return transceiver
        }
        """
    )
    await page.goto(server.url)
    await expect(page.locator("#words")).to_contain_text("No common codec: the offer has VP9")


async def test_it_says_that_the_program_is_gone(page: Page, server: WebServer) -> None:
    await page.goto(server.url)
    await asyncio.wait_for(server.close(), WAIT_S)
    await expect(page.locator("#word")).to_have_text("STOPPED")
    await expect(page.locator("#words")).to_contain_text("Is it running?", timeout=1000 * WAIT_S)
