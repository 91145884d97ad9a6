"""Reads test cards back from a page's <video>, by the layout of `realtime.capture.testcard`."""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from playwright.async_api import Page

from realtime.capture import testcard

__all__ = ["PageReading", "playing", "read_page"]

_SCRIPT = Path(__file__).with_suffix(".js").read_text()
_LAYOUT = {
    "cells": testcard.CELLS,
    "first": testcard.FIRST_CELL,
    "sync": testcard.SYNC,
    "syncBits": testcard.SYNC_BITS,
    "numberBits": testcard.NUMBER_BITS,
    "wallBits": testcard.WALL_BITS,
    "checkBits": testcard.CHECK_BITS,
    "polynomial": testcard.CRC8_POLYNOMIAL,
    "contrast": testcard.LEAST_CONTRAST,
}


@dataclass(frozen=True, slots=True)
class PageReading:
    """What was seen in a page's <video> over some seconds."""

    fps: float
    """Frames a second that the browser showed."""
    age_ms_p50: float
    """From the wall clock drawn in the picture to the canvas: half of the frames read were younger."""
    age_ms_p95: float
    """95 in 100 were younger."""
    first_number: int
    last_number: int
    read: int
    """Frames whose number could be read."""
    rising: bool
    """True when every number read is greater than the one before it."""

    def __str__(self) -> str:
        return (
            f"{self.fps:.1f} frames per second, {self.read} read, "
            f"age p50 {self.age_ms_p50:.0f} ms, p95 {self.age_ms_p95:.0f} ms"
        )


async def playing(page: Page, timeout_s: float = 20.0) -> None:
    """Wait until the page, "/" or "/player", says that its picture plays."""
    await page.locator("[data-state=playing]").wait_for(state="attached", timeout=1000 * timeout_s)


async def read_page(page: Page, seconds: float) -> PageReading:
    """Watch the first <video> of a page that plays a test card, for `seconds`.

    Raises AssertionError when no number could be read.
    """
    seen = await page.evaluate(_SCRIPT, {"seconds": seconds, "layout": _LAYOUT})
    readings = seen["readings"]
    assert readings, f"no test card in {seen['shown']} frames shown"
    ages = sorted(reading["age"] for reading in readings)
    numbers = [reading["number"] for reading in readings]
    return PageReading(
        fps=1000 * seen["shown"] / seen["tookMs"],
        age_ms_p50=ages[len(ages) // 2],
        age_ms_p95=ages[min(len(ages) - 1, len(ages) * 95 // 100)],
        first_number=numbers[0],
        last_number=numbers[-1],
        read=len(numbers),
        rising=all(later > earlier for earlier, later in pairwise(numbers)),
    )
