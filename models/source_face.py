"""A face to put on: its texture on the plane of the mesh. Made once of a picture, or drawn by code."""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from models.normals import facing
from models.rasterise import MeshRasteriser
from models.relight import SKIN
from models.skin import face_mask
from models.texture import calmed, cleared, completed, evened, flattened, mirrored
from models.topology import (
    CANONICAL,
    LEFT_BROW,
    LIDS,
    OVAL,
    POINT_COUNT,
    RIGHT_BROW,
    TRIANGLES,
    UV,
)
from models.uv_mask import face_alpha, ring_mask

__all__ = ["TEXTURE_SIDE", "SourceFace", "prepare"]

TEXTURE_SIDE = 512
_GRAZING = (0.05, 0.3)
"""Cosines between which skin counts as seen: flatter, it would smear over the plane."""


@dataclass(frozen=True, slots=True)
class SourceFace:
    """A texture on the UV plane of `models.topology`."""

    name: str
    texture: NDArray[np.uint8]
    """(T, T, 3) BGR."""
    coverage: NDArray[np.uint8]
    """(T, T): 255 where the texture replaces the target's skin, less where it fades out."""
    kind: Literal["picture", "persona"]
    """A picture takes on the target's colours; a persona keeps its own and takes on only its light."""
    keep_eyes: bool = True
    """The target's own eyes show."""
    keep_mouth: bool = True
    """The inside of the target's own mouth shows."""


_BROW_LINE = float(UV[[*LEFT_BROW, *RIGHT_BROW], 1].mean())
"""Down the plane, 0 to 1: above it invented skin gives way to the target's."""
_BROW_FADE = 0.04
_KNOWN_FADE = 0.022
"""Sigma of the fade at the edge of what is known, in sides of the plane."""


def prepare(name: str, bgr: NDArray[np.uint8], points: NDArray[np.float32]) -> SourceFace:
    """The face of a picture. `bgr`: (H, W, 3) uint8; `points`: (468, 3), its landmarks in pixels of it.

    Light from one side is evened out. Hair, background and skin seen too flat are replaced by the mirrored
    other half where that shows skin, and by the tone of the skin round them elsewhere.
    """
    texture, known = evened(*_unwrap(*_reduced(bgr, points)))
    texture, known = mirrored(texture, known)
    whole = completed(flattened(texture, known), known)
    return SourceFace(name, calmed(cleared(whole)), _coverage(known), "picture")


def _coverage(known: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Full on what the picture shows, fading to the target's own forehead where the source's is under hair.

    Invented skin there ends in a line above the brows; the target's goes on without one.
    """
    rows = np.clip((_BROW_LINE - np.linspace(0, 1, TEXTURE_SIDE, dtype=np.float32)) / _BROW_FADE, 0, 1)
    sure = cv2.GaussianBlur(cv2.erode(known, np.ones((9, 9), np.uint8)), (0, 0), TEXTURE_SIDE * _KNOWN_FADE)
    t = np.clip((np.asarray(sure) - 0.15) / 0.7, 0, 1)
    seen = 1 - rows[:, None] * (1 - t * t * (3 - 2 * t))
    alpha = face_alpha(TEXTURE_SIDE, keep_eyes=True, keep_mouth=True)
    return np.asarray(cv2.multiply(alpha, seen.astype(np.float32), dtype=cv2.CV_8U), np.uint8)


def _reduced(
    bgr: NDArray[np.uint8], points: NDArray[np.float32]
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """The picture no finer than the texture, or reading it at texels would skip pixels."""
    scale = TEXTURE_SIDE / float(np.ptp(points[:, :2], axis=0).max())
    if scale >= 1:
        return bgr, points
    small = cv2.resize(bgr, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    moved = points * np.float32(scale)
    moved[:, :2] += np.float32((scale - 1) / 2)
    return np.asarray(small, np.uint8), moved


def _unwrap(
    bgr: NDArray[np.uint8], points: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The picture drawn on the plane, (T, T, 3), and how far each texel shows the face, (T, T) in [0, 1]."""
    low = np.floor(points[:, :2].min(axis=0)) - 1
    span = float((points[:, :2].max(axis=0) + 2 - low).max())
    values = np.empty((POINT_COUNT, 3), np.float32)
    values[:, :2] = (points[:, :2] - low) / span
    least, most = _GRAZING
    values[:, 2] = np.clip((facing(points)[_NEAREST_SKIN] - least) / (most - least), 0, 1)
    plane = np.zeros((POINT_COUNT, 3), np.float32)
    plane[:, :2] = UV * TEXTURE_SIDE - 0.5
    closed = MeshRasteriser(np.concatenate([TRIANGLES, LIDS]))
    drawn = closed.draw(plane, values, (TEXTURE_SIDE, TEXTURE_SIDE), TEXTURE_SIDE)
    x = drawn[:, :, 0] * np.float32(span) + np.float32(low[0])
    y = drawn[:, :, 1] * np.float32(span) + np.float32(low[1])
    texture = cv2.remap(bgr, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    face = cv2.remap(face_mask(bgr, points), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    face = cv2.min(face, ring_mask(OVAL, TEXTURE_SIDE))
    known = drawn[:, :, 2] * (face.astype(np.float32) / np.float32(255))
    return np.asarray(texture, np.float32), known


def _nearest_skin() -> NDArray[np.intp]:
    """(468,): each point, or the nearest on plain skin: closed lips and lids have no direction."""
    plain = np.flatnonzero(SKIN > 0.9)
    away = np.linalg.norm(CANONICAL[:, None] - CANONICAL[None, plain], axis=2)
    return np.where(SKIN < 0.1, plain[away.argmin(axis=1)], np.arange(POINT_COUNT))


_NEAREST_SKIN = _nearest_skin()
