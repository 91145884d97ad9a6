"""A face to put on: its texture on the plane of the mesh. Made once of a picture, or drawn by code."""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from models.smoothing import smooth
from models.normals import facing
from models.rasterise import MeshRasteriser
from models.relight import SKIN
from models.skin import face_mask
from models.topology import CANONICAL, LIDS, OVAL, POINT_COUNT, TRIANGLES, UV
from models.uv_mask import face_alpha, ring_mask

__all__ = ["TEXTURE_SIDE", "SourceFace", "prepare"]

TEXTURE_SIDE = 512
_GRAZING = (0.05, 0.3)
"""Cosines between which skin counts as seen: flatter, it would smear over the plane."""
_LIGHT_REACH = 0.05
"""Sigma of the light that is told from features, in sides of the plane."""
_EVENED = 0.8
"""How much of the difference in light between left and right is taken out."""
_SHADOW = (0.35, 0.75)
"""A side darker than the other by this much, in logarithms of light, is less and less drawn from itself."""
_GREATEST_EVENING = 0.7
"""Bound of that correction, in logarithms of light."""

_FILL_REACH = 0.1
"""Sigma of the skin whose tone fills what is not known, in sides of the plane."""
_DEVIATION = (24.0, 4.0, 4.0)
"""Of Y, Cr, Cb within one face's plain skin."""
_FLATTENED = 0.3
"""How much of the broad shading is taken out: all would take the cheeks and the chin with it."""
_GRAIN_PX = 2.0
_CLARITY = 0.45
_CLARITY_REACH = 0.04
"""How much features are raised, and the sigma of what counts as skin under them, in sides of the plane."""

_CLARITY_BOUND = 60.0
"""Contrast that is raised, in grey levels: what is stronger is strong enough."""


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


def _nearest_skin() -> NDArray[np.intp]:
    """(468,): for each point, the nearest on plain skin. Closed lips and lids have no direction of their own."""
    plain = np.flatnonzero(SKIN > 0.9)
    away = np.linalg.norm(CANONICAL[:, None] - CANONICAL[None, plain], axis=2)
    return np.where(SKIN < 0.1, plain[away.argmin(axis=1)], np.arange(POINT_COUNT))


_NEAREST_SKIN = _nearest_skin()


def prepare(name: str, bgr: NDArray[np.uint8], points: NDArray[np.float32]) -> SourceFace:
    """The face of a picture. `bgr`: (H, W, 3) uint8; `points`: (468, 3), its landmarks in pixels of it.

    Light from one side is evened out. Hair, background and skin seen too flat are replaced by the mirrored
    other half where that shows skin, and by the colours round them elsewhere.
    """
    bgr, points = _reduced(bgr, points)
    texture, known = _unwrap(bgr, points)
    known *= (ring_mask(OVAL, TEXTURE_SIDE) > 0).astype(np.float32)
    texture, known = _evened(texture, known)
    texture, known = _mirrored(texture, known)
    texture = _flattened(texture, known)
    whole = _calmed(_clear(_completed(texture, known)))
    return SourceFace(name, whole, face_alpha(TEXTURE_SIDE, keep_eyes=True, keep_mouth=True), "picture")


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
    return small, moved


