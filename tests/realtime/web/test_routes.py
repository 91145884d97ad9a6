import re

import aiohttp
import pytest

from realtime.telemetry.snapshot import Snapshot
from realtime.web.server import WebServer
from tests.fakes.status_view import FakeStatusView
from tests.prometheus_text import read_metrics


async def test_the_statistics_are_the_report_and_who_watches(
    server: WebServer, view: FakeStatusView, http: aiohttp.ClientSession
) -> None:
    view.values["age_ms"]["p50"] = float("nan")
    async with http.get(f"{server.url}/api/v1/stats") as response:
        assert response.status == 200
        assert response.headers["Cache-Control"] == "no-cache"
        stats = await response.json()
    assert stats["detect"] == view.values["detect"]
    assert stats["viewers"] == {"connected": 0, "limit": 4, "missed": 0}
    assert stats["ready"] is True
    assert stats["status"] == view.status_line()
    assert stats["age_ms"]["p50"] is None


async def test_the_same_figures_for_prometheus(
    server: WebServer, view: FakeStatusView, http: aiohttp.ClientSession
) -> None:
    view.snapshot = Snapshot(captured=300, backend={"swap": "openvino/CPU/fp16 (not onnx/CUDA: no driver)"})
    async with http.get(f"{server.url}/metrics") as response:
        assert response.status == 200
        assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        read = read_metrics(await response.text())
    assert read["rt_frames_total"].value(stage="capture", outcome="ok") == 300
    assert read["rt_peers"].value(state="connected") == 0
    (labels,) = read["rt_backend_info"].labels()
    assert (labels["fallback"], labels["reason"]) == ("1", "not onnx/CUDA: no driver")


async def test_ready_when_the_program_is(
    server: WebServer, view: FakeStatusView, http: aiohttp.ClientSession
) -> None:
    for ready, status in ((False, 503), (True, 200)):
        view.is_ready = ready
        async with http.get(f"{server.url}/readyz") as response:
            assert response.status == status
        async with http.get(f"{server.url}/healthz") as response:
            assert response.status == 200


@pytest.mark.parametrize("page", ["/", "/player"])
async def test_a_page_and_all_it_names_are_served(
    server: WebServer, http: aiohttp.ClientSession, page: str
) -> None:
    async with http.get(server.url + page) as response:
        assert response.status == 200
        assert "text/html" in response.headers["Content-Type"]
        assert "'unsafe" not in response.headers["Content-Security-Policy"]
        html = await response.text()
    named = re.findall(r'(?:src|href)="(/[^"]*)"', html)
    assert any(name.endswith(".js") for name in named)
    for name in named:
        async with http.get(server.url + name) as response:
            assert response.status == 200, name
            text = await response.text()
        for module in re.findall(r"from '\./([^']*)'", text):
            async with http.get(f"{server.url}/page/{module}") as response:
                assert response.status == 200, module
    # The policy allows neither inline code nor inline style.
    assert not re.search(r"<script(?![^>]*src)|style=|\son\w+=", html)


@pytest.mark.parametrize(
    "path", ["/nothing", "/page/", "/page/../server.py", "/page/%2e%2e/server.py", "/api/v1"]
)
async def test_nothing_else_is_served(server: WebServer, http: aiohttp.ClientSession, path: str) -> None:
    async with http.get(server.url + path) as response:
        assert response.status == 404
        assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", ["/api/v1/stats", "/metrics"])
async def test_the_figures_need_the_token_and_the_page_does_not(
    guarded: WebServer, http: aiohttp.ClientSession, path: str
) -> None:
    async with http.get(guarded.url + path) as response:
        assert response.status == 401
        assert response.headers["WWW-Authenticate"].startswith("Bearer")
    async with http.get(f"{guarded.url}{path}?token=s3cret") as response:
        assert response.status == 401
    async with http.get(guarded.url + path, headers={"Authorization": "Bearer s3cret"}) as response:
        assert response.status == 200
    async with http.get(guarded.url) as response:
        assert response.status == 200


@pytest.mark.parametrize(
    "headers", [{"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Origin": "null"}]
)
async def test_foreign_names_and_pages_are_turned_away(
    server: WebServer, http: aiohttp.ClientSession, headers: dict[str, str]
) -> None:
    for path in ("/", "/api/v1/stats", "/metrics", "/whep"):
        async with http.get(server.url + path, headers=headers) as response:
            assert response.status == 403
            assert "Access-Control-Allow-Origin" not in response.headers


async def test_a_named_origin_gets_its_cors_header(guarded: WebServer, http: aiohttp.ClientSession) -> None:
    headers = {"Origin": "https://obs.example", "Access-Control-Request-Method": "POST"}
    async with http.options(f"{guarded.url}/whep", headers=headers) as response:
        assert response.status == 204
        assert response.headers["Access-Control-Allow-Origin"] == "https://obs.example"
        assert "POST" in response.headers["Access-Control-Allow-Methods"]
