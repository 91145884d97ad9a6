"""Ink: a page of a comic, drawn with brush and pen on warm paper."""

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.paint import Canvas, moved, smooth
from realtime.personas.features import (
    SIDES,
    brow,
    lips,
    lower_lid,
    mouth,
    nose_wing,
    nostril,
    on_side,
    upper_lid,
)
from realtime.personas.plate import SUPERSAMPLING, blank, finished, textured
from realtime.personas.relief import SIZE, hollows, light, noise

__all__ = ["paint"]

PAPER = (214, 232, 242)
BLACK = (34, 24, 20)
RED = (66, 58, 214)
LIGHT = (-0.42, -0.55, -0.72)


def paint() -> NDArray[np.uint8]:
    """The texture: (SIZE, SIZE, 3) uint8 BGR."""
    canvas = blank(PAPER)
    _dot_cheeks(canvas)
    _hatch(canvas)
    _paint_mouth(canvas)
    for side in SIDES:
        _paint_eye(canvas, side)
        _paint_brow(canvas, side)
        canvas.fill(nostril(side), BLACK)
    canvas.stroke(nose_wing(1), (0.0, 0.006, 0.009, 0.010, 0.0), BLACK)
    canvas.stroke(nose_wing(-1)[1:], (0.0, 0.005, 0.006, 0.0), BLACK)
    canvas.stroke(
        [(0.548, 0.330), (0.536, 0.380), (0.534, 0.430), (0.545, 0.480)], (0.0, 0.005, 0.006, 0.0), BLACK
    )
    canvas.stroke([(0.470, 0.792), (0.5, 0.800), (0.535, 0.790)], (0.0, 0.006, 0.0), BLACK)
    for side in SIDES:
        fold = on_side([(0.385, 0.555), (0.352, 0.590), (0.335, 0.625)], side)
        canvas.stroke(fold, (0.0, 0.004 if side < 0 else 0.006, 0.0), BLACK)
    texture = textured(canvas)
    texture += (noise(2, 3) * 1.6 + noise(6, 40) * 2.0)[..., None]
    return finished(texture)


def _dot_cheeks(canvas: Canvas) -> None:
    """Red dots that grow towards the middle of each cheek, as in cheap colour printing."""
    pitch = 0.0125
    for side in SIDES:
        centre = np.array((0.5 + side * 0.225, 0.505))
        for row in range(-9, 10):
            for column in range(-10, 11):
                place = centre + np.array((column + 0.5 * (row % 2), row * 0.866)) * pitch
                reach = np.hypot(*((place - centre) / (0.098, 0.080)))
                radius = pitch * 0.46 * np.sqrt(max(0.0, 1 - reach))
                if radius > pitch * 0.08:
                    canvas.polygon(_disc(place, radius), (120, 116, 236))


def _hatch(canvas: Canvas) -> None:
    """Pen strokes, closer and crossed as the shade deepens; solid black where no light comes at all."""
    lit = light(LIGHT, 0.75) + 0.06 * np.clip(-hollows(), -1, 1.5) + 0.02 * noise(12, 14)
    fine = cv2.resize(lit, None, fx=SUPERSAMPLING, fy=SUPERSAMPLING, interpolation=cv2.INTER_CUBIC)
    side = SIZE * SUPERSAMPLING
    y, x = np.mgrid[0:side, 0:side].astype(np.float32)
    waver = cv2.resize(noise(13, 60), (side, side)) * 3.0
    ink = np.zeros((side, side), np.float32)
    for angle, below, pitch in ((0.95, 0.62, 15.0), (-0.55, 0.30, 15.0)):
        wave = ((x * np.cos(angle) + y * np.sin(angle) + waver) / pitch) % 1
        width = np.clip((below - fine) * 0.9, 0, 0.30)
        ink = np.maximum(
            ink, np.clip((width - np.abs(wave - 0.5)) * pitch * 0.8 + 0.5, 0, 1) * (width > 0.03)
        )
    canvas.merge(blank(BLACK), (ink * 255).astype(np.uint8))


def _paint_eye(canvas: Canvas, side: int) -> None:
    upper, lower = upper_lid(side), lower_lid(side)
    canvas.fill(np.concatenate([upper, lower[::-1]]), (244, 248, 250))
    tail = upper[-1] + (side * 0.030, -0.016)
    line = np.concatenate([upper[::4], tail[None]]) - (0, 0.004)
    canvas.stroke(line, (0.004, 0.011, 0.015, 0.016, 0.0), BLACK)
    canvas.stroke(moved(lower[14:], 0, 0.003), (0.0, 0.005, 0.006), BLACK)
    canvas.stroke(upper[3:-2:4] - (0, 0.026), (0.0, 0.006, 0.006, 0.0), BLACK)
    for share, reach in ((0.72, 0.016), (0.84, 0.020), (0.95, 0.022)):
        root = upper[int(share * (len(upper) - 1))] - (0, 0.005)
        canvas.stroke([root, moved(root, side * reach * 0.7, -reach)], (0.006, 0.0), BLACK)


def _paint_brow(canvas: Canvas, side: int) -> None:
    arch = moved(brow(side), 0, -0.004)
    arch[2:4] -= (0, 0.008)
    canvas.stroke(arch, (0.010, 0.026, 0.024, 0.014, 0.0), BLACK)
    dense = smooth(arch)
    for share in np.linspace(0.0, 0.30, 5):
        root = dense[int(share * (len(dense) - 1))]
        canvas.stroke([moved(root, 0, 0.008), moved(root, side * 0.004, -0.020)], (0.004, 0.0), BLACK)


def _paint_mouth(canvas: Canvas) -> None:
    upper, lower = lips()
    for lip in (upper, lower):
        canvas.fill(lip, RED)
    below = canvas.mask(lower)
    canvas.fill(
        smooth([(0.43, 0.700), (0.47, 0.709), (0.53, 0.709), (0.50, 0.698)], closed=True),
        (222, 220, 252),
        1.0,
        0.001,
        below,
    )
    canvas.fill(upper, (38, 28, 128), 0.75)
    for lip in (upper, lower):
        canvas.stroke(np.append(lip, lip[:1], axis=0)[::5], (0.0042, 0.0042), BLACK)
    canvas.fill(mouth(), BLACK)
    canvas.stroke([(0.345, 0.640), (0.356, 0.648), (0.372, 0.646)], (0.0, 0.008, 0.0), BLACK)
    canvas.stroke([(0.655, 0.640), (0.644, 0.648), (0.628, 0.646)], (0.0, 0.008, 0.0), BLACK)


def _disc(centre: NDArray[np.float64], radius: float) -> NDArray[np.float64]:
    turn = np.arange(16) * 2 * np.pi / 16
    return np.stack([np.cos(turn), np.sin(turn)], 1) * radius + centre
