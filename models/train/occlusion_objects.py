"""What else stands before a face, drawn with an exact mask: hair, glasses, cups, microphones, phones, cloth.

Every function takes the face's landmarks in the picture, (468, 2) float32, and gives a `Cover`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.topology import LEFT_EYE, RIGHT_EYE

__all__ = ["MAKERS", "Cover", "Scene", "light_field", "texture"]

F32 = NDArray[np.float32]
Rng = np.random.Generator

FINER = 2
"""Lines are drawn this much larger and scaled down."""


@dataclass(frozen=True, slots=True)
class Cover:
    alpha: F32
    """(side, side) in [0, 1]: how much it hides."""
    paint: F32
    """(side, side, 3) in [0, 255]."""


@dataclass(frozen=True, slots=True)
class Scene:
    points: F32
    """(468, 2), pixels of the picture."""
    side: int
    skin: F32
    """(3,): BGR of the cheeks."""
    hair: F32
    """(3,): BGR of the hair, or any colour."""
    other: NDArray[np.uint8]
    """Another portrait, for textures."""


def light_field(rng: Rng, side: int, strength: float) -> F32:
    """(side, side, 3): a smooth factor about 1, a ramp and a glow, slightly coloured."""
    x, y = np.meshgrid(*2 * [np.linspace(-1, 1, side, dtype=np.float32)])
    angle, centre = rng.uniform(0, 2 * np.pi), rng.uniform(-0.6, 0.6, 2)
    ramp = (x * np.cos(angle) + y * np.sin(angle)) * rng.uniform(0, strength)
    glow = np.exp(-((x - centre[0]) ** 2 + (y - centre[1]) ** 2) / rng.uniform(0.2, 1.0))
    glow *= rng.uniform(-strength, strength) * 0.7
    colour = 1 + rng.normal(0, 0.12, 3)
    return np.asarray(np.clip(1 + (ramp + glow)[..., None] * colour, 0.25, 2), np.float32)


def texture(rng: Rng, scene: Scene) -> F32:
    """(side, side, 3): a piece of another portrait, noise of two colours, stripes, or one colour."""
    side, kind = scene.side, rng.random()
    if kind < 0.4:
        height, width = scene.other.shape[:2]
        piece = int(rng.integers(24, min(height, width) // 2))
        y, x = rng.integers(0, height - piece), rng.integers(0, width - piece)
        cut = scene.other[y : y + piece, x : x + piece]
        paint = cv2.resize(cut, (side, side)).astype(np.float32) * np.float32(rng.uniform(0.5, 1.3))
    elif kind < 0.6:
        coarse = int(rng.integers(3, 40))
        noise = cv2.resize(
            rng.random((coarse, coarse)).astype(np.float32), (side, side), interpolation=cv2.INTER_CUBIC
        )
        first, second = rng.uniform(0, 255, (2, 3))
        paint = (first + noise[..., None] * (second - first)).astype(np.float32)
    elif kind < 0.75:
        x, y = np.meshgrid(*2 * [np.arange(side)])
        angle, wave = rng.uniform(0, np.pi), rng.uniform(0.1, 1.5)
        band = np.sin((x * np.cos(angle) + y * np.sin(angle)) * wave) > rng.uniform(-0.7, 0.7)
        first, second = rng.uniform(0, 255, (2, 3))
        paint = np.where(band[..., None], first, second).astype(np.float32)
    elif kind < 0.87:
        grey = rng.choice((12.0, 30.0, 60.0, 200.0, 240.0))
        paint = np.full((side, side, 3), grey, np.float32) + rng.normal(0, 8, 3).astype(np.float32)
    else:
        paint = np.full((side, side, 3), 1.0, np.float32) * rng.uniform(0, 255, 3).astype(np.float32)
    return np.asarray(np.clip(paint * light_field(rng, side, 0.6), 0, 255), np.float32)


def blank(scene: Scene) -> NDArray[np.uint8]:
    return np.zeros((scene.side * FINER, scene.side * FINER), np.uint8)


def fixed(points: NDArray[Any]) -> NDArray[np.int32]:
    """Pixels of the picture to the 4 fractional bits of the finer canvas."""
    return np.round((np.asarray(points, np.float64) + 0.5) * FINER * 16 - 8).astype(np.int32)


def down(canvas: NDArray[np.uint8], scene: Scene) -> F32:
    small = cv2.resize(canvas, (scene.side, scene.side), interpolation=cv2.INTER_AREA)
    return np.asarray(small / np.float32(255), np.float32)


def somewhere(rng: Rng, scene: Scene) -> NDArray[np.float64]:
    """A point of the face, mostly its lower half."""
    chosen = (1, 4, 0, 17, 13, 152, 199, 50, 280, 205, 425, 61, 291, 172, 397, 10, 151, 33, 263, 116, 345)
    return np.asarray(scene.points[rng.choice(chosen)] + rng.normal(0, scene.side * 0.04, 2), np.float64)


def outside(rng: Rng, scene: Scene) -> NDArray[np.float64]:
    """A point beyond the crop, mostly below."""
    angle = rng.normal(np.pi / 2, 0.9)
    return np.asarray(scene.side * (0.5 + 0.85 * np.array((np.cos(angle), np.sin(angle)))), np.float64)


def unit_axes(scene: Scene) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """The face's own right and down, and its width between the outer eye corners."""
    across = (scene.points[263] - scene.points[33]).astype(np.float64)
    width = float(np.linalg.norm(across))
    right = across / width
    return right, np.array((-right[1], right[0])), width


