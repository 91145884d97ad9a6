"""Hands before a face, drawn from a skeleton: what no picture shows with an exact mask.

A hand is some thirty tapered capsules with depth, posed joint by joint, turned in space and looked at
straight on. The depth gives the outline, the shading, the dark between the fingers and what hides what.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Hand", "draw_hand", "posed_hand"]

F32 = NDArray[np.float32]
Part = tuple[F32, F32, float, float, F32 | None, bool]
"""A capsule in hand lengths: start, end, its radii there, where its nail faces, whether its end wrinkles."""

KNUCKLES = ((-0.140, 0.500), (-0.047, 0.530), (0.047, 0.505), (0.130, 0.450))
"""Of index, middle, ring and little finger; the wrist is the origin, the middle finger's tip at about 1."""
BONES = ((0.23, 0.14, 0.10), (0.25, 0.16, 0.105), (0.23, 0.15, 0.10), (0.18, 0.11, 0.09))
RADII = (0.053, 0.049, 0.045, 0.037)
"""Of a finger at its knuckle, its two joints and its tip."""
THUMB_ROOT = (-0.09, 0.10)
THUMB_BONES = (0.21, 0.15, 0.12)
THUMB_RADII = (0.075, 0.058, 0.050, 0.038)
PALM_RADIUS = 0.080
FOREARM = 1.6
NAIL_TOWARD = 0.25
"""How far a nail must face the viewer to be seen: the cosine."""


@dataclass(frozen=True, slots=True)
class Capsule:
    start: F32
    """(3,): x to the right, y down, z towards the viewer, in pixels."""
    end: F32
    radius: float
    end_radius: float
    nail: F32 | None = None
    """(3,): where the back of a finger's last bone faces."""
    crease: bool = False
    """A joint at its end wrinkles."""


@dataclass(frozen=True, slots=True)
class Hand:
    capsules: tuple[Capsule, ...]
    tips: F32
    """(5, 2): where the fingers end, in pixels; the thumb first."""


def posed_hand(rng: np.random.Generator, length_px: float) -> Hand:
    """A hand in a random pose, its wrist at the origin, pointing upwards on the screen or nearly so."""
    parts: list[Part] = []
    wrist: list[F32] = [np.array((x * 0.55, 0.04, 0), np.float32) for x, _ in KNUCKLES]
    knuckles = [np.array((x, y, 0), np.float32) for x, y in KNUCKLES]
    arch = rng.uniform(0, 0.05)
    for number, lift in enumerate((0, 1, 0.8, 0)):
        knuckles[number][2] = arch * lift
    for number in range(4):
        parts.append((wrist[number], knuckles[number], PALM_RADIUS, RADII[0] * 1.12, None, False))
        if number:
            between = (knuckles[number] + knuckles[number - 1]) * np.float32(0.5)
            between -= np.array((0, 0.03, 0.01), np.float32)
            heel = (wrist[number] + wrist[number - 1]) * np.float32(0.5)
            parts.append((heel, between, PALM_RADIUS, 0.05, None, False))
    tips = [_thumb(rng, parts)]
    splay = rng.uniform(-0.02, 0.14) if rng.random() < 0.6 else -0.02
    flexion = _flexion(rng)
    for number in range(4):
        sideways = (number - 1.4) * splay + rng.normal(0, 0.03)
        tips.append(_finger(rng, parts, knuckles[number], BONES[number], sideways, flexion[number]))
    if rng.random() < 0.9:
        for side in (-0.05, 0.05):
            elbow = side * rng.uniform(1, 1.7)
            start = np.array((side, 0.06, 0), np.float32)
            end = np.array((elbow, -FOREARM, 0), np.float32)
            parts.append((start, end, 0.08, 0.13, None, False))
    return _placed(rng, parts, tips, length_px)


