"""The faces of the training samples: portraits cut to the network's crop, and what of them is surely face.

A portrait is no proof that nothing is before its face: fringes and glasses are found or listed, and either
count as covers or are left out of the training.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.detector import open_detector
from models.landmarker import open_landmarker, region_from_detection, region_from_points
from models.occlusion import crop_of
from models.skin import face_mask
from models.topology import HOLES, LEFT_BROW, LIPS_INNER, OVAL, RIGHT_BROW

__all__ = ["SIDE", "Face", "Portrait", "cut", "load_portraits", "with_expression"]

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
Rng = np.random.Generator

SIDE = 128
CHEEKS = (50, 101, 205, 280, 330, 425, 4, 9)
LEAST_FACE_PX = 80
UNLIKE_SKIN = 4.2
"""Distance from the cheeks' tone, in deviations, past which the forehead's rim is hair."""
LEAST_DEVIATION = (24.0, 6.0, 6.0)
"""Of Y, Cr, Cb."""
BESIDE = 0.55
"""How far from the middle of the face its side begins, in distances between the outer eye corners."""
GLASSES = frozenset({
    "A000369", "A000370", "B000490", "B000825", "B001223", "B001248", "B001257", "B001261", "B001278",
    "B001281", "B001302", "B001307", "B001310", "C000141", "C000537", "C001054", "C001061", "C001068",
    "C001078", "C001096", "C001112", "C001120", "C001125", "C001134", "D000617", "D000633", "E000246",
    "F000246", "F000446", "F000454", "F000470", "F000480", "G000386", "G000558", "G000568", "H001052",
    "H001077", "H001085", "H001094", "H001096", "I000058", "J000299", "J000301", "K000009", "K000367",
    "K000381", "K000385", "K000394", "K000400", "L000397", "L000491", "L000562", "L000569", "M000312",
    "M000639", "M001156", "M001205", "M001215", "M001227", "N000002", "N000147", "N000189", "P000096",
    "P000597", "R000395", "R000609", "S000033", "S000185", "S000344", "S001159", "S001191", "S001223",
    "T000165", "T000469", "T000481", "U000040", "W000437", "W000788", "W000790", "W000798", "W000800",
    "W000817", "W000825", "W000828",
})  # fmt: skip
"""Portraits whose sitters wear glasses or more: their eyes' surroundings teach nothing."""
INNER = (70, 300, 291, 17, 61, 105, 334)
"""Brows to lower lip: face, whatever its colours."""
BAND = (RIGHT_BROW, LEFT_BROW, *HOLES[1:])


@dataclass(frozen=True, slots=True)
class Portrait:
    name: str
    bgr: U8
    points: F32
    """(468, 3)."""
    known: U8
    """(H, W): 255 where it is known whether this is face."""
    hair: U8
    """(H, W): 255 where hair hangs before the oval."""
    skin: F32
    """(3,): BGR of the cheeks."""
    hair_tone: F32
    """(3,): BGR of the hair about the forehead."""


@dataclass(frozen=True, slots=True)
class Face:
    """A portrait in the crop; all (SIDE, SIDE)."""

    bgr: U8
    points: F32
    """(468, 2), pixels of the crop."""
    covered: F32
    """Hair before the face, in [0, 1]."""
    weight: F32
    """How much each pixel counts, in [0, 1]."""


def load_portraits(folder: Path, models: Path) -> list[Portrait]:
    """Every portrait of `folder` with a face that is large enough. `models`: the landmarker's folder."""
    detector = open_detector("blazeface_short_range", models)
    landmarker = open_landmarker("facemesh_468", models)
    found = []
    for path in sorted(folder.glob("*.jpg")):
        bgr = np.asarray(cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR), np.uint8)
        detections = detector.detect(bgr)
        if not detections:
            continue
        largest = max(detections, key=lambda seen: seen.box[2] - seen.box[0])
        landmarks = landmarker.landmarks(bgr, region_from_detection(largest))
        landmarks = landmarker.landmarks(bgr, region_from_points(landmarks.points))
        if landmarks.score > 0.5 and np.ptp(landmarks.points[:, 1]) >= LEAST_FACE_PX:
            found.append(studied(path.stem, bgr, landmarks.points))
    detector.close()
    landmarker.close()
    return found