def strands(rng: Rng, scene: Scene) -> Cover:
    """A lock, a few loose hairs, or a whole fringe."""
    right, below, width = unit_axes(scene)
    top = scene.points[10].astype(np.float64)
    kind = rng.random()
    if kind < 0.45:
        count, spread, thick = int(rng.integers(150, 400)), width * rng.uniform(0.3, 0.85), 1.3
        root = top - below * width * rng.uniform(0.3, 0.6) + right * width * rng.normal(0, 0.35)
        reach = width * rng.uniform(0.45, 1.2)
        lean = rng.normal(0, 0.5)
    elif kind < 0.8:
        count, spread, thick = int(rng.integers(30, 160)), width * rng.uniform(0.02, 0.14), 1.2
        side = rng.choice((-1.0, 1.0))
        root = top - below * width * 0.4 + right * width * side * rng.uniform(0.0, 0.8)
        reach, lean = width * rng.uniform(0.8, 2.2), rng.normal(0, 0.35)
    else:
        count, spread, thick = int(rng.integers(2, 12)), width * rng.uniform(0.1, 0.8), 1.2
        root = top - below * width * 0.2 + right * width * rng.uniform(-0.9, 0.9)
        reach, lean = width * rng.uniform(0.6, 2.0), rng.normal(0, 0.6)
    bow, curl, wave = rng.normal(0, 0.35), rng.uniform(0, 0.03), rng.uniform(1, 5)
    mask, tone = blank(scene), blank(scene)
    t = np.linspace(0, 1, 14)[:, None]
    phase = rng.uniform(0, 6.28)
    for _ in range(count):
        offset = rng.uniform(-1, 1)
        length = reach * rng.uniform(0.75, 1.1)
        way = below * (1 - 0.15 * offset**2) + right * (lean + offset * 0.12 + rng.normal(0, 0.05))
        bend = right * (bow + rng.normal(0, 0.05)) * t**2 + right * curl * np.sin(wave * 6 * t + phase)
        line = root + right * offset * spread + (way * t + bend) * length
        drawn = [fixed(line)]
        shade = int(np.clip(150 + 70 * rng.normal(), 30, 255))
        thickness = max(1, round(thick * rng.uniform(0.5, 1.3)))
        cv2.polylines(mask, drawn, False, 255, thickness, cv2.LINE_AA, 4)
        cv2.polylines(tone, drawn, False, shade, thickness, cv2.LINE_AA, 4)
    alpha = down(mask, scene)
    shading = down(tone, scene)[..., None] / np.maximum(alpha, 0.05)[..., None] * np.float32(255 / 150)
    palette = ((25, 28, 32), (20, 35, 60), (40, 70, 110), (95, 140, 180), (150, 180, 205), (165, 165, 168))
    base = scene.hair if rng.random() < 0.5 else np.array(palette[rng.integers(6)], np.float32)
    base = base * rng.uniform(0.6, 1.3) + rng.uniform(0, 12)
    paint = np.clip(base * shading * light_field(rng, scene.side, 0.5), 0, 255).astype(np.float32)
    return Cover(alpha, paint)


