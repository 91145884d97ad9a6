"""The program in a process of its own, watched by Chromium: what the user of the main job sees."""

from pathlib import Path

import pytest
from playwright.async_api import Page

from tests.browser.page_reader import playing, read_page
from tests.program.process import started

SETTLE_S = 4.0
"""Chromium's decoder and its estimate of the bandwidth need this long."""
READ_S = 6.0


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.usefixtures("default_models")
async def test_the_page_shows_the_stream_and_its_figures(
    page: Page, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with started("run", "--source", "testcard:", "--sink", "webrtc:", "--port", "0", cwd=tmp_path) as program:
        url = program.wait_for(r"watch it at (http://\S+)")[1]
        program.wait_for(r"LIVE  in \d")
        await page.goto(url)
        await playing(page)
        await read_page(page, SETTLE_S)
        reading = await read_page(page, READ_S)
        words = await page.locator("body").inner_text()
        picture_px = await page.evaluate("document.querySelector('video').videoWidth")
        assert program.interrupt() == 130
    with capsys.disabled():
        print(f"\nChromium on the whole program, 1280x720 at 30: {reading}")  # noqa: T201
    assert picture_px == 1280
    assert reading.rising
    assert reading.last_number > reading.first_number
    assert reading.read > READ_S * 5
    assert "ms" in words
    assert "AI" in words
