"""Training samples of the occlusion network: a portrait's face, things drawn before it, and a bad camera.

    python -m models.train.occlusion_data PORTRAITS MODELS OUT.npy COUNT [SEED]

OUT.npy is (COUNT, 128, 128, 5) uint8: the picture's BGR, how much each pixel is covered, how much it counts.
A third of the faces have nothing before them; shadows, light, open mouths and a poor picture are put on
covered and clean faces alike, so that none of them is a sign of a cover.
"""

import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.train.occlusion_faces import SIDE, Face, Portrait, cut, load_portraits, with_expression
from models.train.occlusion_hands import draw_hand, posed_hand
from models.train.occlusion_objects import MAKERS, Cover, Scene, light_field

__all__ = ["HELD_OUT", "sample", "write_samples"]

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
Rng = np.random.Generator

CHANNELS = 5
CLEAN = 0.35
HANDS = 0.58
"""Share of hands among the covers."""
HELD_OUT = 20
"""Every so many portraits one is kept for validation."""
HAND_FINER = 2
AIMS = (
    0,
    2,
    164,
    164,
    13,
    17,
    18,
    199,
    152,
    61,
    291,
    4,
    5,
    1,
    168,
    50,
    280,
    205,
    425,
    33,
    263,
    9,
    10,
    172,
    397,
    132,
    361,
)
"""Where hands go: mouth, chin, nose, cheeks, eyes, forehead, jaw."""
BUMPS = (
    199,
    175,
    18,
    200,
    152,
    50,
    280,
    205,
    425,
    4,
    9,
    151,
    10,
    107,
    336,
    61,
    291,
    216,
    436,
    117,
    346,
    145,
    374,
)
"""Chin, cheekbones, nose, brow, corners of the mouth, under the eyes: where a face shines and folds."""


def hand(rng: Rng, scene: Scene) -> Cover:
    """A hand that touches the face, from below or from a side, in the tone of its own skin or near it."""
    height = float(np.linalg.norm(scene.points[10] - scene.points[152]))
    large = HAND_FINER * scene.side
    pose = posed_hand(rng, HAND_FINER * height * rng.uniform(0.8, 1.4))
    aim = scene.points[rng.choice(AIMS)] + rng.normal(0, height * 0.06, 2)
    part = rng.random()
    if part < 0.7:
        touched = pose.tips[rng.integers(5)].astype(np.float64) * (
            1.0 if part < 0.45 else rng.uniform(0.75, 1.0)
        )
    else:
        touched = np.array((0.0, -HAND_FINER * height * rng.uniform(0.2, 0.6)))
    angle = rng.normal(0, 0.75)
    if rng.random() < 0.3:
        angle = rng.choice((-1.0, 1.0)) * rng.uniform(0.9, 2.2)
    elif rng.random() < 0.07:
        angle += np.pi
    cosine, sine = np.cos(angle), np.sin(angle)
    turn = np.array([[cosine, -sine], [sine, cosine]])
    matrix = np.column_stack([turn, HAND_FINER * aim - turn @ touched])
    tone = scene.skin * (1 + rng.normal(0, 0.03, 3)) * rng.normal(1.05, 0.14)
    if rng.random() < 0.08:
        tone = rng.choice((0.35, 0.6, 1.6)) * scene.skin
    covered, paint = draw_hand(rng, pose, matrix, large, tone.astype(np.float32))
    size = (scene.side, scene.side)
    alpha = cv2.resize(covered, size, interpolation=cv2.INTER_AREA)
    colours = cv2.resize(paint * covered[..., None], size, interpolation=cv2.INTER_AREA)
    colours = colours / np.maximum(alpha, 1e-3)[..., None]
    return Cover(np.asarray(alpha, np.float32), np.asarray(colours, np.float32))


def any_cover(rng: Rng, scene: Scene) -> Cover:
    if rng.random() < HANDS:
        return hand(rng, scene)
    shares = np.array([share for share, _ in MAKERS])
    maker = MAKERS[rng.choice(len(MAKERS), p=shares / shares.sum())][1]
    return maker(rng, scene)


