"""The drawn person's hair: parted on one side, tucked behind the ears. Units and axes as in `portrait_head`.

A side of the hair lies between two curves that run with the growth, one along the face and one along the
silhouette; every strand is a curve between the two.
"""

import numpy as np
from numpy.typing import NDArray

from realtime.paint import Canvas, Colour, moved, smooth, tapered

__all__ = ["draw_back_hair", "draw_top_hair"]

Points = NDArray[np.float64]
Line = list[tuple[float, float]]

SHADE = np.array([(16, 20, 34), (26, 34, 56), (40, 56, 92), (62, 90, 142), (112, 152, 206)], np.float64)
"""From the depth of the hair to its gloss, BGR."""
SHADOW_ON_SKIN = (62, 76, 138)

_LEFT_TOP: tuple[Line, Line] = (
    [(2.2, -8.05), (-0.4, -7.9), (-3.1, -7.3), (-5.2, -6.05), (-6.35, -4.4), (-6.75, -2.8), (-7.0, -1.5)],
    [(2.2, -12.45), (-1.4, -12.65), (-5.2, -11.75), (-7.8, -9.2), (-8.75, -5.8), (-8.75, -2.6), (-8.0, 0.3)],
)
_RIGHT_TOP: tuple[Line, Line] = (
    [(2.1, -8.05), (3.9, -7.8), (5.4, -6.8), (6.3, -5.3), (6.65, -3.9), (6.8, -2.6), (7.0, -1.5)],
    [(2.1, -12.45), (4.7, -11.85), (6.8, -10.4), (8.2, -8.0), (8.75, -5.2), (8.7, -2.4), (8.0, 0.3)],
)
_LEFT_FALL: tuple[Line, Line] = (
    [(-4.6, -4.0), (-4.5, 1.0), (-4.0, 5.0), (-3.6, 8.5), (-4.4, 11.5), (-6.2, 13.6), (-7.4, 15.5)],
    [(-8.3, -4.5), (-9.1, -1.0), (-9.0, 3.0), (-9.6, 6.8), (-10.5, 10.4), (-10.2, 13.2), (-9.0, 15.5)],
)
_RIGHT_FALL: tuple[Line, Line] = (
    [(-x, y) for x, y in _LEFT_FALL[0]],
    [(-x, y) for x, y in _LEFT_FALL[1]],
)


def draw_back_hair(canvas: Canvas) -> None:
    """What falls behind head and neck to the shoulders."""
    rng = np.random.default_rng(11)
    behind = [(-8.2, -6), (-4, -11), (4, -11), (8.2, -6), (7.4, 6), (6.2, 14), (-6.2, 14), (-7.4, 6)]
    canvas.fill(smooth(behind, closed=True), _shade(0.0), 1.0, 0.1)
    for lines, light in ((_LEFT_FALL, 0.30), (_RIGHT_FALL, 0.12)):
        sheet, inside = canvas.sheet(), canvas.mask(_between(*lines), 0.07)
        sheet.polygon(_between(*lines), _shade(0.22))
        _draw_strands(sheet, rng, lines, 150, light, gloss_at=0.42)
        canvas.merge(sheet, inside)
        canvas.glow((np.sign(lines[0][0][0]) * 4.6, 7.0), (1.3, 5.0), _shade(0.0), 0.75, within=inside)


def draw_top_hair(canvas: Canvas, skin: NDArray[np.uint8]) -> None:
    """What grows over the skull; `skin` is the head's coverage, where it casts a shadow."""
    rng = np.random.default_rng(3)
    for lines in (_RIGHT_TOP, _LEFT_TOP):
        canvas.fill(moved(_between(*lines), 0.12, 0.45), SHADOW_ON_SKIN, 0.50, 0.35, skin)
    for lines, light, gloss_at in ((_RIGHT_TOP, 0.28, 0.36), (_LEFT_TOP, 0.36, 0.44)):
        outline = _between(*lines)
        sheet, inside = canvas.sheet(), canvas.mask(outline, 0.05)
        sheet.polygon(outline, _shade(0.3))
        _draw_strands(sheet, rng, lines, 230, light, gloss_at)
        canvas.merge(sheet, inside)
        inner, outer = smooth(lines[0]), smooth(lines[1])
        canvas.stroke(inner[::4], (0.0, 0.30, 0.30, 0.30), _shade(0.0), 0.50, 0.12, inside)
        canvas.stroke(outer[::4], (0.2, 0.8, 0.9, 0.8), _shade(0.0), 0.45, 0.25, inside)
        canvas.stroke(
            [inner[-1], (inner[-1] + outer[-1]) / 2, outer[-1]],
            (0.8, 1.4, 1.2),
            _shade(0.0),
            0.6,
            0.3,
            inside,
        )
    canvas.stroke([(2.15, -7.95), (2.2, -10.0), (2.15, -11.8)], (0.04, 0.10, 0.0), _shade(0.0), 0.7, 0.04)


def _draw_strands(
    sheet: Canvas,
    rng: np.random.Generator,
    lines: tuple[Line, Line],
    count: int,
    light: float,
    gloss_at: float,
) -> None:
    """`count` locks, each along a part of the growth; lightest near `gloss_at`, as a share of it."""
    inner, outer = smooth(lines[0]), smooth(lines[1])
    way = np.linspace(0, 1, len(inner))
    for _ in range(count):
        start = rng.random() * 0.8
        end = min(1.0, start + 0.2 + 0.4 * rng.random())
        part = slice(int(start * (len(way) - 1)), int(end * (len(way) - 1)) + 1, 3)
        if len(way[part]) < 3:
            continue
        share = (rng.random() + way[part] * rng.normal(0, 0.06))[:, None]
        gloss = float(np.exp(-((((start + end) / 2 - gloss_at) / 0.20) ** 2)))
        tone = light + (0.10 + 0.42 * gloss) * rng.random() ** 2 + rng.normal(0, 0.09)
        width = 0.05 + 0.15 * rng.random()
        strand = inner[part] * (1 - share) + outer[part] * share
        sheet.polygon(tapered(strand, (0.0, width, width, 0.0)), _shade(tone))


def _between(inner: Line, outer: Line) -> Points:
    return np.concatenate([smooth(inner), smooth(outer)[::-1]])


def _shade(tone: float) -> Colour:
    """Hair colour from 0 (deepest) to 1 (gloss)."""
    place = np.clip(tone, 0, 1) * (len(SHADE) - 1)
    blue, green, red = (round(float(np.interp(place, range(len(SHADE)), SHADE[:, c]))) for c in range(3))
    return blue, green, red