def studied(name: str, bgr: U8, points: F32) -> Portrait:
    """The portrait with what is known of it."""
    flat = points[:, :2]
    width = float(np.linalg.norm(flat[263] - flat[33]))
    cheeks = np.zeros(bgr.shape[:2], np.uint8)
    for x, y in flat[list(CHEEKS)]:
        cv2.circle(cheeks, (round(float(x)), round(float(y))), max(2, round(width * 0.05)), 255, -1)
    tones = cv2.cvtColor(cv2.GaussianBlur(bgr, (0, 0), max(width * 0.01, 0.5)), cv2.COLOR_BGR2YCrCb).astype(
        np.float32
    )
    middle = np.median(tones[cheeks > 0], axis=0)
    deviation = np.maximum(1.48 * np.median(abs(tones[cheeks > 0] - middle), axis=0), LEAST_DEVIATION)
    away = np.sqrt((((tones - middle) / deviation) ** 2).sum(axis=2))
    hair = _hair(flat, tones[..., 0] < middle[0] + 2 * deviation[0], away)
    oval = filled(bgr.shape[:2], flat[OVAL]) > 0
    beard = oval & ~_above_brows(flat, bgr.shape[:2]) & (away < 1.5 * UNLIKE_SKIN)
    face = ((face_mask(bgr, points) > 0) & oval | beard) & ~(hair > 0)
    sure = cv2.erode(hair, np.ones((5, 5), np.uint8)) > 0
    known = np.where(face | sure, np.uint8(255), np.uint8(0))
    known = np.maximum(known, filled(bgr.shape[:2], cv2.convexHull(flat[list(INNER)])[:, 0]))
    if name in GLASSES:
        band = np.zeros(bgr.shape[:2], np.uint8)
        for ring in BAND:
            band = np.maximum(band, filled(band.shape, cv2.convexHull(flat[ring])[:, 0]))
        ends = np.round(flat[[127, 33, 168, 263, 356]]).astype(np.int32)
        cv2.polylines(band, [ends], False, 255, max(3, round(width * 0.15)))
        reach = round(width * 0.28) | 1
        known[cv2.dilate(band, np.ones((reach, reach), np.uint8)) > 0] = 0
    above = (hair > 0) & ~oval
    hair_tone = np.median(bgr[above], axis=0) if above.any() else np.array((40, 45, 50))
    skin = np.median(bgr[cheeks > 0], axis=0)
    return Portrait(
        name,
        bgr,
        points,
        known,
        hair,
        skin.astype(np.float32),
        hair_tone.astype(np.float32),
    )