def glasses(rng: Rng, scene: Scene) -> Cover:
    """Frames; the glass hides nothing unless it is dark."""
    right, below, width = unit_axes(scene)
    rings, lenses = blank(scene), blank(scene)
    half = width * rng.uniform(0.24, 0.33)
    tall = half * rng.uniform(0.55, 1.05)
    power = rng.choice((2.0, 3.0, 5.0))
    thick = max(1, round(width * FINER * rng.choice((0.015, 0.03, 0.05, 0.08))))
    drop = below * width * rng.uniform(-0.03, 0.09)
    angles = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    cosine, sine = np.cos(angles), np.sin(angles)
    x = np.sign(cosine) * abs(cosine) ** (2 / power) * half
    y = np.sign(sine) * abs(sine) ** (2 / power) * tall
    centres = []
    for ring, sign in ((RIGHT_EYE, -1), (LEFT_EYE, 1)):
        centre = scene.points[ring].mean(axis=0).astype(np.float64) + drop + right * sign * half * 0.1
        outline = fixed(centre + x[:, None] * right + y[:, None] * below)
        cv2.polylines(rings, [outline], True, 255, thick, cv2.LINE_AA, 4)
        cv2.fillPoly(lenses, [outline], 255, cv2.LINE_AA, 4)
        temple = scene.points[127 if sign < 0 else 356].astype(np.float64) + right * sign * width * 0.1
        edge = centre + right * sign * half - below * tall * rng.uniform(0.1, 0.6)
        cv2.polylines(rings, [fixed(np.stack([edge, temple]))], False, 255, thick, cv2.LINE_AA, 4)
        centres.append(centre)
    lift = below * tall * rng.uniform(-0.5, 0.1)
    middle = (centres[0] + centres[1]) / 2 + lift - below * tall * rng.uniform(0, 0.25)
    bridge = np.stack(
        [centres[0] + right * half * 0.95 + lift, middle, centres[1] - right * half * 0.95 + lift]
    )
    cv2.polylines(rings, [fixed(bridge)], False, 255, max(thick, 1), cv2.LINE_AA, 4)
    frame = down(rings, scene)
    if rng.random() < 0.6:
        colour = rng.choice((8.0, 20.0, 40.0, 70.0)) * (1 + rng.normal(0, 0.2, 3))
    else:
        colour = rng.uniform(0, 230, 3)
    paint = np.clip(colour * light_field(rng, scene.side, 0.8), 0, 255).astype(np.float32)
    alpha = frame
    if rng.random() < 0.35:
        dark = rng.uniform(0.7, 1.0)
        glass = np.clip(rng.choice((5.0, 20.0, 40.0)) * light_field(rng, scene.side, 1.0), 0, 255)
        inside = down(lenses, scene) * np.float32(dark)
        paint = np.where((frame > 0.5)[..., None], paint, glass).astype(np.float32)
        alpha = np.maximum(frame, inside)
    return Cover(alpha, paint)


def cup(rng: Rng, scene: Scene) -> Cover:
    """A mug, a glass or a tin before mouth or chin."""
    _, _, width = unit_axes(scene)
    mask, tone = blank(scene), np.ones((scene.side, scene.side), np.float32)
    w, h = width * rng.uniform(0.35, 0.75), width * rng.uniform(0.6, 1.4)
    angle = rng.normal(0, 0.25)
    right = np.array((np.cos(angle), np.sin(angle)))
    below = np.array((-right[1], right[0]))
    rim = np.asarray(scene.points[rng.choice((0, 13, 17, 4, 152))], np.float64) + rng.normal(
        0, width * 0.08, 2
    )
    narrow = rng.uniform(0.75, 1.0)
    body = [
        rim - right * w,
        rim + right * w,
        rim + right * w * narrow + below * h * 2,
        rim - right * w * narrow + below * h * 2,
    ]
    cv2.fillPoly(mask, [fixed(np.stack(body))], 255, cv2.LINE_AA, 4)
    centre = tuple(fixed(rim).tolist())
    axes = (round(w * FINER * 16), round(w * rng.uniform(0.08, 0.4) * FINER * 16))
    cv2.ellipse(mask, centre, axes, np.degrees(angle), 0, 360, 255, -1, cv2.LINE_AA, 4)
    if rng.random() < 0.5:
        sign = rng.choice((-1.0, 1.0))
        grip = tuple(fixed(rim + right * sign * w * 1.1 + below * h * 0.6).tolist())
        thick = max(1, round(w * 0.22 * FINER))
        cv2.ellipse(
            mask,
            grip,
            (round(w * 0.45 * FINER * 16), round(h * 0.4 * FINER * 16)),
            np.degrees(angle),
            0,
            360,
            255,
            thick,
            cv2.LINE_AA,
            4,
        )
    x, y = np.meshgrid(*2 * [np.arange(scene.side, dtype=np.float32)])
    across = ((x - rim[0]) * right[0] + (y - rim[1]) * right[1]) / w
    tone = np.sqrt(np.clip(1.15 - (across - rng.uniform(-0.4, 0.4)) ** 2, 0.1, 1)).astype(np.float32)
    paint = texture(rng, scene) * tone[..., None]
    return Cover(down(mask, scene), np.asarray(paint, np.float32))


