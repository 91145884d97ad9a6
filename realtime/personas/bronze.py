"""Bronze: a cast and polished face, dark where hands have not worn it, green where rain has stood."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from realtime.paint import Canvas, moved, smooth
from realtime.personas.features import SIDES, brow, lips, lower_lid, mouth, nose_wing, nostril, upper_lid
from realtime.personas.plate import blank, finished, textured
from realtime.personas.relief import SIZE, hollows, light, noise, shine

__all__ = ["paint"]

METAL = (
    (0.00, (14, 20, 34)),
    (0.25, (26, 44, 78)),
    (0.50, (44, 86, 142)),
    (0.72, (84, 142, 202)),
    (0.88, (140, 198, 240)),
    (1.00, (214, 242, 255)),
)
"""What polished bronze throws back of a bright room, from its darkest to its brightest part."""
PATINA = (112, 134, 88)
BARE_SIGMA = 0.06
"""How far round the inner corners of the eyes hands keep the metal clean, in sides of the plane."""
LEVEL = 128


def paint() -> NDArray[np.uint8]:
    """The texture: (SIZE, SIZE, 3) uint8 BGR."""
    chased = (textured(_chasing())[..., 0] - LEVEL) * np.float32(1 / 22)
    hammered = noise(7, 9) * 0.10 + noise(8, 26) * 0.30 + noise(9, 70) * 0.5
    bumps = np.asarray(chased + hammered, np.float32)
    room = (
        0.10
        + 0.42 * light((-0.45, -0.60, -0.65), 0.15, bumps)
        + 0.16 * light((0.80, -0.10, -0.45), 0.0, bumps)
        + 0.42 * shine((-0.45, -0.50, -0.70), 22, bumps)
        + 0.30 * shine((0.50, -0.35, -0.80), 40, bumps)
    )
    deep = np.clip(hollows() * 0.8 + (-chased) * 0.35, 0, 1)
    texture = _ramp(room * (1 - 0.35 * deep))
    green = np.clip(deep * 0.95 + 0.22 * noise(3, 16) + 0.12 * noise(5, 5) - 0.40, 0, 0.62) * _weathered()
    lit = (0.55 + 0.75 * light((-0.3, -0.6, -0.75), 0.5))[..., None]
    texture += (np.array(PATINA, np.float32) * lit - texture) * green[..., None]
    return finished(texture)


def _weathered() -> NDArray[np.float32]:
    """How far rain gets at the metal, (SIZE, SIZE): less at eyes and nose, where green looks like paint."""
    v, u = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32) / SIZE
    weather = np.ones((SIZE, SIZE), np.float32)
    for side in SIDES:
        for place, depth in ((upper_lid(side)[0], 0.8), (nostril(side).mean(axis=0), 1.0)):
            away = (u - np.float32(place[0])) ** 2 + (v - np.float32(place[1])) ** 2
            weather *= 1 - np.float32(depth) * np.exp(away / np.float32(-2 * BARE_SIGMA**2))
    return weather


def _chasing() -> Canvas:
    """Heights that the chaser's tools left, as a grey picture: brows, lids, lips and wings of the nose."""
    canvas = blank((LEVEL, LEVEL, LEVEL))

    def raised(line: NDArray[np.float64], widths: Sequence[float], amount: int, blur: float) -> None:
        value = LEVEL + amount
        canvas.stroke(line, widths, (value, value, value), 1.0, blur)

    for side in SIDES:
        arch = brow(side)
        raised(arch - (0, 0.004), (0.012, 0.030, 0.026, 0.016, 0.004), 90, 0.004)
        for share in np.linspace(0.03, 0.97, 26):
            line = smooth(arch)
            place = line[int(share * (len(line) - 1))]
            lean = np.array([side * (0.004 + 0.016 * share), -0.016 + 0.018 * share])
            canvas.stroke(
                [place - lean * 0.9 - (0, 0.004), place + lean * 0.6 - (0, 0.004)],
                (0.0, 0.0045, 0.0),
                (70, 70, 70),
                0.9,
                0.001,
            )
        upper, lower = upper_lid(side), lower_lid(side)
        raised(upper[::4] - (0, 0.004), (0.006, 0.012, 0.012, 0.006), 80, 0.002)
        raised(upper[::4] - (0, 0.022), (0.0, 0.008, 0.008, 0.0), -70, 0.003)
        raised(moved(lower[::4], 0, 0.004), (0.004, 0.008, 0.008, 0.004), 60, 0.002)
        raised(nose_wing(side), (0.0, 0.008, 0.009, 0.0), -70, 0.003)
        canvas.fill(nostril(side), (20, 20, 20), 1.0, 0.003)
        canvas.fill(np.concatenate([upper, lower[::-1]]), (110, 110, 110), 1.0, 0.002)
    for lip in lips():
        canvas.fill(lip, (LEVEL + 50,) * 3, 1.0, 0.006)
        raised(np.append(lip, lip[:1], axis=0)[::6], (0.004, 0.004), -40, 0.002)
    canvas.fill(mouth(), (10, 10, 10), 1.0, 0.002)
    return canvas


def _ramp(room: NDArray[np.float32]) -> NDArray[np.float32]:
    steps = [step for step, _ in METAL]
    table = np.stack(
        [np.interp(np.linspace(0, 1, 256), steps, [c[i] for _, c in METAL]) for i in range(3)], 1
    )
    return np.asarray(table.astype(np.float32)[np.clip(room * 255, 0, 255).astype(np.intp)], np.float32)