def shadow(rng: Rng, alpha: F32, near: bool) -> F32:
    """(side, side, 3) factor: the shadow that a cover of this shape casts."""
    reach = SIDE * (0.02 if near else 0.08)
    shift = np.array([[1, 0, rng.normal(0, reach)], [0, 1, rng.normal(reach / 2, reach)]])
    cast = cv2.warpAffine(alpha, shift, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE)
    soft = cv2.GaussianBlur(cast, (0, 0), SIDE * rng.uniform(0.005, 0.05))
    depth = rng.uniform(0.05, 0.6)
    colour = 1 + rng.normal(0, 0.05, 3)
    return np.asarray(np.clip(1 - depth * soft[..., None] * colour, 0.1, 1), np.float32)


def half_light(rng: Rng, scene: Scene) -> F32:
    """(side, side, 1) factor: light from one side leaves the other half of the face in the dark."""
    x, y = np.meshgrid(*2 * [np.arange(SIDE, dtype=np.float32)])
    angle = rng.normal(0, 0.5) + (np.pi if rng.random() < 0.5 else 0)
    across = (x - scene.points[4, 0]) * np.cos(angle) + (y - scene.points[4, 1]) * np.sin(angle)
    edge = across / (SIDE * rng.uniform(0.01, 0.12)) - rng.normal(0, 1)
    dark = 1 / (1 + np.exp(-np.clip(edge, -20, 20)))
    return np.asarray(1 - rng.uniform(0.3, 0.85) * dark[..., None], np.float32)


def relief(rng: Rng, scene: Scene) -> F32:
    """(side, side, 1) factor: shine and hollows of a tense face, its folds and frown lines."""
    x, y = np.meshgrid(*2 * [np.arange(SIDE, dtype=np.float32)])
    factor = np.ones((SIDE, SIDE), np.float32)
    for _ in range(int(rng.integers(1, 5))):
        centre = scene.points[rng.choice(BUMPS)] + rng.normal(0, SIDE * 0.02, 2)
        wide, tall = SIDE * rng.uniform(0.015, 0.07, 2)
        near = np.exp(-(((x - centre[0]) / wide) ** 2) - ((y - centre[1]) / tall) ** 2)
        factor *= 1 + np.float32(rng.normal(0, 0.3)) * near
    lines = np.zeros((SIDE, SIDE), np.uint8)
    for _ in range(int(rng.integers(0, 5))):
        start, end = scene.points[rng.choice(BUMPS, 2)].astype(np.float64)
        end = start + (end - start) * min(1.0, SIDE * 0.2 / (float(np.linalg.norm(end - start)) + 1e-6))
        bend = (start + end) / 2 + rng.normal(0, SIDE * 0.02, 2)
        line = np.round(np.stack([start, bend, end]) * 16).astype(np.int32)
        cv2.polylines(lines, [line], False, 255, int(rng.integers(1, 3)), cv2.LINE_AA, 4)
    folds = cv2.GaussianBlur(lines, (0, 0), rng.uniform(0.5, 2.0)) / np.float32(255)
    factor *= 1 - np.float32(rng.uniform(0.1, 0.6)) * folds
    return np.asarray(factor.clip(0.3, 2)[..., None], np.float32)


