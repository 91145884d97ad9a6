"""The drawn person's head: its relief, the light on it, and skin.

The drawing's unit is a centimetre on the head; x grows to the right, y downwards, the origin lies between
the brows. Proportions are those of an average adult face.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.paint import Canvas, smooth

__all__ = ["EYE", "FACE", "MOUTH_Y", "draw_ears", "draw_mouth", "draw_nose", "draw_skin"]

EYE = (3.15, -1.85)
"""Middle of the eye on the right of the picture; the other is its mirror image."""
MOUTH_Y = 4.75
"""Height of the line between the lips."""

_HALF = [
    (0.0, -10.4), (2.6, -10.1), (4.7, -9.0), (6.1, -6.9), (6.75, -4.2), (6.85, -1.4), (6.65, 1.2),
    (6.2, 3.5), (5.4, 5.7), (4.1, 7.6), (2.35, 8.85), (0.0, 9.25),
]  # fmt: skip
FACE = smooth(_HALF + [(-x, y) for x, y in _HALF[-2:0:-1]], closed=True)
"""Outline of the head without hair and ears."""

RELIEF_STEP_PX = 2
"""Light is soft: it is worked out on a grid this coarse."""

SKIN_RAMP = (
    (0.00, (52, 62, 108)),
    (0.22, (82, 100, 160)),
    (0.45, (124, 150, 208)),
    (0.65, (160, 189, 235)),
    (0.85, (190, 214, 247)),
    (1.00, (219, 234, 254)),
)
"""Colour (BGR) of skin by the light it gets: reddish where it turns into shadow."""

_BUMPS = (
    # x, y, sigma x, sigma y, height; mirrored where x is not 0
    (0.0, -1.2, 0.62, 1.7, 0.95),  # bridge
    (0.0, 0.6, 0.75, 1.2, 1.15),
    (0.0, 1.75, 0.95, 0.75, 1.25),  # tip
    (1.18, 2.15, 0.50, 0.48, 0.75),  # wings
    (3.1, -3.7, 2.1, 0.75, 0.42),  # brow ridge
    (3.1, -1.9, 1.55, 1.05, -0.95),  # socket
    (3.15, -1.9, 1.0, 0.72, 0.75),  # eyeball
    (4.5, 1.3, 1.7, 1.5, 0.55),  # cheek
    (2.9, 3.0, 0.9, 1.3, 0.10),
    (0.0, 4.6, 2.3, 1.3, 0.75),  # mouth
    (0.0, 3.35, 0.30, 0.55, -0.14),  # philtrum
    (0.0, 6.35, 1.3, 0.45, -0.38),  # under the lip
    (0.0, 7.7, 1.5, 1.0, 0.50),  # chin
    (2.7, 4.8, 0.45, 0.5, -0.22),  # mouth corner
    (0.0, -6.6, 3.6, 2.2, 0.40),  # forehead
)
_KEY = (-0.46, -0.52, 0.72)
_FILL = (0.75, -0.05, 0.66)
"""Where the two lamps stand: x right, y down, z towards the viewer."""


def draw_skin(canvas: Canvas) -> NDArray[np.uint8]:
    """Draw the bare head; returns its coverage, (H, W) uint8."""
    step = RELIEF_STEP_PX / canvas.scale
    low, high = FACE.min(axis=0), FACE.max(axis=0)
    x = np.arange(low[0], high[0] + step, step, dtype=np.float32)
    y = np.arange(low[1], high[1] + step, step, dtype=np.float32)
    light, shine = _light(x, y, step)
    colours = _ramp(light)
    _flush(colours, x, y)
    colours += (np.array((245, 250, 255), np.float32) - colours) * shine[..., None]
    size = (len(x) * RELIEF_STEP_PX, len(y) * RELIEF_STEP_PX)
    full = np.clip(cv2.resize(colours, size, interpolation=cv2.INTER_LINEAR), 0, 254.5)
    mask = canvas.mask(FACE)
    canvas.shade(np.asarray(full, np.float32), (float(low[0]), float(low[1])), mask)
    return mask


def _light(
    x: NDArray[np.float32], y: NDArray[np.float32], step: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Diffuse light, 0 to 1, and shine on the relief over the grid x by y."""
    u, v = x[None, :] / 7.9, (y[:, None] + 0.5) / 11.3
    z = 8.0 * np.sqrt(np.maximum(1 - u * u - v * v, 0.02))
    for centre_x, centre_y, sigma_x, sigma_y, bump in _BUMPS:
        down = np.exp(-0.5 * ((y - centre_y) / sigma_y) ** 2) * np.float32(bump)
        across = np.exp(-0.5 * ((x - centre_x) / sigma_x) ** 2)
        if centre_x:
            across = across + np.exp(-0.5 * ((x + centre_x) / sigma_x) ** 2)
        z += down[:, None] * across[None, :]
    slope_x = cv2.Sobel(z, cv2.CV_32F, 1, 0, scale=1 / (8 * step))
    slope_y = cv2.Sobel(z, cv2.CV_32F, 0, 1, scale=1 / (8 * step))
    norm = 1 / np.sqrt(slope_x * slope_x + slope_y * slope_y + 1)

    def facing(direction: NDArray[np.float64]) -> NDArray[np.float32]:
        return np.asarray((direction[2] - direction[0] * slope_x - direction[1] * slope_y) * norm, np.float32)

    key = np.clip((facing(np.array(_KEY)) + 0.25) / 1.25, 0, 1)
    fill = np.clip((facing(np.array(_FILL)) + 0.3) / 1.3, 0, 1)
    light = 0.05 + 0.74 * key + 0.20 * fill
    half = np.array(_KEY)
    half[2] += 1
    shine = np.clip(facing(half / np.linalg.norm(half)), 0, 1) ** 34 * 0.20
    return np.asarray(light, np.float32), np.asarray(shine, np.float32)


