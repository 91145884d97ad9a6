"""Collage: coloured papers, cut out and laid over one another."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from realtime.paint import Canvas, Colour, moved, smooth, tapered
from realtime.personas.features import SIDES, brow, lips, lower_lid, mouth, nostril, upper_lid
from realtime.personas.plate import blank, finished, textured
from realtime.personas.relief import light, noise

__all__ = ["paint"]

CREAM = (206, 226, 240)
SAND = (150, 190, 228)
CORAL = (98, 116, 236)
MUSTARD = (72, 176, 236)
TEAL = (142, 138, 44)
NAVY = (86, 52, 38)
ROSE = (176, 172, 246)
BERRY = (84, 44, 168)

BACKGROUND: tuple[tuple[list[tuple[float, float]], Colour], ...] = (
    ([(0.515, -0.1), (0.53, 0.12), (0.50, 0.22), (0.515, 0.31), (0.53, 0.40), (0.545, 0.50), (0.50, 0.60),
      (0.52, 0.76), (0.50, 0.90), (0.52, 1.1), (1.1, 1.1), (1.1, -0.1)], SAND),
    ([(-0.1, -0.1), (0.60, -0.1), (0.55, 0.13), (0.44, 0.175), (0.34, 0.205), (0.24, 0.235), (0.19, 0.31),
      (0.145, 0.40), (0.12, 0.52), (-0.1, 0.56)], TEAL),
    ([(0.72, -0.1), (0.66, 0.12), (0.70, 0.185), (0.775, 0.225), (0.815, 0.31), (0.855, 0.41), (0.87, 0.50),
      (1.1, 0.53), (1.1, -0.1)], MUSTARD),
    ([(1.1, 0.56), (0.93, 0.585), (0.83, 0.63), (0.745, 0.69), (0.68, 0.77), (0.62, 0.84), (0.60, 1.1),
      (1.1, 1.1)], TEAL),
    ([(-0.1, 0.60), (0.10, 0.59), (0.19, 0.635), (0.245, 0.70), (0.31, 0.75), (0.375, 0.82), (0.42, 1.1),
      (-0.1, 1.1)], MUSTARD),
)  # fmt: skip
"""The large sheets, from the lowest to the highest."""


def paint() -> NDArray[np.uint8]:
    """The texture: (SIZE, SIZE, 3) uint8 BGR."""
    canvas = blank(CREAM)
    for outline, colour in BACKGROUND:
        _lay(canvas, outline, colour)
    _lay(canvas, _disc((0.265, 0.515), 0.078), CORAL)
    _lay(canvas, _disc((0.735, 0.515), 0.078), ROSE)
    _lay(canvas, _disc((0.735, 0.515), 0.040), CORAL)
    _nose(canvas)
    for side, lid, colour in ((-1, MUSTARD, NAVY), (1, CORAL, NAVY)):
        _eye(canvas, side, lid)
        _lay(canvas, tapered(smooth(brow(side) - (0, 0.008)), (0.030, 0.042, 0.036, 0.022, 0.006)), colour)
    _lips(canvas)
    _lay(canvas, _disc((0.5, 0.845), 0.026), TEAL)
    return _papered(textured(canvas))


def _nose(canvas: Canvas) -> None:
    """A folded strip: one face lit, one in shade."""
    _lay(
        canvas,
        [
            (0.472, 0.30),
            (0.462, 0.40),
            (0.450, 0.48),
            (0.420, 0.545),
            (0.450, 0.575),
            (0.5, 0.580),
            (0.505, 0.44),
            (0.500, 0.30),
        ],
        (186, 214, 240),
    )
    _lay(
        canvas,
        [
            (0.498, 0.30),
            (0.502, 0.44),
            (0.5, 0.582),
            (0.552, 0.575),
            (0.582, 0.545),
            (0.552, 0.48),
            (0.532, 0.40),
            (0.524, 0.30),
        ],
        CORAL,
    )
    for side in SIDES:
        _lay(canvas, nostril(side), NAVY, shadow=0.0)


def _eye(canvas: Canvas, side: int, lid: Colour) -> None:
    upper, lower = upper_lid(side), lower_lid(side)
    middle = (upper.mean(axis=0) + lower.mean(axis=0)) / 2
    opening = np.concatenate([upper, lower[::-1]])
    _lay(canvas, (opening - middle) * (1.50, 2.35) + middle - (0, 0.004), lid)
    _lay(canvas, (opening - middle) * (1.20, 1.42) + middle, NAVY)
    _lay(canvas, (opening - middle) * (0.98, 0.95) + middle, (216, 222, 228), shadow=0.0)
    corner = upper[-1]
    wing = np.array([(0.0, -0.004), (0.034, -0.026), (0.044, -0.020), (0.012, 0.010)]) * (side, 1) + corner
    _lay(canvas, wing, NAVY)


def _lips(canvas: Canvas) -> None:
    upper, lower = lips()
    _lay(canvas, lower, CORAL)
    _lay(canvas, upper, BERRY)
    canvas.fill(smooth([(0.452, 0.705), (0.50, 0.712), (0.548, 0.705), (0.50, 0.698)], closed=True), ROSE)
    canvas.fill(mouth(), NAVY)


def _lay(canvas: Canvas, outline: ArrayLike, colour: Colour, shadow: float = 0.5) -> None:
    """One piece of paper: its shadow, itself, and the light on its cut edge."""
    points = np.asarray(outline, np.float64)
    if len(points) < 16:
        points = smooth(points, closed=True)
    if shadow:
        canvas.fill(moved(points, 0.005, 0.007), (44, 40, 52), shadow * 0.8, 0.0055)
        canvas.fill(moved(points, 0.0018, 0.0026), (40, 36, 48), shadow, 0.0014)
        blue, green, red = (min(255, round(value + (255 - value) * 0.55)) for value in colour)
        canvas.fill(points - (0.0010, 0.0014), (blue, green, red))
    canvas.fill(points, colour)


def _papered(texture: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Fibres, and a trace of the face's own form."""
    fibres = 2.2 * noise(31, 2) + 2.0 * noise(32, 5) + 1.5 * noise(33, 30)
    form = 0.86 + 0.16 * light((-0.4, -0.6, -0.7), 0.4)
    texture = texture * form[..., None] + fibres[..., None]
    return finished(texture)


def _disc(centre: tuple[float, float], radius: float) -> NDArray[np.float64]:
    turn = np.arange(48) * 2 * np.pi / 48
    return np.stack([np.cos(turn), np.sin(turn)], 1) * radius + centre
