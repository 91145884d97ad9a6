"""Makes a texture unwrapped from a picture fit to be drawn in another light, on another face.

All arrays are on the UV plane of `models.topology`: textures (T, T, 3) float32 BGR from 0 to 255, and
`known`, (T, T) float32 in [0, 1], how far a texel shows the face's own skin.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from models.rasterise import MeshRasteriser
from models.relight import SKIN
from models.smoothing import smooth
from models.topology import POINT_COUNT, SOCKETS, UV
from models.uv_mask import ring_mask

__all__ = ["calmed", "cleared", "completed", "evened", "flattened", "mirrored", "opened"]

_LIGHT_REACH = 0.05
"""Sigma of the light that is told from features, in sides of the plane."""
_EVENED = 0.5
"""How much of the difference in light between left and right is taken out."""
_GREATEST_EVENING = 0.7
"""Bound of that correction, in logarithms of light."""
_SHADOW = (0.35, 0.75)
"""A side darker than the other by this much, in logarithms of light, is less and less drawn from itself."""
_EDGE = 0.02
"""What is cut off at the edge of what is known, in sides of the plane: it is tinted by what lies beyond."""
_JOIN = 0.012
"""Sigma of the joint of the two halves, in sides of the plane."""
_FLATTENED = 0.3
"""How much of the broad shading is taken out: all would take the cheeks and the chin with it."""
_TONE_REACH = 0.1
"""Sigma of the skin whose tone fills what is not known, in sides of the plane."""
_FILL_FADE = 0.02
"""Sigma of the fade from what is known to what fills it up, in sides of the plane."""
_DEVIATION = (24.0, 4.0, 4.0)
"""Of Y, Cr, Cb within one face's plain skin."""
_GRAIN_PX = 2.0
_LIFTED, _GREATEST_LIFT = 0.3, 0.7
"""How much of the shadow in the eye sockets is taken out, and the most of it, in logarithms of light."""
_SOCKET_FADE, _SOCKET_REACH = 0.012, 0.02
"""Sigmas of the edge of that, and of what counts as shadow, in sides of the plane."""
_CLARITY = 0.6
_CLARITY_REACH = 0.05
"""How much features are raised, and the sigma of what counts as skin under them, in sides of the plane."""
_CLARITY_BOUND = 60.0
"""Contrast that is raised, in grey levels: what is stronger is strong enough."""
_DARK = np.float32(8)
"""Added before logarithms, in grey levels."""
_CHROMA_IN_LIGHT = 1.5
"""How much stronger than the skin's the chroma of a texel as light as it may be, as a share: lips are."""

Plane = NDArray[np.float32]


def evened(texture: Plane, known: Plane) -> tuple[Plane, Plane]:
    """The texture lit alike from left and right, and what is then known: less where it lay in deep shadow.

    What is the same on both sides is the face's own relief and stays.
    """
    reach = _LIGHT_REACH * texture.shape[0]
    light = np.dstack([smooth(channel, known, reach) for channel in _channels(np.log(texture + _DARK))])
    difference = (light - light[:, ::-1]) / 2
    correction = np.clip(_EVENED * difference, -_GREATEST_EVENING, _GREATEST_EVENING)
    least, most = _SHADOW
    lit = np.clip((2 * difference.mean(axis=2) + most) / (most - least), 0, 1)
    lit = np.maximum(lit, 1 - known[:, ::-1])
    return np.asarray(texture * np.exp(-correction), np.float32), np.asarray(known * lit, np.float32)


def mirrored(texture: Plane, known: Plane) -> tuple[Plane, Plane]:
    """Each texel from the side that knows it better; the other side's in the tone of this one."""
    side = texture.shape[0]
    eroded = cv2.erode(known, np.ones((round(side * _EDGE),) * 2, np.uint8))
    sure = np.minimum(known, np.asarray(cv2.GaussianBlur(eroded, (0, 0), side * _JOIN), np.float32))
    other = np.minimum(sure[:, ::-1], 1 - sure)
    light = np.dstack([smooth(c, sure, _LIGHT_REACH * side) for c in _channels(np.log(texture + _DARK))])
    tone = np.exp(np.clip(light - light[:, ::-1], -_GREATEST_EVENING, _GREATEST_EVENING))
    lent = (texture[:, ::-1] + _DARK) * tone - _DARK
    total = np.maximum(sure + other, np.float32(1e-6))[:, :, None]
    mixed = (texture * sure[:, :, None] + lent * other[:, :, None]) / total
    return np.asarray(mixed, np.float32), np.asarray(np.minimum(sure + other, 1), np.float32)


def flattened(texture: Plane, known: Plane) -> Plane:
    """The texture with the broad shading of its skin taken out in part: the target's takes its place."""
    luma = np.log(texture.mean(axis=2) + _DARK)
    skin = _plain(texture, known)
    light = smooth(luma, skin, _TONE_REACH * texture.shape[0])
    mean = np.float32((luma * skin).sum() / max(float(skin.sum()), 1e-6))
    return np.asarray(texture * np.exp(np.float32(_FLATTENED) * (mean - light))[:, :, None], np.float32)