def _thumb(rng: np.random.Generator, parts: list[Part]) -> F32:
    at = np.array((*THUMB_ROOT, 0), np.float32)
    angle = rng.uniform(-0.2, 1.1)
    for number, bone in enumerate(THUMB_BONES):
        toward = np.array((-np.sin(angle), np.cos(angle), -rng.uniform(0, 0.6)), np.float32)
        after = at + bone * toward / np.float32(np.linalg.norm(toward))
        nail = np.array((-0.6, 0.0, 0.8), np.float32) if number == 2 else None
        parts.append((at, after, THUMB_RADII[number], THUMB_RADII[number + 1], nail, number == 1))
        at, angle = after, angle - rng.uniform(-0.1, 0.7)
    return at


def _flexion(rng: np.random.Generator) -> NDArray[np.float64]:
    """(4, 3): how far each joint of each finger bends, in radians."""
    kind = rng.random()
    if kind < 0.4:
        bend = rng.uniform(-0.1, 0.35, (1, 3)) + rng.normal(0, 0.12, (4, 3))
    elif kind < 0.65:
        bend = rng.uniform(0.2, 0.9, (1, 3)) + rng.normal(0, 0.15, (4, 3))
    elif kind < 0.8:
        bend = np.array([[1.3, 1.6, 0.9]]) + rng.normal(0, 0.12, (4, 3))
    else:
        bend = np.array([[1.2, 1.6, 0.9]]) + rng.normal(0, 0.12, (4, 3))
        out = rng.integers(1, 4)
        first = rng.integers(0, 4 - out + 1)
        bend[first : first + out] = rng.uniform(-0.1, 0.4, (out, 3))
    return np.maximum(bend, -0.15)


def _finger(
    rng: np.random.Generator,
    parts: list[Part],
    at: F32,
    bones: tuple[float, ...],
    sideways: float,
    bends: NDArray[np.float64],
) -> F32:
    ahead = np.array((np.sin(sideways), np.cos(sideways), 0), np.float32)
    back = np.array((0, 0, 1), np.float32)
    angle, thick = 0.0, rng.uniform(0.9, 1.2)
    for number, bone in enumerate(bones):
        angle += float(bends[number])
        toward = np.float32(np.cos(angle)) * ahead - np.float32(np.sin(angle)) * back
        nail = np.float32(np.cos(angle)) * back + np.float32(np.sin(angle)) * ahead if number == 2 else None
        after = (at + np.float32(bone) * toward).astype(np.float32)
        parts.append((at, after, RADII[number] * thick, RADII[number + 1] * thick, nail, number < 2))
        at = after
    return at


def _placed(
    rng: np.random.Generator,
    parts: list[Part],
    tips: list[F32],
    length_px: float,
) -> Hand:
    """Turned about its length (back, palm or edge to the viewer), tilted a little, mirrored or not."""
    about = rng.normal(0, 0.6) + (np.pi if rng.random() < 0.4 else 0.0)
    tilt = rng.normal(0, 0.45)
    cosine, sine = np.cos(about), np.sin(about)
    turn = np.array([[cosine, 0, sine], [0, 1, 0], [-sine, 0, cosine]])
    cosine, sine = np.cos(tilt), np.sin(tilt)
    turn = np.array([[1, 0, 0], [0, cosine, -sine], [0, sine, cosine]]) @ turn
    screen = np.diag((rng.choice((-1.0, 1.0)), -1.0, 1.0)) @ turn
    matrix = screen.astype(np.float32)
    capsules = []
    for start, end, radius, end_radius, nail, crease in parts:
        facing = None if nail is None else matrix @ nail
        capsules.append(
            Capsule(
                matrix @ start * np.float32(length_px),
                matrix @ end * np.float32(length_px),
                radius * length_px,
                end_radius * length_px,
                facing,
                crease,
            )
        )
    ends = np.array([(matrix @ tip)[:2] for tip in tips], np.float32) * np.float32(length_px)
    return Hand(tuple(capsules), ends)


