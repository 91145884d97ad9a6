"""The drawn person's eyes and brows. Units and axes as in `portrait_head`."""

import numpy as np
from numpy.typing import NDArray

from realtime.capture.portrait_head import EYE
from realtime.paint import Canvas, moved, smooth

__all__ = ["draw_brows", "draw_eyes"]

Points = NDArray[np.float64]

IRIS_RADIUS = 0.72
_UPPER = [
    (-1.42, 0.20),
    (-1.08, -0.24),
    (-0.52, -0.64),
    (0.12, -0.75),
    (0.78, -0.56),
    (1.24, -0.16),
    (1.50, 0.0),
]
_LOWER = [(1.50, 0.0), (1.08, 0.40), (0.42, 0.60), (-0.22, 0.58), (-0.84, 0.43), (-1.42, 0.20)]
"""Lid edges from the inner to the outer corner and back, relative to EYE, outwards to the right."""


def draw_eyes(canvas: Canvas, openness: float = 1.0) -> None:
    """Both eyes; `openness` 0 (closed) to 1."""
    for side in (-1, 1):
        _draw_eye(canvas, side, openness)


def draw_brows(canvas: Canvas) -> None:
    """Both brows: a soft shape, and hairs over it."""
    hairs = np.random.default_rng(5)
    for side in (-1, 1):
        top = [(1.25, -3.55), (2.4, -4.08), (3.7, -4.25), (4.8, -3.85), (5.55, -3.2)]
        bottom = [(5.55, -3.2), (4.7, -3.50), (3.6, -3.72), (2.4, -3.50), (1.3, -3.02)]
        outline = np.concatenate([smooth(top), smooth(bottom)]) * (side, 1)
        canvas.fill(outline, (40, 50, 74), 0.72, 0.10)
        for _ in range(80):
            t = hairs.random()
            upper, lower = _at(top, t), _at(bottom, 1 - t)
            root = lower + (upper - lower) * (hairs.random() * 0.85)
            lean = np.array([0.30 + 0.55 * t, -0.42 + 0.62 * t]) + hairs.normal(0, 0.05, 2)
            tip = root + lean * (0.62 - 0.2 * t)
            middle = (root + tip) / 2 + (0.03, -0.04)
            canvas.stroke(np.array([root, middle, tip]) * (side, 1), (0.06, 0.065, 0.0), (28, 36, 54), 0.45)


def _draw_eye(canvas: Canvas, side: int, openness: float) -> None:
    upper, lower = np.array(_UPPER), np.array(_LOWER)
    closed = np.interp(upper[:, 0], lower[::-1, 0], lower[::-1, 1])
    upper[:, 1] = closed - 0.04 + (upper[:, 1] - closed + 0.04) * openness

    def placed(points: Points) -> Points:
        return np.asarray(points * (side, 1) + (side * EYE[0], EYE[1]), np.float64)

    top, bottom = smooth(placed(upper)), smooth(placed(lower))
    opening = np.concatenate([top, bottom])
    inside = canvas.mask(opening)
    centre = (side * EYE[0] - 0.02, EYE[1] - 0.10)
    canvas.fill(opening, (226, 230, 236))
    canvas.glow((centre[0] + side * 1.3, EYE[1]), (0.40, 0.5), (150, 160, 204), 0.55, within=inside)
    canvas.glow((centre[0] - side * 1.3, EYE[1] + 0.12), (0.26, 0.3), (128, 138, 218), 0.80, within=inside)
    _draw_iris(canvas, centre, inside)
    shadow = smooth(placed(moved(upper, 0.0, 0.06)))
    canvas.stroke(shadow, (0.3, 0.46, 0.46, 0.3), (64, 62, 84), 0.55, 0.10, inside)

    crease = placed(np.array([(-1.15, -0.28), (-0.55, -0.92), (0.15, -1.10), (0.9, -0.94), (1.55, -0.42)]))
    crease[:, 1] += (1 - openness) * 0.18
    canvas.stroke(crease, (0.0, 0.14, 0.17, 0.14, 0.0), (58, 66, 122), 0.60, 0.06)
    canvas.glow((side * EYE[0], EYE[1] + 1.0), (1.0, 0.22), (104, 122, 190), 0.28)
    canvas.stroke(bottom, (0.03, 0.07, 0.07, 0.05, 0.02), (84, 92, 160), 0.65, 0.04)
    rim = smooth(placed(moved(lower[1:-1], 0.0, -0.05)))
    canvas.stroke(rim, (0.0, 0.07, 0.07, 0.0), (196, 204, 240), 0.55, 0.03, inside)
    canvas.stroke(top, (0.05, 0.15, 0.19, 0.20, 0.17, 0.05), (20, 20, 32), 0.94, 0.02)
    _draw_lashes(canvas, placed(upper), side)


def _draw_iris(canvas: Canvas, centre: tuple[float, float], inside: NDArray[np.uint8]) -> None:
    def disc(radius: float) -> Points:
        turn = np.linspace(0, 2 * np.pi, 49)[:-1]
        return np.stack([np.cos(turn), np.sin(turn)], 1) * radius + centre

    x, y = centre
    canvas.fill(disc(IRIS_RADIUS), (36, 44, 50), 1.0, 0.03, inside)
    canvas.fill(disc(IRIS_RADIUS * 0.90), (58, 92, 100), 1.0, 0.05, inside)
    canvas.glow((x + 0.08, y + 0.26), (0.34, 0.26), (96, 168, 176), 0.85, within=inside)
    fibres = np.random.default_rng(9)
    for turn in np.arange(40) * 2 * np.pi / 40 + fibres.normal(0, 0.04, 40):
        ray = np.array([np.cos(turn), np.sin(turn)])
        line = np.array([ray * 0.27, ray * 0.44, ray * (0.54 + 0.05 * fibres.random())]) + centre
        colour = (120, 182, 186) if fibres.random() < 0.5 else (36, 56, 62)
        canvas.stroke(line, (0.0, 0.035, 0.0), colour, 0.40, 0.0, inside)
    canvas.fill(disc(0.31), (12, 12, 16), 1.0, 0.03, inside)
    canvas.fill(moved(disc(0.15), -0.22, -0.25), (255, 255, 255), 0.96, 0.025, inside)
    canvas.fill(moved(disc(0.07), 0.24, 0.24), (240, 240, 240), 0.60, 0.03, inside)


def _draw_lashes(canvas: Canvas, upper: Points, side: int) -> None:
    for t in np.linspace(0.45, 0.98, 11):
        root = _at(upper, t)
        lean = np.array([side * (0.02 + 0.40 * (t - 0.35)), -0.24 + 0.08 * t]) * (0.6 + 0.5 * t)
        middle = root + lean * 0.55 + (side * 0.015, 0.03)
        canvas.stroke(np.array([root, middle, root + lean]), (0.06, 0.045, 0.0), (20, 20, 32), 0.8)


def _at(line: Points | list[tuple[float, float]], share: float) -> Points:
    """The point at `share` of a line's points."""
    points = np.asarray(line, np.float64)
    place = np.arange(len(points)) / (len(points) - 1)
    return np.array([np.interp(share, place, points[:, 0]), np.interp(share, place, points[:, 1])])
