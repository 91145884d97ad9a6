"""The built-in portrait: a person who does not exist, drawn by code alone."""

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.capture.portrait_body import draw_body, draw_neck
from realtime.capture.portrait_eyes import draw_brows, draw_eyes
from realtime.capture.portrait_hair import draw_back_hair, draw_top_hair
from realtime.capture.portrait_head import draw_ears, draw_mouth, draw_nose, draw_skin
from realtime.paint import Canvas

__all__ = ["draw_portrait"]

FRAME_CM = (46.0, 38.0)
"""Width and height that the picture shows at least, in centimetres on the head."""
CENTRE_CM = (0.0, 0.8)
"""What lies in the middle of a picture of that size."""
ROOM_ABOVE = 0.25
"""Share of the further height that an upright picture gets above the head."""
WORK_SCALE = 32.0
"""Pixels per centimetre at which it is drawn, before it is brought to its size."""


def draw_portrait(size: tuple[int, int], openness: float = 1.0, below_px: int = 0) -> NDArray[np.uint8]:
    """The portrait as (H, W, 3) uint8 BGR for `size` = (width, height); `openness` of the eyes, 0 to 1.

    `below_px` adds that many rows that show what lies below a picture of that size.
    """
    bare = _without_eyes(size, below_px)
    canvas = Canvas(bare.bgr.copy(), bare.scale, bare.origin)
    draw_eyes(canvas, openness)
    whole = (size[0], size[1] + below_px)
    return np.asarray(cv2.resize(canvas.bgr, whole, interpolation=cv2.INTER_AREA), np.uint8)


@lru_cache(maxsize=1)
def _without_eyes(size: tuple[int, int], below_px: int) -> Canvas:
    """Everything but the eyes, at WORK_SCALE."""
    width, height = size
    scale = min(width / FRAME_CM[0], height / FRAME_CM[1])
    finer = WORK_SCALE / scale
    wide, tall = width / scale, height / scale
    origin = (CENTRE_CM[0] - wide / 2, CENTRE_CM[1] - FRAME_CM[1] / 2 - ROOM_ABOVE * (tall - FRAME_CM[1]))
    studio = _studio(round(width * finer), round((height + below_px) * finer), round(height * finer))
    canvas = Canvas(studio, WORK_SCALE, origin)
    draw_back_hair(canvas)
    draw_neck(canvas)
    draw_body(canvas)
    draw_ears(canvas)
    skin = draw_skin(canvas)
    draw_nose(canvas)
    draw_mouth(canvas)
    draw_brows(canvas)
    draw_top_hair(canvas, skin)
    return canvas


def _studio(width: int, height: int, lit_height: int) -> NDArray[np.uint8]:
    """A wall with a soft light on it, in the middle of its upper `lit_height` rows."""
    y = np.linspace(-1, 2 * height / lit_height - 1, height // 8, dtype=np.float32)[:, None]
    x = (np.linspace(-1, 1, width // 8, dtype=np.float32) * (width / lit_height))[None, :]
    glow = np.exp(-((x + 0.25) ** 2 + (y + 0.15) ** 2) / 1.3)
    dark, light = np.array((128, 122, 92), np.float32), np.array((214, 216, 196), np.float32)
    ground = np.asarray(dark + (light - dark) * glow[..., None], np.uint8)
    return np.asarray(cv2.resize(ground, (width, height)), np.uint8)