def draw_hand(
    rng: np.random.Generator, hand: Hand, to_picture: NDArray[np.float64], side: int, skin: F32
) -> tuple[F32, F32]:
    """(side, side) coverage in [0, 1] and (side, side, 3) colours in [0, 255].

    `to_picture`: (2, 3), a turn and shift from the hand's pixels; `skin`: (3,) BGR of its lit side.
    """
    depth = np.full((side, side), -1e6, np.float32)
    owner = np.full((side, side), -1, np.int32)
    tint = np.ones((side, side, 3), np.float32)
    linear = to_picture[:, :2].astype(np.float32)
    placed = [_moved(capsule, linear, to_picture[:, 2]) for capsule in hand.capsules]
    for number, capsule in enumerate(placed):
        _raise(depth, owner, number, capsule)
    for number, capsule in enumerate(placed):
        if capsule.crease:
            _wrinkle(rng, tint, owner, number, capsule)
        if capsule.nail is not None:
            _nail(rng, tint, owner, number, capsule)
    covered = (owner >= 0).astype(np.float32)
    if not covered.any():
        return covered, tint * skin
    shade = _shaded(rng, depth, covered)
    grain = cv2.GaussianBlur(rng.normal(0, 1, (side, side)).astype(np.float32), (0, 0), rng.uniform(0.7, 3))
    shade *= 1 + np.float32(rng.uniform(0.01, 0.05)) * grain / np.float32(grain.std() + 1e-6)
    mottled = cv2.GaussianBlur(rng.normal(0, 1, (side, side, 3)).astype(np.float32), (0, 0), side / 14)
    tint *= 1 + np.float32(rng.uniform(0.0, 0.035)) * mottled / np.float32(mottled.std() + 1e-6)
    dark = 1 - shade[..., None].clip(0, 1)
    warm = np.array((-0.10, -0.04, 0.06), np.float32) * np.float32(rng.uniform(0.3, 1.5))
    return covered, np.clip(skin * tint * shade[..., None] * (1 + dark * warm), 0, 255)


def _moved(capsule: Capsule, linear: F32, shift: NDArray[np.float64]) -> Capsule:
    def move(point: F32, offset: NDArray[np.float64] | float) -> F32:
        return np.append(linear @ point[:2] + offset, point[2]).astype(np.float32)

    nail = None if capsule.nail is None else move(capsule.nail, 0.0)
    start, end = move(capsule.start, shift), move(capsule.end, shift)
    return Capsule(start, end, capsule.radius, capsule.end_radius, nail, capsule.crease)


def _raise(depth: F32, owner: NDArray[np.int32], number: int, capsule: Capsule) -> None:
    """Draw the capsule into the depth buffer, nearest surface kept."""
    side = depth.shape[0]
    reach = max(capsule.radius, capsule.end_radius) + 1
    low = np.floor(np.minimum(capsule.start, capsule.end)[:2] - reach).astype(int).clip(0, side)
    high = np.ceil(np.maximum(capsule.start, capsule.end)[:2] + reach).astype(int).clip(0, side)
    if (high <= low).any():
        return
    x = np.arange(low[0], high[0], dtype=np.float32)[None] - capsule.start[0]
    y = np.arange(low[1], high[1], dtype=np.float32)[:, None] - capsule.start[1]
    along = capsule.end - capsule.start
    t = ((x * along[0] + y * along[1]) / max(float(along[0] ** 2 + along[1] ** 2), 1e-3)).clip(0, 1)
    away = (x - t * along[0]) ** 2 + (y - t * along[1]) ** 2
    radius = capsule.radius + t * (capsule.end_radius - capsule.radius)
    inside = away < radius**2
    surface = capsule.start[2] + t * along[2] + np.sqrt(np.maximum(radius**2 - away, 0))
    part = (slice(low[1], high[1]), slice(low[0], high[0]))
    nearer = inside & (surface > depth[part])
    depth[part][nearer] = surface[nearer]
    owner[part][nearer] = number