def false_sign(rng: Rng, picture: F32, scene: Scene) -> F32:
    """What looks like a cover and is none: the shadow of something unseen, a patch of light, a mole."""
    kind = rng.random()
    if kind < 0.2:
        return picture * half_light(rng, scene)
    if kind < 0.45:
        return picture * relief(rng, scene)
    if kind < 0.65:
        return picture * shadow(rng, any_cover(rng, scene).alpha, near=False)
    if kind < 0.88:
        lit = 2 - shadow(rng, any_cover(rng, scene).alpha, near=False)
        return np.asarray(picture * lit ** np.float32(rng.uniform(0.3, 1.0)), np.float32)
    spots = np.zeros((SIDE, SIDE), np.uint8)
    for _ in range(int(rng.integers(1, 12))):
        x, y = scene.points[rng.integers(468)] + rng.normal(0, 2, 2)
        cv2.circle(
            spots,
            (round(float(x) * 16), round(float(y) * 16)),
            round(16 * rng.uniform(0.4, 2.2)),
            255,
            -1,
            cv2.LINE_AA,
            4,
        )
    spot = spots[..., None] / np.float32(255) * np.float32(rng.uniform(0.2, 0.7))
    return np.asarray(picture * (1 - spot * np.array((1, 1, 0.7), np.float32)), np.float32)


def photographed(rng: Rng, picture: F32) -> F32:
    """Exposure, contrast, colour cast, saturation, all of the picture alike."""
    grey = picture.mean(axis=2, keepdims=True)
    saturation = 0.0 if rng.random() < 0.05 else rng.uniform(0.35, 1.25)
    picture = grey + (picture - grey) * saturation
    picture = np.asarray(picture * (1 + rng.normal(0, 0.08, 3)) * rng.uniform(0.55, 1.2), np.float32)
    curve = (np.clip(picture, 0, 255) / 255) ** rng.uniform(0.7, 1.35) * 255
    low = rng.uniform(0, 25) if rng.random() < 0.3 else 0.0
    return np.asarray(low + curve * (1 - low / 255), np.float32)


def packed(rng: Rng, picture: F32) -> U8:
    """Through lossy compression."""
    whole = np.clip(picture, 0, 255).astype(np.uint8)
    data = cv2.imencode(".jpg", whole, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(20, 90))])[1]
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def taken_badly(rng: Rng, picture: F32) -> U8:
    """Few pixels, defocus, motion, noise, compression."""
    if rng.random() < 0.35:
        few = round(SIDE * rng.uniform(0.3, 0.95))
        small = np.asarray(cv2.resize(picture, (few, few), interpolation=cv2.INTER_AREA), np.float32)
        if rng.random() < 0.5:
            small = packed(rng, small).astype(np.float32)
        picture = np.asarray(cv2.resize(small, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR), np.float32)
    if rng.random() < 0.25:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 1.2)), np.float32)
    if rng.random() < 0.12:
        length, angle = rng.uniform(2, 8), rng.uniform(0, np.pi)
        kernel = np.zeros((11, 11), np.uint8)
        away = np.array((np.cos(angle), np.sin(angle))) * length / 2
        ends = [tuple(np.round((5 + sign * away) * 16).astype(int).tolist()) for sign in (-1, 1)]
        cv2.line(kernel, ends[0], ends[1], 255, 1, cv2.LINE_AA, 4)
        picture = np.asarray(cv2.filter2D(picture, -1, kernel / np.float32(kernel.sum())), np.float32)
    if rng.random() < 0.6:
        noise = rng.normal(0, rng.uniform(0.5, 9), (SIDE, SIDE, 3)).astype(np.float32)
        if rng.random() < 0.5:
            noise = np.repeat(noise[..., :1], 3, axis=2)
        if rng.random() < 0.5:
            noise = np.asarray(cv2.GaussianBlur(noise, (0, 0), 0.8) * 1.8, np.float32)
        picture = picture + noise
    if rng.random() < 0.25:
        soft = cv2.GaussianBlur(picture, (0, 0), 1.0)
        picture = picture + np.float32(rng.uniform(0.2, 1.0)) * (picture - soft)
    whole = np.clip(picture, 0, 255).astype(np.uint8)
    if rng.random() < 0.5:
        whole = packed(rng, whole.astype(np.float32))
    return whole