def microphone(rng: Rng, scene: Scene) -> Cover:
    """A ball of wire or foam on a stick, from below or from the side."""
    _, _, width = unit_axes(scene)
    aim = np.asarray(scene.points[rng.choice((17, 13, 199, 152, 61, 291))], np.float64) + rng.normal(
        0, width * 0.12, 2
    )
    start = outside(rng, scene)
    way = (start - aim) / np.linalg.norm(start - aim)
    radius = width * rng.uniform(0.12, 0.36)
    ball, stick = blank(scene), blank(scene)
    cv2.circle(ball, tuple(fixed(aim).tolist()), round(radius * FINER * 16), 255, -1, cv2.LINE_AA, 4)
    ends = fixed(np.stack([aim + way * radius * 0.7, aim + way * scene.side * 1.5]))
    cv2.polylines(
        stick, [ends], False, 255, max(1, round(radius * rng.uniform(0.5, 1.3) * FINER)), cv2.LINE_AA, 4
    )
    x, y = np.meshgrid(*2 * [np.arange(scene.side, dtype=np.float32)])
    bulge = np.sqrt(np.clip(1.1 - ((x - aim[0]) ** 2 + (y - aim[1]) ** 2) / radius**2, 0.05, 1))
    mesh = 1 + rng.uniform(0, 0.5) * np.sin(x * rng.uniform(1, 2.5)) * np.sin(y * rng.uniform(1, 2.5))
    colour = rng.choice((15.0, 40.0, 90.0, 150.0)) * (1 + rng.normal(0, 0.1, 3))
    head = colour * (bulge * mesh)[..., None]
    alpha_ball = down(ball, scene)
    handle = np.clip(rng.uniform(5, 120) * light_field(rng, scene.side, 0.8), 0, 255)
    paint = np.where((alpha_ball > 0)[..., None], head, handle)
    return Cover(np.maximum(alpha_ball, down(stick, scene)), np.clip(paint, 0, 255).astype(np.float32))


def slab(rng: Rng, scene: Scene) -> Cover:
    """A phone, a sheet of paper, a book, a pen: a rounded rectangle held before the face."""
    _, _, width = unit_axes(scene)
    aim, angle = somewhere(rng, scene), rng.normal(0, 0.5)
    w, h = width * rng.uniform(0.04, 0.6), width * rng.uniform(0.5, 1.2)
    if rng.random() < 0.3:
        w, h = h, w
    right = np.array((np.cos(angle), np.sin(angle)))
    below = np.array((-right[1], right[0]))
    shift = (right * rng.uniform(-1, 1) + below * rng.uniform(-1, 1)) * 0.9
    middle = aim + shift * np.array((w, h))
    corners = np.stack(
        [middle + right * a * w + below * b * h for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    )
    corners += rng.normal(0, w * 0.04, (4, 2))
    mask = blank(scene)
    cv2.fillPoly(mask, [fixed(corners)], 255, cv2.LINE_AA, 4)
    radius = round(min(w, h) * rng.uniform(0, 0.3) * FINER)
    if radius > 1:
        mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), radius / 2), np.uint8)
        mask = np.where(mask > 127, np.uint8(255), np.uint8(0))
    paint = texture(rng, scene)
    if rng.random() < 0.35:
        lines = blank(scene)
        for row in np.linspace(-0.9, 0.9, int(rng.integers(4, 14))):
            ends = [
                middle - right * w * 0.8 + below * row * h,
                middle + right * w * rng.uniform(0.2, 0.8) + below * row * h,
            ]
            cv2.polylines(lines, [fixed(np.stack(ends))], False, 255, int(rng.integers(1, 4)), cv2.LINE_AA, 4)
        paint = np.asarray(paint * (1 - 0.7 * down(lines, scene)[..., None]), np.float32)
    return Cover(down(mask, scene), paint)