def _shaded(rng: np.random.Generator, depth: F32, covered: F32) -> F32:
    """Diffuse light from one side and from everywhere, less between the fingers."""
    floor = float(depth[covered > 0].min())
    filled = np.where(covered > 0, depth, floor).astype(np.float32)
    soft = cv2.GaussianBlur(filled, (0, 0), 1.2)
    slope_x, slope_y = (
        cv2.Sobel(soft, cv2.CV_32F, 1, 0, scale=1 / 8),
        cv2.Sobel(soft, cv2.CV_32F, 0, 1, scale=1 / 8),
    )
    steep = np.sqrt(slope_x**2 + slope_y**2 + 1)
    angle, height = rng.uniform(0, 2 * np.pi), rng.uniform(0.25, 0.95)
    level = np.sqrt(1 - height**2)
    light = (-slope_x * level * np.cos(angle) - slope_y * level * np.sin(angle) + height) / steep
    ambient = rng.uniform(0.35, 0.85)
    shade = ambient + (1 - ambient) * np.maximum(light, 0) / np.float32(max(height, 0.6))
    width = depth.shape[0] * 0.03
    weight = cv2.GaussianBlur(covered, (0, 0), width) + 1e-3
    around = cv2.GaussianBlur(filled * covered, (0, 0), width) / weight
    hollow = np.clip((around - filled) / width, 0, 1.5)
    shade *= 1 - np.float32(rng.uniform(0.1, 0.4)) * hollow
    shiny = np.maximum(light, 0) ** 20 * np.float32(max(0.0, rng.normal(0.0, 0.12)))
    return np.asarray(shade + shiny, np.float32)


def _wrinkle(
    rng: np.random.Generator, tint: F32, owner: NDArray[np.int32], number: int, capsule: Capsule
) -> None:
    """Two or three dark lines across the finger at the joint."""
    along = (capsule.end - capsule.start)[:2]
    length = float(np.linalg.norm(along))
    if length < capsule.radius * 0.7:
        return
    along = along / length
    across = np.array((-along[1], along[0]))
    lines = np.zeros(owner.shape, np.uint8)
    for _ in range(int(rng.integers(1, 4))):
        centre = capsule.end[:2] + along * capsule.radius * rng.uniform(-0.45, 0.2)
        reach = capsule.end_radius * rng.uniform(0.4, 0.9)
        ends = np.stack([centre - across * reach, centre + along * reach * 0.2, centre + across * reach])
        cv2.polylines(lines, [np.round(ends * 16).astype(np.int32)], False, 255, 1, cv2.LINE_AA, 4)
    dark = (lines / np.float32(255) * np.float32(rng.uniform(0.08, 0.3)))[..., None]
    tint *= 1 - dark * (abs(owner - number) <= 1)[..., None]


def _nail(
    rng: np.random.Generator, tint: F32, owner: NDArray[np.int32], number: int, capsule: Capsule
) -> None:
    """The finger's tip a little redder, its nail lighter or painted, where it faces the viewer."""
    along = (capsule.end - capsule.start)[:2]
    length = float(np.linalg.norm(along))
    own = (owner == number)[..., None]
    red = np.array((-0.05, -0.05, 0.03), np.float32) * np.float32(rng.uniform(0, 2))
    tint *= 1 + own * red
    assert capsule.nail is not None
    toward = float(capsule.nail[2])
    if toward < NAIL_TOWARD or length < 2:
        return
    centre = capsule.end[:2] - along * 0.12 + capsule.nail[:2] * capsule.end_radius * 0.7
    axes = (max(length * 0.42, 1.0), max(capsule.end_radius * 0.78 * toward, 0.7))
    angle = float(np.degrees(np.arctan2(along[1], along[0])))
    mask = np.zeros(owner.shape, np.uint8)
    box = ((float(centre[0]), float(centre[1])), (2 * axes[0], 2 * axes[1]), angle)
    cv2.ellipse(mask, box, 255, -1, cv2.LINE_AA)
    colour = np.array((1.08, 1.04, 1.08), np.float32) * np.float32(rng.uniform(0.95, 1.25))
    if rng.random() < 0.12:
        colour = rng.uniform(0.2, 1.3, 3).astype(np.float32)
    weight = (mask / np.float32(255))[..., None] * own
    tint *= 1 - weight + weight * colour