def _ramp(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """Skin colours, (h, w, 3) float32 BGR, for light of 0 to 1."""
    steps = [step for step, _ in SKIN_RAMP]
    table = np.stack(
        [np.interp(np.linspace(0, 1, 256), steps, [colour[c] for _, colour in SKIN_RAMP]) for c in range(3)],
        1,
    ).astype(np.float32)
    return table[np.clip(light * 255, 0, 255).astype(np.intp)]


def _flush(colours: NDArray[np.float32], x: NDArray[np.float32], y: NDArray[np.float32]) -> None:
    """Redder cheeks, nose and chin, darker lids, in place: (h, w, 3) float32 BGR."""
    for centre_x, centre_y, sigma_x, sigma_y, gains in (
        (4.2, 1.7, 1.6, 1.2, (-0.12, -0.10, 0.01)),
        (0.0, 1.9, 1.1, 0.8, (-0.10, -0.085, 0.0)),
        (0.0, 7.9, 1.4, 0.8, (-0.03, -0.025, 0.0)),
        (3.2, -2.1, 1.6, 0.9, (-0.13, -0.13, -0.06)),
    ):
        down = np.exp(-0.5 * ((y - centre_y) / sigma_y) ** 2)
        across = np.exp(-0.5 * ((x - centre_x) / sigma_x) ** 2)
        if centre_x:
            across = across + np.exp(-0.5 * ((x + centre_x) / sigma_x) ** 2)
        colours *= 1 + (down[:, None] * across[None, :])[..., None] * np.array(gains, np.float32)


def draw_ears(canvas: Canvas) -> None:
    """Both ears; before the head, which covers their roots."""
    for side in (-1, 1):

        def at(*points: tuple[float, float], side: int = side) -> NDArray[np.float64]:
            return np.array(points) * (side, 1)

        base, shadow, shine = (
            ((122, 148, 208), (70, 86, 150), 0.65) if side < 0 else ((100, 122, 184), (58, 70, 130), 0.3)
        )
        rim = smooth(
            at(
                (6.3, -2.6),
                (7.0, -2.9),
                (7.75, -2.4),
                (7.95, -1.0),
                (7.65, 0.5),
                (7.35, 1.5),
                (6.95, 2.1),
                (6.5, 2.35),
                (6.0, 2.0),
            ),
            closed=True,
        )
        canvas.fill(rim, base)
        inside = canvas.mask(rim)
        canvas.fill(
            smooth(at((6.6, -1.9), (7.2, -1.9), (7.35, -0.9), (7.0, 0.4), (6.6, 0.9)), closed=True),
            shadow,
            0.75,
            0.2,
            inside,
        )
        canvas.stroke(
            at((6.5, -2.5), (7.1, -2.6), (7.6, -2.0), (7.65, -0.8), (7.35, 0.6)),
            (0.1, 0.3, 0.28, 0.1),
            (182, 206, 245),
            shine,
            0.1,
            inside,
        )
        canvas.glow((side * 7.0, 1.5), (0.3, 0.35), (150, 170, 228), shine, within=inside)


def draw_nose(canvas: Canvas) -> None:
    """What the relief cannot say: nostrils, the shadow beneath, the light on the tip."""
    canvas.glow((0.35, 2.75), (1.1, 0.28), (60, 74, 138), 0.42)
    for side in (-1, 1):
        nostril = [
            (side * x, y) for x, y in [(0.42, 2.50), (0.70, 2.32), (1.05, 2.38), (1.12, 2.55), (0.75, 2.62)]
        ]
        canvas.fill(smooth(nostril, closed=True), (38, 40, 82), 0.82, 0.07)
        wing = [(side * x, y) for x, y in [(1.35, 1.55), (1.62, 1.95), (1.58, 2.40), (1.25, 2.58)]]
        canvas.stroke(wing, (0.0, 0.16, 0.2, 0.05), (66, 80, 146), 0.50, 0.09)
    canvas.stroke([(-0.5, 2.68), (0.0, 2.82), (0.5, 2.68)], (0.0, 0.16, 0.0), (66, 80, 146), 0.5, 0.07)
    canvas.glow((-0.28, 1.45), (0.34, 0.30), (244, 250, 255), 0.50)
    canvas.glow((-0.16, -0.4), (0.20, 1.0), (232, 242, 255), 0.26)


def draw_mouth(canvas: Canvas) -> None:
    """Closed lips with the start of a smile."""
    y = MOUTH_Y
    corner, line = (
        2.45,
        [(-2.45, y - 0.24), (-1.4, y - 0.02), (-0.5, y + 0.02), (0.0, y + 0.12), (0.5, y + 0.02)],
    )
    seam = smooth([*line, (1.4, y - 0.02), (corner, y - 0.24)])
    upper_edge = [(corner, y - 0.24), (1.7, y - 0.55), (0.95, y - 0.90), (0.42, y - 0.98), (0.0, y - 0.80)]
    upper = smooth(upper_edge + [(-x, v) for x, v in upper_edge[-2::-1]])
    lower_edge = [(corner, y - 0.24), (1.85, y + 0.55), (1.0, y + 1.10), (0.0, y + 1.24)]
    lower = smooth(lower_edge + [(-x, v) for x, v in lower_edge[-2::-1]])

    canvas.glow((0.25, y + 1.75), (1.2, 0.30), (92, 108, 172), 0.42)
    upper_lip, lower_lip = np.concatenate([seam, upper]), np.concatenate([seam, lower])
    canvas.fill(upper_lip, (98, 92, 190), 0.86, 0.05)
    canvas.fill(lower_lip, (118, 114, 212), 0.86, 0.05)
    on_upper, on_lower = canvas.mask(upper_lip, 0.05), canvas.mask(lower_lip, 0.05)
    canvas.glow((0.6, y - 0.25), (2.2, 0.28), (62, 52, 140), 0.50, within=on_upper)
    canvas.glow((-0.35, y - 0.78), (0.8, 0.16), (158, 158, 236), 0.50, within=on_upper)
    canvas.glow((0.5, y + 1.2), (1.6, 0.26), (76, 70, 168), 0.55, within=on_lower)
    canvas.glow((-0.35, y + 0.55), (0.85, 0.22), (205, 206, 252), 0.62, within=on_lower)
    canvas.glow((-0.65, y + 0.50), (0.28, 0.09), (244, 244, 255), 0.60, within=on_lower)
    canvas.stroke(seam, (0.04, 0.13, 0.15, 0.13, 0.04), (42, 32, 92), 0.85, 0.035)
    for side in (-1, 1):
        canvas.glow((side * 2.58, y - 0.24), (0.22, 0.20), (58, 66, 132), 0.55)
        fold = [(side * px, py) for px, py in [(1.95, 2.5), (2.55, 3.3), (2.98, 4.2)]]
        canvas.stroke(fold, (0.0, 0.22, 0.0), (92, 112, 178), 0.34, 0.20)
