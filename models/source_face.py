"""A face to put on: its texture on the plane of the mesh. Made once of a picture, or drawn by code."""

from dataclasses import dataclass, field
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from models.likeness import shape_of
from models.normals import facing
from models.rasterise import MeshRasteriser
from models.relight import SKIN
from models.skin import face_mask
from models.texture import calmed, cleared, completed, evened, flattened, mirrored, opened
from models.topology import (
    CANONICAL,
    LIDS,
    OVAL,
    POINT_COUNT,
    TRIANGLES,
    UV,
)
from models.uv_mask import face_alpha, ring_mask

__all__ = ["TEXTURE_SIDE", "SourceFace", "Unwrapped", "finished", "prepare", "unwrapped"]

TEXTURE_SIDE = 512
_MEAN_SHAPE = shape_of(CANONICAL)
_MEAN_SHAPE.setflags(write=False)
_GRAZING = (0.0, 0.2)
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
    shape: NDArray[np.float32] = field(default_factory=lambda: _MEAN_SHAPE)
    """(468, 3): its proportions, of `likeness.shape_of`; the mean face's unless said."""
    keep_eyes: bool = True
    """The target's own eyes show."""
    keep_mouth: bool = True
    """The inside of the target's own mouth shows."""


@dataclass(frozen=True, slots=True)
class Unwrapped:
    """One picture of a face drawn on the UV plane, as it is."""

    texture: NDArray[np.float32]
    """(T, T, 3) BGR, 0 to 255."""
    known: NDArray[np.float32]
    """(T, T) in [0, 1]: how far a texel shows the face's own skin."""
    detail: NDArray[np.float32]
    """(T, T): pixels of the picture along the side of a texel; small where skin is turned away."""
    shape: NDArray[np.float32]
    """(468, 3): the face's proportions, of `likeness.shape_of`."""


def prepare(name: str, bgr: NDArray[np.uint8], points: NDArray[np.float32]) -> SourceFace:
    """The face of a picture. `bgr`: (H, W, 3) uint8; `points`: (468, 3), its landmarks in pixels of it.

    Light from one side is evened out. Hair, background and skin seen too flat are replaced by the mirrored
    other half where that shows skin, and by the tone of the skin round them elsewhere.
    """
    picture = unwrapped(bgr, points)
    return finished(name, picture)


def finished(name: str, picture: Unwrapped) -> SourceFace:
    """The face of a picture, or of several fused, that is drawn on the plane."""
    texture, known = mirrored(*evened(picture.texture, picture.known))
    whole = completed(flattened(texture, known), known)
    coverage = face_alpha(TEXTURE_SIDE, keep_eyes=True, keep_mouth=True)
    return SourceFace(name, calmed(cleared(opened(whole))), coverage, "picture", picture.shape)


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


def unwrapped(bgr: NDArray[np.uint8], points: NDArray[np.float32]) -> Unwrapped:
    """A picture drawn on the plane. `bgr`: (H, W, 3) uint8; `points`: (468, 3), its landmarks in pixels."""
    shape = shape_of(points)
    bgr, points = _reduced(bgr, points)
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
    return Unwrapped(np.asarray(texture, np.float32), known, _detail(x, y), shape)


def _detail(x: NDArray[np.float32], y: NDArray[np.float32]) -> NDArray[np.float32]:
    """(T, T): the side of a texel in the picture, in pixels, of where each texel lies in it."""
    (x_down, x_across), (y_down, y_across) = np.gradient(x), np.gradient(y)
    area = np.maximum(x_across * y_down - x_down * y_across, 0)
    return np.asarray(np.sqrt(area), np.float32)


def _nearest_skin() -> NDArray[np.intp]:
    """(468,): each point, or the nearest on plain skin: closed lips and lids have no direction."""
    plain = np.flatnonzero(SKIN > 0.9)
    away = np.linalg.norm(CANONICAL[:, None] - CANONICAL[None, plain], axis=2)
    return np.where(SKIN < 0.1, plain[away.argmin(axis=1)], np.arange(POINT_COUNT))


_NEAREST_SKIN = _nearest_skin()
