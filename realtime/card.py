"""The card: what the outputs show instead of a face. Drawn from words alone, never from a frame."""

from collections import OrderedDict

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.lettering import blend, centred, text_mask, wrap

__all__ = ["Cards", "draw_card"]

PROGRAM = "realtime"
KEPT_CARDS = 8

TOP = (44, 33, 28)
BOTTOM = (22, 16, 14)
GLOW = (66, 50, 40)
TITLE = (245, 240, 238)
DETAIL = (178, 164, 156)
NAME = (128, 114, 106)
ACCENT = (122, 205, 255)

TEXT_WIDTH_SHARE = 0.84
LONGEST_DETAIL_LINES = 4


class Cards:
    """Drawn cards, the last few kept: a standing card is drawn once."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[int, int, str, str], NDArray[np.uint8]] = OrderedDict()

    def card(self, width: int, height: int, title: str, detail: str = "") -> NDArray[np.uint8]:
        """The card as (height, width, 3) uint8 BGR, shared and not writeable."""
        key = (width, height, title, detail)
        card = self._kept.get(key)
        if card is None:
            card = draw_card(width, height, title, detail)
            card.setflags(write=False)
            self._kept[key] = card
            if len(self._kept) > KEPT_CARDS:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(key)
        return card


def draw_card(width: int, height: int, title: str, detail: str = "") -> NDArray[np.uint8]:
    """A dark picture with an empty face, `title` and `detail` in its middle: (height, width, 3) uint8 BGR."""
    card = _ground(width, height)
    unit = min(height, width * 9 / 16)
    room_px = round(width * TEXT_WIDTH_SHARE)

    emblem = _emblem(max(16, round(unit * 0.20)))
    title_px = max(9, round(unit * 0.068))
    words = text_mask(title, title_px, 600)
    if words.shape[1] > room_px:
        title_px = max(7, title_px * room_px // words.shape[1])
        words = text_mask(title, title_px, 600)
    detail_px = max(8, round(unit * 0.034))
    lines = _balanced(detail, detail_px, room_px)

    line_px, gap_px = round(detail_px * 1.5), round(unit * 0.05)
    block_px = (
        emblem.shape[0]
        + gap_px
        + round(title_px * 1.3)
        + (gap_px // 2 + line_px * len(lines) if lines else 0)
    )
    y = max(0, round((height - block_px) * 0.48))

    centred(card, emblem, y, ACCENT)
    y += emblem.shape[0] + gap_px
    centred(card, words, y, TITLE)
    y += round(title_px * 1.3) + gap_px // 2
    for line in lines:
        centred(card, text_mask(line, detail_px, 400), y, DETAIL)
        y += line_px

    name = text_mask(PROGRAM, max(7, round(unit * 0.026)), 500)
    if y + name.shape[0] < height:
        blend(
            card, name, (width - name.shape[1]) // 2, height - round(unit * 0.05) - name.shape[0] // 2, NAME
        )
    return card


def _balanced(detail: str, size_px: int, room_px: int) -> list[str]:
    """`detail` in as few lines as fit, about equally long."""
    needed = len(wrap(detail, size_px, 400, room_px))
    for share in (0.6, 0.7, 0.8, 0.9):
        lines = wrap(detail, size_px, 400, round(room_px * share))
        if len(lines) == needed:
            break
    else:
        lines = wrap(detail, size_px, 400, room_px)
    return lines[:LONGEST_DETAIL_LINES]


def _ground(width: int, height: int) -> NDArray[np.uint8]:
    """A vertical fade with a faint light behind the words, dithered so that no bands show."""
    y = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    light = np.exp(-(((y - 0.42) / 0.34) ** 2) - (x / 0.55) ** 2)
    top, bottom, glow = (np.array(colour, np.float32) for colour in (TOP, BOTTOM, GLOW))
    fade = top + (bottom - top) * y[..., None]
    ground = fade + (glow - fade) * (light * 0.55)[..., None]
    grain = np.random.default_rng(1).random((height, width, 1), np.float32)
    return (ground + grain).astype(np.uint8)


def _emblem(size_px: int) -> NDArray[np.uint8]:
    """The outline of a face with nothing in it, its line broken by four gaps, as coverage."""
    scale = 4
    tall, wide = size_px * scale, round(size_px * 0.8) * scale
    thickness = max(2, round(tall * 0.035))
    mask = np.zeros((tall, wide), np.uint8)
    centre = (wide // 2, tall // 2)
    axes = (wide // 2 - thickness, tall // 2 - thickness)
    for start in (12, 102, 192, 282):
        cv2.ellipse(mask, centre, axes, 0, start, start + 66, (255,), thickness, cv2.LINE_AA)
    for side in (-1, 1):
        eye = (centre[0] + side * round(axes[0] * 0.40), round(tall * 0.44))
        cv2.circle(mask, eye, round(tall * 0.032), (255,), cv2.FILLED, cv2.LINE_AA)
    left, right = centre[0] - round(axes[0] * 0.3), centre[0] + round(axes[0] * 0.3)
    level = round(tall * 0.68)
    cv2.line(mask, (left, level), (right, level), (255,), thickness, cv2.LINE_AA)
    size = (wide // scale, tall // scale)
    return np.asarray(cv2.resize(mask, size, interpolation=cv2.INTER_AREA), np.uint8)