def cut_by_the_frame(rng: Rng, picture: U8, weight: F32) -> None:
    """In place: past the frame's edge the crop is black and counts nothing."""
    edge, depth = rng.integers(4), int(SIDE * rng.uniform(0.02, 0.35))
    across = (slice(None, depth), slice(SIDE - depth, None))[edge % 2]
    part = (across, slice(None)) if edge < 2 else (slice(None), across)
    picture[part] = 0
    weight[part] = 0


def sample(rng: Rng, portrait: Portrait, other: Portrait) -> U8:
    """(SIDE, SIDE, 5) uint8; see the module. `other` lends textures."""
    face: Face = with_expression(rng, cut(rng, portrait))
    picture = face.bgr.astype(np.float32)
    scene = Scene(face.points, SIDE, portrait.skin, portrait.hair_tone, other.bgr)
    lit = light_field(rng, SIDE, float(rng.choice((0.0, 0.3, 0.6, 0.9))))
    hidden, weight = face.covered.copy(), face.weight.copy()
    if rng.random() < 0.35:
        picture = false_sign(rng, picture, scene)
    picture = picture * lit
    if rng.random() >= CLEAN:
        for _ in range(2 if rng.random() < 0.2 else 1):
            cover = any_cover(rng, scene)
            if rng.random() < 0.7:
                picture = picture * shadow(rng, cover.alpha, near=True)
            edge = rng.uniform(0.3, 0.9)
            alpha = np.asarray(cv2.GaussianBlur(cover.alpha, (0, 0), edge), np.float32)
            paint = cover.paint * lit if rng.random() < 0.6 else cover.paint
            picture = picture * (1 - alpha[..., None]) + paint * alpha[..., None]
            hidden = np.maximum(hidden, alpha)
            weight = np.maximum(weight, np.where(alpha > 0.5, hull_weight(face), 0))
    else:
        blind = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 0.9))
        picture = np.asarray(blind, np.float32)
    whole = taken_badly(rng, photographed(rng, picture))
    if rng.random() < 0.12:
        cut_by_the_frame(rng, whole, weight)
    out = np.empty((SIDE, SIDE, CHANNELS), np.uint8)
    out[..., :3] = whole
    out[..., 3] = np.clip(hidden * 255, 0, 255)
    out[..., 4] = np.clip(weight * 255, 0, 255)
    return out


def hull_weight(face: Face) -> F32:
    """(SIDE, SIDE): 1 in the mesh's hull: a cover is known to be one also where the face is not known."""
    hull = np.zeros((SIDE, SIDE), np.uint8)
    cv2.fillConvexPoly(hull, np.round(cv2.convexHull(face.points)).astype(np.int32), 1)
    return hull.astype(np.float32)


def write_part(
    portraits: list[Portrait], path: Path, count: int, seed: int, worker: int, workers: int
) -> None:
    cv2.setNumThreads(1)
    out = np.lib.format.open_memmap(path, "r+")
    for number in range(worker, count, workers):
        rng = np.random.default_rng([seed, number])
        one, two = rng.choice(len(portraits), 2, replace=False)
        out[number] = sample(rng, portraits[one], portraits[two])


def write_samples(portraits: list[Portrait], path: Path, count: int, seed: int, workers: int = 2) -> None:
    """`count` samples into the file `path`, in several processes."""
    np.lib.format.open_memmap(path, "w+", np.uint8, (count, SIDE, SIDE, CHANNELS)).flush()
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:  # OpenCV's threads do not survive a fork
        jobs = [pool.submit(write_part, portraits, path, count, seed, n, workers) for n in range(workers)]
        for job in jobs:
            job.result()


def main() -> None:
    folder, models, path, count, *seed = sys.argv[1:]
    portraits = load_portraits(Path(folder), Path(models))
    held = portraits[::HELD_OUT]
    rest = [portrait for number, portrait in enumerate(portraits) if number % HELD_OUT]
    chosen = held if Path(path).stem.startswith("held") else rest
    write_samples(chosen, Path(path), int(count), int(seed[0]) if seed else 1)


if __name__ == "__main__":
    main()
