"""The drawn person's neck and pullover. Units and axes as in `portrait_head`."""

import numpy as np

from realtime.capture.portrait_head import FACE
from realtime.paint import Canvas, moved, smooth

__all__ = ["draw_body", "draw_neck"]

WOOL = (104, 84, 34)
WOOL_LIT = (150, 130, 66)
WOOL_DARK = (62, 46, 16)


def draw_neck(canvas: Canvas) -> None:
    """Neck and throat, in the shadow of the chin."""
    half = [(4.0, 4.0), (3.8, 7.5), (3.9, 10.0), (4.5, 12.4), (6.0, 14.5), (0.0, 18.0)]
    outline = smooth(half + [(-x, y) for x, y in half[-2::-1]])
    canvas.fill(outline, (122, 148, 206))
    inside = canvas.mask(outline)
    canvas.glow((-2.2, 12.0), (1.6, 4.0), (164, 192, 238), 0.75, within=inside)
    canvas.glow((4.4, 10.0), (1.7, 5.0), (66, 80, 142), 0.80, within=inside)
    canvas.glow((-4.6, 9.5), (0.7, 4.0), (92, 112, 176), 0.60, within=inside)
    canvas.fill(FACE * (0.92, 1.0) + (0.5, 2.1), (58, 70, 134), 0.72, 0.55, inside)
    canvas.fill(FACE * (0.97, 1.0) + (0.15, 0.5), (48, 58, 116), 0.55, 0.25, inside)
    for side in (-1, 1):
        cord = [(side * 3.4, 9.2), (side * 2.4, 11.5), (side * 1.0, 13.6)]
        canvas.stroke(cord, (0.0, 0.5, 0.6, 0.2), (84, 102, 170), 0.35, 0.25, inside)


def draw_body(canvas: Canvas) -> None:
    """A pullover with a round collar."""
    half = [
        (4.7, 12.5),
        (6.5, 13.3),
        (10.0, 14.6),
        (14.0, 16.0),
        (17.0, 18.4),
        (18.6, 22.5),
        (19.4, 32.0),
        (19.6, 60.0),
    ]
    left = [(-x, y) for x, y in half]
    dip = [(-4.7, 12.5), (-3.6, 14.3), (-1.9, 15.4), (0.0, 15.75), (1.9, 15.4), (3.6, 14.3), (4.7, 12.5)]
    outline = np.concatenate([smooth(half), smooth(left)[::-1], smooth(dip)])
    canvas.fill(outline, WOOL)
    inside = canvas.mask(outline)
    canvas.glow((-10.5, 18.0), (4.2, 3.2), WOOL_LIT, 0.95, 0.35, inside)
    canvas.glow((-3.5, 21.0), (4.5, 4.0), WOOL_LIT, 0.40, within=inside)
    canvas.glow((10.0, 16.4), (3.6, 1.5), WOOL_LIT, 0.40, 0.30, inside)
    canvas.glow((17.5, 26.0), (4.0, 9.0), WOOL_DARK, 0.85, within=inside)
    canvas.glow((-18.8, 27.0), (2.0, 7.0), WOOL_DARK, 0.65, within=inside)
    canvas.glow((4.0, 25.0), (3.6, 6.0), WOOL_DARK, 0.40, within=inside)
    for fold, strength in (
        (((-13.0, 18.5), (-13.6, 22.0), (-13.0, 27.0)), 0.50),
        (((13.2, 18.5), (13.9, 22.0), (13.2, 27.0)), 0.60),
        (((-8.0, 17.5), (-5.0, 20.0), (-3.5, 23.5)), 0.22),
        (((8.0, 17.5), (5.5, 20.0), (4.0, 23.5)), 0.30),
    ):
        canvas.stroke(fold, (0.0, 0.9, 0.9, 0.0), WOOL_DARK, strength, 0.45, inside)

    rim = [(0.0, 15.75), (1.9, 15.4), (3.5, 14.35), (4.55, 12.75), (4.75, 12.2)]
    hem = [(0.0, 17.5), (2.4, 17.1), (4.7, 15.7), (6.15, 13.75), (6.4, 13.0)]
    rim, hem = ([(-x, y) for x, y in line[:0:-1]] + line for line in (rim, hem))
    band = np.concatenate([smooth(rim), smooth(hem)[::-1]])
    canvas.stroke(moved(np.array(hem), 0.05, 0.1), (0.3, 0.8, 0.8, 0.3), WOOL_DARK, 0.60, 0.22, inside)
    canvas.fill(band, (122, 100, 44), 1.0, 0.03)
    collar = canvas.mask(band)
    for inner, outer in zip(smooth(rim)[1:-1:2], smooth(hem)[1:-1:2], strict=True):
        canvas.stroke([inner, outer], (0.10, 0.16), WOOL_DARK, 0.30, 0.03, collar)
    canvas.glow((-3.8, 15.3), (1.4, 1.5), WOOL_LIT, 0.75, within=collar)
    canvas.glow((5.2, 14.2), (1.3, 1.6), WOOL_DARK, 0.60, within=collar)
    canvas.stroke(moved(np.array(rim), 0, 0.06), (0.1, 0.22, 0.22, 0.1), WOOL_DARK, 0.55, 0.07, collar)
    canvas.stroke(np.array(hem) - (0, 0.1), (0.05, 0.14, 0.14, 0.05), WOOL_LIT, 0.45, 0.06, collar)
