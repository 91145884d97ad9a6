import asyncio
import socket

import aiohttp
import pytest

from realtime.errors import ConfigError, DeviceError
from realtime.rtc.viewers import Viewers
from realtime.web.server import WebServer
from tests.fakes.status_view import FakeStatusView

WAIT_S = 15.0


async def test_a_port_in_use_is_said_plainly(viewers: Viewers, view: FakeStatusView) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        server = WebServer("127.0.0.1", port, None, viewers, view)
        with pytest.raises(DeviceError) as caught:
            await server.start()
        await server.close()
    assert caught.value.message == f"port {port} on 127.0.0.1 is in use"
    assert "--port" in caught.value.hint
    assert caught.value.exit_code == 3


async def test_two_of_us_do_not_share_a_port(
    server: WebServer, viewers: Viewers, view: FakeStatusView
) -> None:
    port = int(server.url.rsplit(":", 1)[1])
    with pytest.raises(DeviceError, match="in use"):
        await WebServer("127.0.0.1", port, None, viewers, view).start()


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
async def test_an_address_that_is_not_ours_is_said_plainly(
    viewers: Viewers, view: FakeStatusView, host: str
) -> None:
    with pytest.raises(DeviceError, match=f"cannot listen on {host}"):
        await WebServer(host, 0, "s3cret", viewers, view).start()


async def test_other_machines_need_a_token(viewers: Viewers, view: FakeStatusView) -> None:
    with pytest.raises(ConfigError):
        WebServer("0.0.0.0", 0, None, viewers, view)


async def test_it_starts_again_on_its_port_after_close(
    viewers: Viewers, view: FakeStatusView, http: aiohttp.ClientSession
) -> None:
    port = 0
    for _ in range(2):
        server = WebServer("127.0.0.1", port, None, viewers, view)
        await server.start()
        port = int(server.url.rsplit(":", 1)[1])
        async with http.get(f"{server.url}/healthz", headers={"Connection": "close"}) as response:
            assert response.status == 200
        await asyncio.wait_for(server.close(), WAIT_S)
        await server.close()


@pytest.mark.parametrize(
    ("host", "url"),
    [("127.0.0.1", "http://127.0.0.1:81"), ("::1", "http://[::1]:81"), ("0.0.0.0", "http://127.0.0.1:81")],
)
async def test_its_url_is_one_to_open_here(
    viewers: Viewers, view: FakeStatusView, host: str, url: str
) -> None:
    assert WebServer(host, 81, "s3cret", viewers, view).url == url


async def test_its_page_url_carries_the_token_in_the_fragment(viewers: Viewers, view: FakeStatusView) -> None:
    assert WebServer("127.0.0.1", 81, None, viewers, view).page_url == "http://127.0.0.1:81"
    assert WebServer("::1", 81, "a/b#c", viewers, view).page_url == "http://[::1]:81/#token=a%2Fb%23c"
