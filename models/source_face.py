"""A face to put on: its texture on the plane of the mesh. Made once of a picture, or drawn by code."""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from models.rasterise import MeshRasteriser
from models.topology import UV
from models.uv_mask import face_alpha, ring_mask

__all__ = ["TEXTURE_SIDE", "SourceFace", "prepare"]

TEXTURE_SIDE = 512
_CHEEKS = (50, 101, 118, 205, 280, 330, 347, 425, 4, 5, 195, 197)
"""Points on cheeks and nose: skin on every face."""
_SKIN_DISTANCE = 3.2
"""Distance from the skin's own mean, in its own standard deviations, past which a texel is not skin."""
_LEAST_DEVIATION = np.array([16.0, 5.0, 5.0])
"""Of Y, Cr, Cb: what sensors and shading add to any skin."""


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


def prepare(name: str, bgr: NDArray[np.uint8], points: NDArray[np.float32]) -> SourceFace:
    """The face of a picture. `bgr`: (H, W, 3) uint8; `points`: (468, 3), its landmarks in pixels of it.

    Hair and background inside the outline are replaced by the mirrored other half where that is skin,
    and by the skin round them elsewhere.
    """
    texture = _unwrap(bgr, points)
    skin = _skin(texture)
    return SourceFace(
        name,
        _filled(texture, skin),
        face_alpha(TEXTURE_SIDE, keep_eyes=True, keep_mouth=True),
        "picture",
    )


def _unwrap(bgr: NDArray[np.uint8], points: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The picture drawn on the plane: each texel shows the pixel that its point of the face has."""
    height, width = bgr.shape[:2]
    low = np.floor(points[:, :2].min(axis=0)) - 1
    span = float((points[:, :2].max(axis=0) + 2 - low).max())
    plane = np.zeros((len(UV), 3), np.float32)
    plane[:, :2] = UV * TEXTURE_SIDE - 0.5
    rasteriser = MeshRasteriser(((points[:, :2] - low) / span).astype(np.float32))
    drawn = rasteriser.draw(plane, TEXTURE_SIDE, TEXTURE_SIDE, finest_px=TEXTURE_SIDE)
    x = drawn.across * np.float32(span) + np.float32(low[0])
    y = drawn.down * np.float32(span) + np.float32(low[1])
    texture = cv2.remap(bgr, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    hole = (drawn.cover < 0.5).astype(np.uint8)
    return _spread(texture, hole)


def _spread(texture: NDArray[np.uint8], hole: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Fill `hole` (nonzero) with the colours at its edge, at a quarter of the resolution."""
    side = texture.shape[0]
    small = cv2.resize(texture, (side // 4, side // 4), interpolation=cv2.INTER_AREA)
    small_hole = cv2.dilate(cv2.resize(hole, (side // 4, side // 4), interpolation=cv2.INTER_NEAREST), None)
    small = cv2.inpaint(small, small_hole, 3, cv2.INPAINT_TELEA)
    filled = cv2.resize(small, (side, side), interpolation=cv2.INTER_LINEAR)
    soft = cv2.GaussianBlur(hole * np.uint8(255), (0, 0), 2)
    soft = np.maximum(soft, hole * np.uint8(255))[:, :, None].astype(np.uint16)
    mixed = (filled * soft + texture * (255 - soft) + 127) // 255
    return mixed.astype(np.uint8)


def _skin(texture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(T, T) uint8: 255 where the texture is skin, brows, eyes or lips; 0 on hair and background."""
    side = texture.shape[0]
    tones = cv2.cvtColor(cv2.GaussianBlur(texture, (0, 0), 2), cv2.COLOR_BGR2YCrCb).astype(np.float32)
    samples = np.zeros((side, side), np.uint8)
    for u, v in UV[list(_CHEEKS)] * side:
        cv2.circle(samples, (round(float(u)), round(float(v))), side // 32, 255, -1)
    known = tones[samples > 0]
    middle = np.median(known, axis=0)
    spread = np.maximum(1.5 * np.median(abs(known - middle), axis=0) * 1.48, _LEAST_DEVIATION)
    away = np.sqrt((((tones - middle) / (spread * (1.6, 1, 1))) ** 2).sum(axis=2))
    skin = np.where(away < _SKIN_DISTANCE, 255, 0).astype(np.uint8)
    skin[_features(side) > 0] = 255
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side // 40 | 1, side // 40 | 1))
    skin = cv2.morphologyEx(skin, cv2.MORPH_CLOSE, kernel)
    skin = cv2.erode(skin, kernel)
    skin[_features(side) > 0] = 255
    return skin


def _features(side: int) -> NDArray[np.uint8]:
    """The middle of the face, where brows, eyes, nostrils and lips are no skin but belong to it."""
    mask = np.zeros((side, side), np.uint8)
    ring = UV[list(_INNER)] * side
    cv2.fillPoly(mask, [np.round(cv2.convexHull(ring.astype(np.float32))).astype(np.int32)], 255)
    return mask


_INNER = (70, 63, 105, 66, 296, 334, 293, 300, 263, 33, 61, 291, 17, 205, 425)
"""Brows, outer eye corners, mouth: their hull."""


def _filled(texture: NDArray[np.uint8], skin: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The texture with everything that is not skin replaced."""
    mirrored, mirrored_skin = texture[:, ::-1], skin[:, ::-1]
    taken = (skin == 0) & (mirrored_skin > 0)
    patched = texture.copy()
    soft = cv2.GaussianBlur((taken * np.uint8(255)), (0, 0), 4)[:, :, None].astype(np.uint16)
    patched = ((mirrored * soft + patched * (255 - soft) + 127) // 255).astype(np.uint8)
    rest = ((skin == 0) & ~taken).astype(np.uint8)
    return _spread(patched, rest) if rest.any() else patched