def _unwrap(
    bgr: NDArray[np.uint8], points: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The picture drawn on the plane, (T, T, 3), and how far each texel is known, (T, T) in [0, 1]."""
    low = np.floor(points[:, :2].min(axis=0)) - 1
    span = float((points[:, :2].max(axis=0) + 2 - low).max())
    values = np.empty((POINT_COUNT, 3), np.float32)
    values[:, :2] = (points[:, :2] - low) / span
    least, most = _GRAZING
    values[:, 2] = np.clip((facing(points)[_NEAREST_SKIN] - least) / (most - least), 0, 1)
    plane = np.zeros((POINT_COUNT, 3), np.float32)
    plane[:, :2] = UV * TEXTURE_SIDE - 0.5
    size = (TEXTURE_SIDE, TEXTURE_SIDE)
    drawn = MeshRasteriser(np.concatenate([TRIANGLES, LIDS])).draw(plane, values, size, TEXTURE_SIDE)
    x = drawn[:, :, 0] * np.float32(span) + np.float32(low[0])
    y = drawn[:, :, 1] * np.float32(span) + np.float32(low[1])
    texture = cv2.remap(bgr, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    face = cv2.remap(face_mask(bgr, points), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    known = drawn[:, :, 2] * (face.astype(np.float32) / 255)
    return texture.astype(np.float32), known


def _evened(
    texture: NDArray[np.float32], known: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The texture lit alike from left and right, and what is then known: less where it lay in deep shadow.

    What is the same on both sides is the face's own relief and stays.
    """
    channels = np.log(texture + np.float32(8))
    light = np.dstack(
        [smooth(channel, known, _LIGHT_REACH * TEXTURE_SIDE) for channel in cv2.split(channels)]
    )
    difference = (light - light[:, ::-1]) / 2
    correction = np.clip(_EVENED * difference, -_GREATEST_EVENING, _GREATEST_EVENING)
    least, most = _SHADOW
    lit = np.clip((2 * difference.mean(axis=2) + most) / (most - least), 0, 1)
    lit = np.maximum(lit, 1 - known[:, ::-1])
    return texture * np.exp(-correction), known * lit


def _mirrored(
    texture: NDArray[np.float32], known: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Each texel from the side that knows it better."""
    known = cv2.GaussianBlur(cv2.erode(known, np.ones((5, 5), np.uint8)), (0, 0), 3)
    other = np.minimum(known[:, ::-1], 1 - known)
    total = np.maximum(known + other, np.float32(1e-6))[:, :, None]
    mixed = (texture * known[:, :, None] + texture[:, ::-1] * other[:, :, None]) / total
    return mixed, np.minimum(known + other, 1)


def _flattened(texture: NDArray[np.float32], known: NDArray[np.float32]) -> NDArray[np.float32]:
    """The texture with the broad shading of its skin taken out in part, for the target's to take its place."""
    luma = np.log(texture.mean(axis=2) + np.float32(8))
    skin = _plain(texture, known)
    light = smooth(luma, skin, _FILL_REACH * TEXTURE_SIDE)
    mean = float((luma * skin).sum() / max(float(skin.sum()), 1e-6))
    return texture * np.exp(np.float32(_FLATTENED) * (mean - light))[:, :, None]


def _completed(texture: NDArray[np.float32], known: NDArray[np.float32]) -> NDArray[np.float32]:
    """The texture with the tone and grain of the skin round about where it is not known."""
    skin = _plain(texture, known)
    reach = _FILL_REACH * TEXTURE_SIDE
    far = [smooth(channel, skin, reach) for channel in cv2.split(texture)]
    near = [
        smooth(channel, skin, reach / 3, mean) for channel, mean in zip(cv2.split(texture), far, strict=True)
    ]
    tone = np.dstack(near)
    fine = texture - cv2.GaussianBlur(texture, (0, 0), _GRAIN_PX)
    roughness = float(np.median(abs(fine[skin > 0.9]))) * 1.48 if (skin > 0.9).any() else 0.0
    grain = np.random.default_rng(0).normal(0, 1, (TEXTURE_SIDE, TEXTURE_SIDE, 1)).astype(np.float32)
    grain = cv2.GaussianBlur(grain, (0, 0), _GRAIN_PX / 2)
    tone += (grain * np.float32(roughness / float(grain.std())))[:, :, None]
    whole: NDArray[np.float32] = texture * known[:, :, None] + tone * (1 - known[:, :, None])
    return whole


def _plain(texture: NDArray[np.float32], known: NDArray[np.float32]) -> NDArray[np.float32]:
    """(T, T) in [0, 1]: how far a texel is plain skin of the face's own tone, not a brow or the edge of hair."""
    skin = known * _skin_plane()
    smooth_u8 = np.clip(cv2.GaussianBlur(texture, (0, 0), _GRAIN_PX), 0, 255).astype(np.uint8)
    tones = cv2.cvtColor(smooth_u8, cv2.COLOR_BGR2YCrCb).astype(np.float32)
    sure = skin > 0.9
    if not sure.any():
        return skin
    away = (tones - np.median(tones[sure], axis=0)) / np.array(_DEVIATION, np.float32)
    plain: NDArray[np.float32] = skin * np.exp((away**2).sum(axis=2) / -2)
    return plain


def _skin_plane() -> NDArray[np.float32]:
    """(T, T): `models.relight.SKIN` drawn on the plane."""
    plane = np.zeros((POINT_COUNT, 3), np.float32)
    plane[:, :2] = UV * TEXTURE_SIDE - 0.5
    values = np.repeat(SKIN[:, None], 3, axis=1)
    return MeshRasteriser().draw(plane, values, (TEXTURE_SIDE, TEXTURE_SIDE), TEXTURE_SIDE)[:, :, 0].copy()


def _clear(texture: NDArray[np.float32]) -> NDArray[np.float32]:
    """The texture with its features raised from the skin: what the target's light and eyes take of the likeness."""
    ground = cv2.GaussianBlur(texture, (0, 0), _CLARITY_REACH * TEXTURE_SIDE)
    raised = np.clip(texture - ground, -_CLARITY_BOUND, _CLARITY_BOUND)
    return np.clip(texture + np.float32(_CLARITY) * raised, 0, 255)


def _calmed(texture: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The texture with the chroma of its dark parts bounded: in another light, old paint turns purple there."""
    luma, red, blue = cv2.split(cv2.cvtColor(np.clip(texture, 0, 255).astype(np.uint8), cv2.COLOR_BGR2YCrCb))
    light = luma.astype(np.float32) + np.float32(8)
    chroma = np.dstack([red, blue]).astype(np.float32) - np.float32(128)
    strength = np.sqrt((chroma**2).sum(axis=2)) / light
    at = np.round(UV[SKIN > 0.9] * TEXTURE_SIDE).astype(int)
    typical, bright = (float(np.median(plane[at[:, 1], at[:, 0]])) for plane in (strength, light))
    bound = typical * (1 + 1.5 * np.clip(light / bright, 0, 1))
    chroma *= np.minimum(1, bound / np.maximum(strength, 1e-3))[:, :, None]
    tones = np.dstack([luma, np.round(chroma + 128).astype(np.uint8)])
    return cv2.cvtColor(tones, cv2.COLOR_YCrCb2BGR)