def completed(texture: Plane, known: Plane) -> Plane:
    """The texture with the tone and grain of the skin round about where it is not known."""
    skin = _plain(texture, known)
    side = texture.shape[0]
    reach = _TONE_REACH * side
    tones = []
    for channel in _channels(texture):
        far = smooth(channel, skin, reach)
        tones.append(smooth(channel, skin, reach / 3, far))
    tone = np.dstack(tones) + _grain(texture, skin)[:, :, None]
    sure = np.minimum(known, cv2.GaussianBlur(_deep(known, side), (0, 0), side * _FILL_FADE))[:, :, None]
    return np.asarray(texture * sure + tone * (1 - sure), np.float32)


def _deep(known: Plane, side: int) -> Plane:
    """`known` without the reach of the fade that follows: no line where invented skin begins."""
    return np.asarray(cv2.erode(known, np.ones((round(side * _FILL_FADE * 2),) * 2, np.uint8)), np.float32)


def opened(texture: Plane) -> Plane:
    """The texture with the shadow in its eye sockets lifted half way to the skin's tone.

    Lids are drawn of it when the wearer blinks, and a painter's dark sockets would then gape.
    """
    side = texture.shape[0]
    zone = np.zeros((side, side), np.uint8)
    for ring in SOCKETS:
        zone = np.maximum(zone, ring_mask(ring, side))
    inside = zone.astype(np.float32) / np.float32(255)
    share = cv2.GaussianBlur(inside, (0, 0), side * _SOCKET_FADE)
    luma = np.log(texture.mean(axis=2) + _DARK)
    skin = _plain(texture, 1 - inside)
    tone = np.float32((luma * skin).sum() / max(float(skin.sum()), 1e-6))
    low = smooth(luma, inside, side * _SOCKET_REACH)
    lift = np.clip(np.float32(_LIFTED) * (tone - low), 0, _GREATEST_LIFT)
    return np.asarray(texture * np.exp(share * lift)[:, :, None], np.float32)


def cleared(texture: Plane) -> Plane:
    """The texture with its features raised from the skin.

    It gives back what the target's light and eyes take of the likeness, and what drawing takes of sharpness.
    """
    ground = cv2.GaussianBlur(texture, (0, 0), _CLARITY_REACH * texture.shape[0])
    raised = np.clip(texture - ground, -_CLARITY_BOUND, _CLARITY_BOUND)
    return np.asarray(np.clip(texture + np.float32(_CLARITY) * raised, 0, 255), np.float32)


def calmed(texture: Plane) -> NDArray[np.uint8]:
    """The texture with the chroma of its dark parts bounded: in another light they would glow in odd hues."""
    tones = cv2.cvtColor(np.clip(np.round(texture), 0, 255).astype(np.uint8), cv2.COLOR_BGR2YCrCb)
    light = tones[:, :, 0].astype(np.float32) + _DARK
    chroma = tones[:, :, 1:].astype(np.float32) - np.float32(128)
    strength = np.sqrt((chroma**2).sum(axis=2)) / light
    x, y = np.round(UV[SKIN > 0.9] * texture.shape[0]).astype(int).T
    bright = float(np.median(light[y, x]))
    bound = float(np.median(strength[y, x])) * (1 + _CHROMA_IN_LIGHT * np.clip(light / bright, 0, 1))
    chroma *= np.minimum(1, bound / np.maximum(strength, 1e-3))[:, :, None]
    tones[:, :, 1:] = np.round(chroma + 128)
    return np.asarray(cv2.cvtColor(tones, cv2.COLOR_YCrCb2BGR), np.uint8)


def _plain(texture: Plane, known: Plane) -> Plane:
    """(T, T) in [0, 1]: how far a texel is plain skin of the face's own tone, no brow and no edge of hair."""
    side = texture.shape[0]
    points = np.zeros((POINT_COUNT, 3), np.float32)
    points[:, :2] = UV * side - 0.5
    skin = (
        known * MeshRasteriser().draw(points, np.repeat(SKIN[:, None], 3, axis=1), (side, side), side)[..., 0]
    )
    soft = np.clip(cv2.GaussianBlur(texture, (0, 0), _GRAIN_PX), 0, 255).astype(np.uint8)
    tones = cv2.cvtColor(soft, cv2.COLOR_BGR2YCrCb).astype(np.float32)
    sure = skin > 0.9
    if not sure.any():
        return skin
    away = (tones - np.median(tones[sure], axis=0)) / np.array(_DEVIATION, np.float32)
    return np.asarray(skin * np.exp((away**2).sum(axis=2) / -2), np.float32)


def _grain(texture: Plane, skin: Plane) -> Plane:
    """(T, T): noise as strong as that of the plain skin, the same each time."""
    sure = skin > 0.9
    if not sure.any():
        return np.zeros(skin.shape, np.float32)
    fine = texture - cv2.GaussianBlur(texture, (0, 0), _GRAIN_PX)
    roughness = 1.48 * float(np.median(abs(fine[sure])))
    noise = np.random.default_rng(0).standard_normal(skin.shape, np.float32)
    noise = np.asarray(cv2.GaussianBlur(noise, (0, 0), _GRAIN_PX / 2), np.float32)
    return noise * np.float32(roughness / float(noise.std()))


def _channels(texture: Plane) -> list[Plane]:
    return [np.ascontiguousarray(texture[:, :, k], np.float32) for k in range(3)]