def _above_brows(flat: F32, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    x, y = np.meshgrid(np.arange(shape[1]), np.arange(shape[0]))
    up = flat[10] - flat[152]
    brow = flat[[105, 334]].mean(axis=0) + up * 0.05
    return np.asarray((x - brow[0]) * up[0] + (y - brow[1]) * up[1] > 0)


def _hair(flat: F32, dark: NDArray[np.bool_], away: F32) -> U8:
    """(H, W): 255 on what is no skin in the oval or next to it, above the brows and beside the eyes."""
    width = float(np.linalg.norm(flat[263] - flat[33]))
    x, y = np.meshgrid(np.arange(away.shape[1]), np.arange(away.shape[0]))
    up, nose = flat[10] - flat[152], flat[4]
    right = (flat[454] - flat[234]) / np.linalg.norm(flat[454] - flat[234])
    aside = abs((x - nose[0]) * right[0] + (y - nose[1]) * right[1]) > BESIDE * width
    beside = aside & ((x - nose[0]) * up[0] + (y - nose[1]) * up[1] > 0)
    reach = np.ones((round(width * 0.12) | 1,) * 2, np.uint8)
    near = cv2.dilate(filled(away.shape, flat[OVAL]), reach) > 0
    features = cv2.dilate(filled(away.shape, cv2.convexHull(flat[list(INNER)])[:, 0]), reach) > 0
    hair = (_above_brows(flat, away.shape) | beside) & near & ~features & dark & (away > UNLIKE_SKIN)
    opened = cv2.morphologyEx(hair.astype(np.uint8) * 255, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    return np.asarray(opened, np.uint8)


def filled(shape: tuple[int, ...], ring: NDArray[Any]) -> U8:
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [np.round(ring).astype(np.int32)], 255)
    return mask


def cut(rng: Rng, portrait: Portrait) -> Face:
    """The portrait in the crop, off by what a tracked mesh may be off, a little squeezed and sheared."""
    to_crop = crop_of(portrait.points, SIDE)
    middle = np.array((SIDE / 2, SIDE / 2))
    angle, scale = rng.normal(0, 0.07), rng.uniform(0.88, 1.12)
    cosine, sine = np.cos(angle) * scale, np.sin(angle) * scale
    turn = np.array([[cosine, -sine], [sine, cosine]])
    turn = turn @ np.array(
        [[rng.uniform(0.82, 1.06), rng.normal(0, 0.05)], [rng.normal(0, 0.03), rng.uniform(0.94, 1.06)]]
    )
    if rng.random() < 0.5:
        turn = turn @ np.diag((-1.0, 1.0))
    matrix = np.empty((2, 3))
    matrix[:, :2] = turn @ to_crop[:, :2]
    matrix[:, 2] = turn @ (to_crop[:, 2] - middle) + middle + rng.normal(0, SIDE * 0.025, 2)
    shrink = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    soft = cv2.GaussianBlur(portrait.bgr, (0, 0), 0.4 / shrink) if shrink < 0.8 else portrait.bgr
    size = (SIDE, SIDE)
    bgr = cv2.warpAffine(soft, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    known = cv2.warpAffine(portrait.known, matrix, size)
    covered = cv2.warpAffine(portrait.hair, matrix, size)
    points = (portrait.points[:, :2] @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)
    hull = filled(size, cv2.convexHull(points)[:, 0])
    hull = np.asarray(cv2.dilate(hull, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7))), np.uint8)
    weight = (cv2.min(known, hull) / np.float32(255)).astype(np.float32)
    for ring in HOLES:
        weight[filled(size, points[ring]) > 0] *= 0.4
    return Face(np.asarray(bgr, np.uint8), points, (covered / np.float32(255)).astype(np.float32), weight)


