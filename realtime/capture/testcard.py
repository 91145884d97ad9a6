"""A test card: the portrait in motion, its frame number and time written so that a machine can read them.

The strip along the bottom edge is `CELLS` square cells wide and `STRIP_ROWS` cells high; a cell's side is the
picture's width / `CELLS` (16 px at 1280), whatever the height. From left to right:

| cells | what |
|---|---|
| 0 to 7 | black |
| 8 to 15 | `SYNC`, most significant bit first: also tells what black and white have become on the way |
| 16 to 39 | the frame number modulo 2**24, most significant bit first |
| 40 to 63 | the wall clock in milliseconds modulo 2**24, most significant bit first |
| 64 to 71 | CRC-8 (polynomial 0x07, initial value 0) over the six bytes in between |
| 72 to 79 | black |

A one is white, a zero black. To read cell i, take the mean luma of the middle half of its square:
x from (i + 0.25) to (i + 0.75) cells, y from 0.5 to 1.5 cells above the bottom edge.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.capture.base import Grab, Pixels, SourceInfo
from realtime.capture.pacing import Pacing
from realtime.capture.still import StillSource
from realtime.clock import NS_PER_MS, Clock, MonotonicClock
from realtime.lettering import blend, text_mask

__all__ = ["CELLS", "CardReading", "TestCardSource", "read_card", "strip_bits", "write_strip"]

CELLS = 80
STRIP_ROWS = 2
FIRST_CELL = 8
SYNC = 0b10110010
SYNC_BITS = 8
NUMBER_BITS = 24
WALL_BITS = 24
CHECK_BITS = 8
CRC8_POLYNOMIAL = 0x07
LEAST_CONTRAST = 40
"""Difference between white and black, of 255, below which there is no strip."""

BARS = ((191, 191, 191), (0, 191, 191), (191, 191, 0), (0, 191, 0), (191, 0, 191), (0, 0, 191), (191, 0, 0))
"""75 % colour bars (the order of SMPTE EG 1), BGR."""
DIGITS = "0123456789"


@dataclass(frozen=True, slots=True)
class CardReading:
    """What a test card's strip says."""

    number: int
    """Frame number, modulo 2**24."""
    wall_ms: int
    """Wall clock when the frame was drawn, in milliseconds modulo 2**24."""


def wall_clock_ms() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // NS_PER_MS