def blob(rng: Rng, scene: Scene) -> Cover:
    """Cloth, fur, food, another's shoulder: any smooth shape of any texture, sometimes of skin."""
    aim = somewhere(rng, scene)
    radius = scene.side * rng.uniform(0.06, 0.3)
    angles = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(5, 12))))
    reach = radius * rng.uniform(0.4, 1.4, len(angles))
    away = (aim - scene.side / 2) * rng.uniform(0, 0.8)
    outline = aim + away + reach[:, None] * np.column_stack([np.cos(angles), np.sin(angles)])
    mask = blank(scene)
    cv2.fillPoly(mask, [fixed(outline)], 255, cv2.LINE_AA, 4)
    soft = np.asarray(cv2.GaussianBlur(mask, (0, 0), scene.side * FINER * rng.uniform(0.005, 0.04)), np.uint8)
    mask = np.where(soft > 127, np.uint8(255), np.uint8(0))
    paint = texture(rng, scene)
    if rng.random() < 0.3:
        paint = scene.skin * np.float32(rng.uniform(0.6, 1.25)) * light_field(rng, scene.side, 0.7)
    waves = cv2.GaussianBlur(
        rng.normal(0, 1, (scene.side, scene.side)).astype(np.float32), (0, 0), rng.uniform(1, 8)
    )
    folds = 1 + np.float32(rng.uniform(0, 0.3)) * waves / np.float32(waves.std() + 1e-6)
    return Cover(down(mask, scene), np.clip(paint * folds[..., None], 0, 255).astype(np.float32))


def face_mask(rng: Rng, scene: Scene) -> Cover:
    """A medical or cloth mask, or a scarf, over the mouth."""
    ring = (127, 234, 93, 132, 58, 172, 136, 150, 176, 152, 400, 379, 365, 397, 288, 361, 323, 454, 356)
    upper = ((195, 197, 5, 4, 2)[rng.integers(5)],)
    skip = int(rng.integers(1, 5))
    cheeks = ((425, 280, 330)[rng.integers(3)], *upper, (205, 50, 101)[rng.integers(3)])
    outline = scene.points[list(ring[skip : len(ring) - skip] + cheeks)].astype(np.float64)
    centre = outline.mean(axis=0)
    outline = centre + (outline - centre) * rng.uniform(1.0, 1.15)
    mask = blank(scene)
    cv2.fillPoly(mask, [fixed(outline)], 255, cv2.LINE_AA, 4)
    paint = texture(rng, scene)
    if rng.random() < 0.5:
        colour = np.array(((215, 190, 150), (240, 240, 240), (25, 25, 25), (200, 170, 120))[rng.integers(4)])
        paint = np.clip(colour * light_field(rng, scene.side, 0.4), 0, 255).astype(np.float32)
    y = np.arange(scene.side, dtype=np.float32)[:, None, None]
    folds = 1 + rng.uniform(0, 0.12) * np.sin(y * rng.uniform(0.3, 0.9))
    return Cover(down(mask, scene), np.asarray(paint * folds, np.float32))


def rod(rng: Rng, scene: Scene) -> Cover:
    """A pen, a straw, an arm, a strap: a bar with round shading, of any stuff, sometimes of skin."""
    _, _, width = unit_axes(scene)
    aim, start = somewhere(rng, scene), outside(rng, scene)
    if rng.random() < 0.4:
        aim = aim + (aim - start) * 2
    thick = width * rng.choice((0.04, 0.08, 0.15, 0.3, 0.5)) * rng.uniform(0.8, 1.3)
    mask = blank(scene)
    cv2.polylines(
        mask, [fixed(np.stack([start, aim]))], False, 255, max(1, round(thick * FINER)), cv2.LINE_AA, 4
    )
    way = (aim - start) / np.linalg.norm(aim - start)
    x, y = np.meshgrid(*2 * [np.arange(scene.side, dtype=np.float32)])
    across = ((x - aim[0]) * -way[1] + (y - aim[1]) * way[0]) / (thick / 2 + 0.5)
    round_ = np.sqrt(np.clip(1.15 - (across - rng.uniform(-0.5, 0.5)) ** 2, 0.15, 1))
    paint = texture(rng, scene)
    if rng.random() < 0.4:
        paint = scene.skin * np.float32(rng.uniform(0.7, 1.25)) * light_field(rng, scene.side, 0.5)
    return Cover(down(mask, scene), np.asarray(paint * round_[..., None], np.float32))


MAKERS: tuple[tuple[float, Callable[[Rng, Scene], Cover]], ...] = (
    (0.24, strands),
    (0.20, glasses),
    (0.10, cup),
    (0.10, microphone),
    (0.11, slab),
    (0.10, blob),
    (0.06, face_mask),
    (0.09, rod),
)
"""Share and maker of each kind."""