def with_expression(rng: Rng, face: Face) -> Face:
    """The face bent by a smooth field, and its mouth perhaps opened wide: what portraits do not show."""
    x, y = np.meshgrid(*2 * [np.arange(SIDE, dtype=np.float32)])
    shift_x, shift_y = np.zeros_like(x), np.zeros_like(y)
    for _ in range(int(rng.integers(0, 5))):
        centre, sigma = face.points[rng.integers(468)], SIDE * rng.uniform(0.06, 0.16)
        near = np.exp(-((x - centre[0]) ** 2 + (y - centre[1]) ** 2) / (2 * sigma**2))
        shift_x += near * np.float32(rng.normal(0, 2.2))
        shift_y += near * np.float32(rng.normal(0, 2.2))
    _turn_head(rng, face, x, y, shift_x, shift_y)
    opened = rng.random() < 0.3
    lips = face.points[LIPS_INNER]
    middle = lips.mean(axis=0)
    half = float(np.ptp(face.points[[61, 291], 0])) / 2 * rng.uniform(0.55, 1.0)
    drop = SIDE * rng.uniform(0.02, 0.15) if opened else 0.0
    if opened:
        spread = np.exp(-(((x - middle[0]) / (2.2 * half)) ** 2))
        below = np.clip((y - middle[1]) / max(drop, 1.0), 0, 1) * np.clip(
            (SIDE * 1.05 - y) / (SIDE * 0.3), 0, 1
        )
        shift_y += -drop * below * spread
    picture = _lowered_lids(rng, face) if rng.random() < 0.25 else face.bgr
    map_x, map_y = (x + shift_x).astype(np.float32), (y + shift_y).astype(np.float32)

    def bent(picture: NDArray[np.float32] | U8) -> NDArray[np.float32]:
        moved = cv2.remap(picture, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        return np.asarray(moved, np.float32)

    bgr = bent(picture)
    if opened:
        bgr = inside_of_mouth(rng, bgr, middle, half, drop)
    return Face(np.clip(bgr, 0, 255).astype(np.uint8), face.points, bent(face.covered), bent(face.weight))


def _lowered_lids(rng: Rng, face: Face) -> U8:
    """The picture with both eyes closed: lids in the tone above them, lashes dark, shadow on demand."""
    bgr = face.bgr.astype(np.float32)
    shade, dark = rng.uniform(0.6, 1.0), rng.uniform(0.15, 0.6)
    for ring, above in ((HOLES[1], 223), (HOLES[2], 443)):
        column, row = np.round(face.points[above]).astype(int).clip(0, SIDE - 1)
        lid, lashes = np.zeros((SIDE, SIDE), np.uint8), np.zeros((SIDE, SIDE), np.uint8)
        outline = face.points[ring]
        middle = outline.mean(axis=0)
        cv2.fillPoly(
            lid,
            [np.round((middle + (outline - middle) * (1.1, 1.5)) * 16).astype(np.int32)],
            255,
            cv2.LINE_AA,
            4,
        )
        lower = np.round(outline[[0, 15, 14, 13, 12, 11, 10, 9, 8]] * 16).astype(np.int32)
        cv2.polylines(lashes, [lower], False, 255, int(rng.integers(1, 3)), cv2.LINE_AA, 4)
        cover = cv2.GaussianBlur(lid, (0, 0), 0.8)[..., None] / np.float32(255)
        bgr = bgr * (1 - cover) + cover * bgr[row, column] * np.float32(shade)
        bgr *= 1 - np.float32(1 - dark) * cv2.GaussianBlur(lashes, (0, 0), 0.6)[..., None] / np.float32(255)
    return np.clip(bgr, 0, 255).astype(np.uint8)


def _turn_head(rng: Rng, face: Face, x: F32, y: F32, shift_x: F32, shift_y: F32) -> None:
    """Add to the shifts: the middle of the face goes aside, its outline stays, as when a head turns."""
    low, high = face.points.min(axis=0), face.points.max(axis=0)
    middle, half = (low + high) / 2, (high - low) / 2
    bulge = np.clip(1 - ((x - middle[0]) / half[0]) ** 2, 0, 1) * np.clip(
        1 - ((y - middle[1]) / half[1]) ** 4, 0, 1
    )
    shift_x += bulge * np.float32(rng.normal(0, 0.16) * half[0])
    shift_y += bulge * np.float32(rng.normal(0, 0.06) * half[1])


def inside_of_mouth(rng: Rng, bgr: F32, middle: F32, half: float, drop: float) -> F32:
    """Dark, a tongue, teeth, in the gap that opened below `middle`."""
    gap, teeth, tongue = (np.zeros((SIDE, SIDE), np.uint8) for _ in range(3))
    x, y = float(middle[0]), float(middle[1])
    cv2.ellipse(gap, ((x, y + drop / 2), (2 * half * 0.9, drop * 1.15 + 2), 0), 255, -1, cv2.LINE_AA)
    if rng.random() < 0.7:
        cv2.ellipse(teeth, ((x, y + drop * 0.1), (half * 1.4, max(drop * 0.45, 2)), 0), 255, -1, cv2.LINE_AA)
    if rng.random() < 0.7:
        low = y + drop * rng.uniform(0.6, 1.1)
        aside = x + half * rng.normal(0, 0.25)
        cv2.ellipse(
            tongue, ((aside, low), (half * rng.uniform(0.7, 1.3), drop * 0.9 + 2), 0), 255, -1, cv2.LINE_AA
        )
    out = np.zeros(3)
    for mask, colour, free in (
        (gap, (30, 25, 70), False),
        (teeth, (190, 205, 215), False),
        (tongue, (95, 90, 185), rng.random() < 0.4),
    ):
        inside = mask if free else cv2.min(mask, gap)
        soft = cv2.GaussianBlur(inside, (0, 0), 0.8)[..., None] / np.float32(255)
        out = np.array(colour) * rng.uniform(0.5, 1.15) * (1 + rng.normal(0, 0.07, 3))
        bgr = bgr * (1 - soft) + soft * out.astype(np.float32)
    return bgr