class TestCardSource:
    """The built-in portrait in motion between colour bars, numbered. Endless.

    As fast as it is read; `paced`, it comes at its own rate like a camera, and its wall clock is that of the
    hand-over: an age read from the card then holds no wait for the frame's turn.
    """

    __test__ = False

    def __init__(
        self,
        width: int,
        height: int,
        fps: float,
        wall_ms: Callable[[], int] = wall_clock_ms,
        paced: bool = False,
        clock: Clock | None = None,
    ) -> None:
        self._width = width
        self._height = height
        self._fps = fps
        self._wall_ms = wall_ms
        self._paced = paced
        self._clock = clock or MonotonicClock()
        self._pacing = Pacing()
        self._closed = threading.Event()
        self._still = StillSource(None, width, height, fps)
        self._number = 0
        self._edge = max(4, round(height / 22))
        self._bars = _bars(width, self._edge)
        self._glyphs = _glyphs(max(10, round(height / 14)))

    def open(self) -> SourceInfo:
        """Get ready; never fails."""
        self._number = 0
        self._pacing = Pacing()
        self._closed.clear()
        self._still.open()
        description = f"test card, {self._width}x{self._height}"
        return SourceInfo("testcard:", description, self._width, self._height, self._fps, self._paced)

    def read(self, pixels: Pixels) -> Grab:
        """The next picture; it never ends. Raises DeviceError when not open."""
        grab = self._still.read(pixels)
        bgr, edge = grab.bgr, self._edge
        bgr[:edge] = self._bars
        bgr[edge:, :edge] = (96, 96, 96)
        bgr[edge:, -edge:] = (96, 96, 96)
        self._rule(bgr)
        self._write_number(bgr)
        if self._paced:
            due_ns = self._pacing.due_ns(grab.media_ns, grab.epoch, self._clock.now_ns())
            self._clock.wait_until(due_ns, self._closed)
        write_strip(bgr, self._number, self._wall_ms())
        self._number += 1
        return grab

    def truth(self, media_ns: int) -> NDArray[np.float64]:
        """From pixels of the portrait to pixels of the frame, as `StillSource.truth`."""
        return self._still.truth(media_ns)

    def close(self) -> None:
        self._closed.set()
        self._still.close()

    def _rule(self, bgr: NDArray[np.uint8]) -> None:
        """Rulers down both sides: a tick for each edge's height, for judging scale and cropping by eye."""
        edge = self._edge
        for row in range(2 * edge, self._height, 2 * edge):
            bgr[row : row + edge, :edge] = (224, 224, 224)
            bgr[row : row + edge, -edge:] = (224, 224, 224)

    def _write_number(self, bgr: NDArray[np.uint8]) -> None:
        """The frame number for people, in the lower right corner above the strip."""
        digits = [self._glyphs[int(digit)] for digit in f"{self._number:06d}"]
        wide, tall = sum(glyph.shape[1] for glyph in digits), digits[0].shape[0]
        pad = tall // 4
        x = self._width - self._edge - wide - 3 * pad
        y = self._height - STRIP_ROWS * self._width // CELLS - tall - 2 * pad
        if x < 0 or y < 0:
            return
        bgr[y - pad // 2 : y + tall, x - pad : x + wide + pad] = (34, 26, 22)
        for glyph in digits:
            blend(bgr, glyph, x, y, (245, 245, 245))
            x += glyph.shape[1]


def strip_bits(number: int, wall_ms: int) -> NDArray[np.uint8]:
    """The strip's cells from left to right, (CELLS,) uint8 of 0 and 1."""
    number %= 1 << NUMBER_BITS
    wall_ms %= 1 << WALL_BITS
    payload = number << WALL_BITS | wall_ms
    word = SYNC << NUMBER_BITS + WALL_BITS + CHECK_BITS | payload << CHECK_BITS | _crc8(payload)
    length = SYNC_BITS + NUMBER_BITS + WALL_BITS + CHECK_BITS
    cells = np.zeros(CELLS, np.uint8)
    cells[FIRST_CELL : FIRST_CELL + length] = [word >> shift & 1 for shift in range(length - 1, -1, -1)]
    return cells


def write_strip(bgr: NDArray[np.uint8], number: int, wall_ms: int) -> None:
    """Draw the strip along the bottom edge of `bgr`, (H, W, 3) uint8, in place."""
    height, width = bgr.shape[:2]
    cell_of = np.arange(width) * CELLS // width
    row = strip_bits(number, wall_ms)[cell_of] * np.uint8(255)
    bgr[height - max(1, STRIP_ROWS * width // CELLS) :] = row[None, :, None]


def read_card(bgr: NDArray[np.uint8]) -> CardReading | None:
    """What the strip of `bgr`, (H, W, 3) uint8 of any size, says; None without one that is whole."""
    height, width = bgr.shape[:2]
    cell = width / CELLS
    top, bottom = round(height - 1.5 * cell), max(round(height - 0.5 * cell), round(height - 1.5 * cell) + 1)
    if top < 0 or cell < 1:
        return None
    luma = cv2.cvtColor(np.ascontiguousarray(bgr[top:bottom]), cv2.COLOR_BGR2GRAY).mean(axis=0)
    sums = np.concatenate([[0.0], np.cumsum(luma)])
    edges = (np.arange(CELLS)[:, None] + (0.25, 0.75)) * cell
    upto = np.interp(edges, np.arange(width + 1), sums)
    means = (upto[:, 1] - upto[:, 0]) / (cell / 2)

    sync = np.array([SYNC >> shift & 1 for shift in range(SYNC_BITS - 1, -1, -1)], bool)
    seen = means[FIRST_CELL : FIRST_CELL + SYNC_BITS]
    black, white = float(seen[~sync].mean()), float(seen[sync].mean())
    if white - black < LEAST_CONTRAST:
        return None
    bits = means > (white + black) / 2
    if not np.array_equal(bits[FIRST_CELL : FIRST_CELL + SYNC_BITS], sync):
        return None
    start = FIRST_CELL + SYNC_BITS
    payload = _integer(bits[start : start + NUMBER_BITS + WALL_BITS])
    start += NUMBER_BITS + WALL_BITS
    if _integer(bits[start : start + CHECK_BITS]) != _crc8(payload):
        return None
    return CardReading(payload >> WALL_BITS, payload & (1 << WALL_BITS) - 1)


def _integer(bits: NDArray[np.bool_]) -> int:
    """Bits, most significant first, as a number."""
    return int("".join("1" if bit else "0" for bit in bits), 2)


def _crc8(payload: int) -> int:
    """CRC-8 with polynomial x^8 + x^2 + x + 1 over the payload's six bytes, first byte first."""
    check = 0
    for byte in payload.to_bytes((NUMBER_BITS + WALL_BITS) // 8, "big"):
        check ^= byte
        for _ in range(8):
            check = check << 1 ^ (CRC8_POLYNOMIAL if check & 0x80 else 0)
            check &= 0xFF
    return check


def _bars(width: int, tall: int) -> NDArray[np.uint8]:
    """Colour bars over the full width, (tall, width, 3) uint8 BGR."""
    colours = np.array(BARS, np.uint8)
    row = colours[np.arange(width) * len(BARS) // width]
    return np.repeat(row[None], tall, axis=0)


def _glyphs(size_px: int) -> list[NDArray[np.uint8]]:
    """The ten digits, all equally wide, as coverage."""
    masks = [text_mask(digit, size_px, 700) for digit in DIGITS]
    wide = max(mask.shape[1] for mask in masks)
    return [
        np.pad(
            mask, ((0, 0), ((wide - mask.shape[1]) // 2, wide - mask.shape[1] - (wide - mask.shape[1]) // 2))
        )
        for mask in masks
    ]
