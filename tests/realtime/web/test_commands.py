from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp
import pytest

from realtime.errors import ConfigError
from realtime.rtc.viewers import Viewers
from realtime.web.server import WebServer
from tests.fakes.status_view import FakeStatusView

TOKEN = {"Authorization": "Bearer s3cret"}


class RecordingControl:
    def __init__(self) -> None:
        self.values: dict[str, Any] = {"face.uris": ("persona:porcelain",), "neural.fidelity": 0.5}
        self.applied: list[tuple[dict[str, Any], bool]] = []
        self.fail: ConfigError | None = None

    def settings(self) -> Mapping[str, Any]:
        return self.values

    async def apply(self, values: Mapping[str, Any], consent: bool) -> str:
        if self.fail is not None:
            raise self.fail
        self.applied.append((dict(values), consent))
        self.values.update(values)
        return "faces"


@pytest.fixture
def control() -> RecordingControl:
    return RecordingControl()


@pytest.fixture
async def commanded(
    viewers: Viewers, view: FakeStatusView, control: RecordingControl
) -> AsyncIterator[WebServer]:
    server = WebServer("127.0.0.1", 0, "s3cret", viewers, view, control=control)
    await server.start()
    yield server
    await server.close()


async def test_what_can_be_changed_is_read(commanded: WebServer, http: aiohttp.ClientSession) -> None:
    async with http.get(f"{commanded.url}/api/v1/config", headers=TOKEN) as response:
        assert response.status == 200
        assert await response.json() == {
            "settings": {"face.uris": ["persona:porcelain"], "neural.fidelity": 0.5}
        }


async def test_a_command_changes_it(
    commanded: WebServer, control: RecordingControl, http: aiohttp.ClientSession
) -> None:
    asked = {"set": {"face.uris": ["persona:ink"]}, "consent": True}
    async with http.post(f"{commanded.url}/api/v1/commands", json=asked, headers=TOKEN) as response:
        assert response.status == 200
        answer = await response.json()
    assert answer["made"] == "faces"
    assert answer["settings"]["face.uris"] == ["persona:ink"]
    assert control.applied == [({"face.uris": ["persona:ink"]}, True)]


async def test_consent_is_not_taken_for_granted(
    commanded: WebServer, control: RecordingControl, http: aiohttp.ClientSession
) -> None:
    asked = {"set": {"face.uris": ["anna.png"]}}
    async with http.post(f"{commanded.url}/api/v1/commands", json=asked, headers=TOKEN):
        pass
    assert control.applied == [({"face.uris": ["anna.png"]}, False)]


async def test_a_refusal_says_what_and_what_to_do(
    commanded: WebServer, control: RecordingControl, http: aiohttp.ClientSession
) -> None:
    control.fail = ConfigError("there is no face 'x'", "see: realtime faces list")
    async with http.post(
        f"{commanded.url}/api/v1/commands", json={"set": {"face.uris": ["x"]}}, headers=TOKEN
    ) as response:
        assert response.status == 400
        assert await response.json() == {"error": "there is no face 'x'", "hint": "see: realtime faces list"}


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b'{"set": {}, "more": 1}', "application/json", 400),
        (b'{"set": {"a": NaN}}', "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b'{"set": {}}', "text/plain", 415),
        (b'{"set": {}}', "application/x-www-form-urlencoded", 415),
        (b'{"set": {"a": "' + b"x" * 70_000 + b'"}}', "application/json", 413),
    ],
)
async def test_what_is_no_command_is_turned_away(
    commanded: WebServer,
    control: RecordingControl,
    http: aiohttp.ClientSession,
    body: bytes,
    kind: str,
    status: int,
) -> None:
    headers = {**TOKEN, "Content-Type": kind}
    async with http.post(f"{commanded.url}/api/v1/commands", data=body, headers=headers) as response:
        assert response.status == status
        answer = await response.json()
    assert set(answer) == {"error", "hint"}
    assert control.applied == []


@pytest.mark.parametrize("path", ["commands", "config"])
async def test_strangers_are_turned_away(
    commanded: WebServer, control: RecordingControl, http: aiohttp.ClientSession, path: str
) -> None:
    method = "POST" if path == "commands" else "GET"
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        async with http.request(
            method, f"{commanded.url}/api/v1/{path}", json={"set": {}}, headers=headers
        ) as response:
            assert response.status == 401
    origin = {**TOKEN, "Origin": "https://evil.example"}
    async with http.request(
        method, f"{commanded.url}/api/v1/{path}", json={"set": {}}, headers=origin
    ) as response:
        assert response.status == 403
    assert control.applied == []


async def test_a_server_without_control_takes_no_commands(
    server: WebServer, http: aiohttp.ClientSession
) -> None:
    async with http.post(f"{server.url}/api/v1/commands", json={"set": {}}) as response:
        assert response.status == 404
