"""Porcelain: pale glaze, painted brows and lips, cheeks like roses, and old cracks mended with gold."""

import numpy as np
from numpy.typing import NDArray

from realtime.paint import Canvas, moved
from realtime.personas.features import (
    SIDES,
    brow,
    lips,
    lower_lid,
    mouth,
    nose_wing,
    nostril,
    upper_lid,
)
from realtime.personas.plate import blank, finished, textured
from realtime.personas.relief import SIZE, hollows, light, noise, shine

__all__ = ["paint"]

GLAZE = (212, 229, 243)
ROSE = (128, 122, 226)
LIP = (92, 72, 196)
UMBER = (36, 44, 70)
SMOKE = (138, 136, 150)
GOLD = (58, 164, 232)
GOLD_LIT = (186, 236, 255)
GOLD_DARK = (22, 82, 146)


def paint() -> NDArray[np.uint8]:
    """The texture: (SIZE, SIZE, 3) uint8 BGR."""
    canvas = blank(GLAZE)
    for side in SIDES:
        canvas.glow((0.5 + side * 0.205, 0.500), (0.075, 0.048), ROSE, 0.40, side * -0.45)
        canvas.glow((0.5 + side * 0.285, 0.455), (0.075, 0.050), ROSE, 0.26, side * -0.5)
    canvas.glow((0.5, 0.535), (0.028, 0.022), ROSE, 0.16)
    canvas.glow((0.5, 0.835), (0.045, 0.028), ROSE, 0.14)
    _paint_eyes(canvas)
    _paint_brows(canvas)
    _paint_mouth(canvas)
    for side in SIDES:
        canvas.stroke(nose_wing(side), (0.0, 0.004, 0.005, 0.0), (150, 160, 200), 0.60, 0.002)
        canvas.fill(nostril(side), (110, 116, 176), 0.75, 0.002)
    texture = _glazed(textured(canvas))
    _mend(Canvas(texture, SIZE))
    return texture


def _paint_eyes(canvas: Canvas) -> None:
    for side in SIDES:
        upper, lower = upper_lid(side), lower_lid(side)
        canvas.fill(np.concatenate([upper, lower[::-1]]), (216, 222, 228))
        lid = np.concatenate([upper, upper[::-1] - (0, 0.030)])
        canvas.fill(lid, SMOKE, 0.40, 0.010)
        canvas.glow((0.5 + side * 0.185, 0.340), (0.030, 0.016), (140, 136, 206), 0.30)
        tail = upper[-1] + (side * 0.026, -0.013)
        line = np.concatenate([upper[::4], tail[None]]) - (0, 0.002)
        canvas.stroke(line, (0.003, 0.007, 0.009, 0.010, 0.0), UMBER, 0.92, 0.0008)
        canvas.stroke(moved(lower[12:], 0, 0.002), (0.0, 0.003, 0.004), UMBER, 0.55, 0.001)
        for share in np.linspace(0.30, 0.95, 8):
            root = lower[int(share * (len(lower) - 1))] + (0, 0.004)
            tip = moved(root, side * 0.008 * (share - 0.2), 0.013)
            canvas.stroke([root, tip], (0.0026, 0.0), UMBER, 0.72)


def _paint_brows(canvas: Canvas) -> None:
    for side in SIDES:
        arch = brow(side) + np.array(
            [(-side * 0.006, 0.004), (0, -0.006), (0, -0.014), (side * 0.004, -0.012), (side * 0.012, 0.0)]
        )
        canvas.stroke(arch, (0.004, 0.013, 0.012, 0.008, 0.0), UMBER, 0.82, 0.0015)
        canvas.stroke(arch - (0, 0.008), (0.0, 0.002, 0.002, 0.0), UMBER, 0.45, 0.0005)


def _paint_mouth(canvas: Canvas) -> None:
    upper, lower = lips()
    for lip in (upper, lower):
        canvas.fill(lip, LIP, 0.90, 0.0025)
    on_lips = np.maximum(canvas.mask(upper, 0.002), canvas.mask(lower, 0.002))
    canvas.glow((0.5, 0.640), (0.10, 0.010), (48, 34, 128), 0.55, within=on_lips)
    canvas.glow((0.49, 0.712), (0.045, 0.007), (226, 216, 255), 0.70, within=on_lips)
    for u in (0.472, 0.528):
        canvas.glow((u, 0.6285), (0.014, 0.0035), (206, 196, 250), 0.60, within=on_lips)
    canvas.fill(mouth(), (44, 30, 84), 1.0, 0.002)


def _mend(canvas: Canvas) -> None:
    """Cracks filled with lacquer and gold, as in kintsugi: one from the hairline, one from the jaw."""
    cracks = [
        (
            [(0.700, 0.085), (0.672, 0.128), (0.684, 0.165), (0.648, 0.205), (0.656, 0.236), (0.628, 0.262)],
            0.0085,
        ),
        (
            [(0.684, 0.165), (0.728, 0.182), (0.745, 0.222), (0.785, 0.246), (0.792, 0.290), (0.830, 0.318)],
            0.0060,
        ),
        ([(0.648, 0.205), (0.610, 0.196), (0.590, 0.168), (0.556, 0.160)], 0.0045),
        ([(0.745, 0.222), (0.730, 0.256), (0.738, 0.282)], 0.0035),
        (
            [(0.170, 0.700), (0.205, 0.672), (0.224, 0.686), (0.262, 0.650), (0.286, 0.652), (0.300, 0.624)],
            0.0070,
        ),
        ([(0.224, 0.686), (0.246, 0.722), (0.238, 0.750), (0.262, 0.776)], 0.0045),
    ]
    for points, width in cracks:
        width *= 1.25
        widths = (width * 1.3, width, width * 0.85, width * 0.6, 0.0)
        line = np.array(points)
        canvas.stroke(moved(line, 0.0022, 0.0028), [w * 1.5 for w in widths], (96, 110, 128), 0.55, 0.0025)
        canvas.stroke(line, [w * 1.35 for w in widths], GOLD_DARK, 0.95)
        canvas.stroke(line, widths, GOLD)
        canvas.stroke(line - (0.0008, 0.0012), [w * 0.40 for w in widths], GOLD_LIT, 0.90, 0.0006)
    rng = np.random.default_rng(21)
    for points, _ in cracks[:2]:
        for u, v in points[1:-1]:
            du, dv = rng.normal(0, 0.008, 2)
            canvas.glow((u + du, v + dv), (0.0016, 0.0016), GOLD, 0.9)


def _glazed(texture: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Form, the cool shade of the clay, and the reflections of a window and a lamp on the glaze."""
    form = light((-0.25, -0.50, -0.8), wrap=0.45)
    shade = np.array((0.66, 0.64, 0.68), np.float32)
    texture *= shade + (1.0 - shade) * form[..., None]
    texture *= 1 - 0.12 * np.clip(hollows(), 0, 1)[..., None] * np.array((1.1, 1.0, 0.7), np.float32)
    texture += noise(4, 90)[..., None] * np.array((1.2, 0.8, 0.4), np.float32)
    gloss = 0.42 * shine((-0.30, -0.45, -0.85), 36) + 0.34 * shine((0.45, -0.30, -0.85), 90)
    texture += (255 - texture) * np.clip(gloss, 0, 0.75)[..., None]
    return finished(texture)
