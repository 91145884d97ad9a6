"""Light and tone of the target on the source's face, decided at the points of the mesh.

Both faces are looked at where their skin is: 468 points, less eyes, brows, lips and nostrils. Means over a
neighbourhood on the face (not on the screen: a cheek takes nothing from the hair behind it) give the light
of each; their ratio is the gain at each point, which is then drawn like a texture.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from models.topology import BROWS, CANONICAL, HOLES, LIPS_OUTER, OVAL, POINT_COUNT

__all__ = ["GREATEST_GAIN", "SKIN", "own_skin", "palette", "persona_gain", "picture_gain", "sample"]

GREATEST_GAIN = 2.5
_LEAST_GAIN = 0.3
_NODES = 48
"""Points spread over the face at which the means are formed; between them they are interpolated."""
_GATHER, _GATHER_AT_RIM, _SPREAD = 0.9, 0.25, 0.3
"""Sigmas of forming (inside the face, and at its outline, where the target's own skin goes on) and of
interpolating, in inter-ocular distances: broad shading passes, brows, folds and mouth do not."""
_RIM_DEPTH = 0.5
"""How far inside the outline the neighbourhood is at its widest."""
_FLOOR = 6.0
"""Added to both sides of the ratio, in grey levels: keeps it calm in the dark."""
_OUTLIER = 0.3
"""A point whose logarithm of light is this far from its neighbourhood's counts exp(-1/2): it is in hair."""
_NOT_SKIN = 0.4
"""The same for a source, whose shading is evened out, against all of its skin."""
_OUTLINE = np.float32(0.15)
"""What the outline's points count: what is behind the head shows beside them."""
_CHROMA_RATIO = (0.45, 1.6)
_TINT = 0.35
"""How far the gains of the channels may differ: more would tint what is dark."""
_CHROMA_TURN = 0.35
"""Greatest turn of the hue of skin, in radians."""
_PERSONA_LIGHT = 0.85
"""How much of the target's shading a persona takes on."""
_PERSONA_EXPOSURE = 0.5
"""How far a persona follows the target's brightness: 0 keeps its own, 1 takes the target's."""
_PERSONA_GAIN = (0.45, 1.5)
_DARKEST = 8.0
_DOUBT = np.float32(1e-2)
"""Weight of the mean of the whole face in each neighbourhood: decides where all of one is hidden."""

_LUMA = np.array([0.114, 0.587, 0.299], np.float32)
_TO_YCC = np.array([[0.114, 0.587, 0.299], [-0.081, -0.419, 0.5], [0.5, -0.331, -0.169]])
"""From BGR to luma, Cr and Cb (ITU-R BT.601)."""
_FROM_YCC = np.linalg.inv(_TO_YCC)


def _skin() -> NDArray[np.float32]:
    """(468,): 1 on skin, less within a tenth of an inter-ocular distance of what is none."""
    other = np.concatenate([*HOLES, *BROWS, LIPS_OUTER, [2, 94, 97, 98, 326, 327]])
    away = np.linalg.norm(CANONICAL[:, None] - CANONICAL[None, other], axis=2).min(axis=1)
    weight: NDArray[np.float32] = np.clip(away / 0.1, 0, 1).astype(np.float32) ** 2
    weight[OVAL] *= _OUTLINE
    return weight


def _nodes() -> list[int]:
    """Points far from one another: each the farthest from those before it."""
    chosen = [1]
    away = np.linalg.norm(CANONICAL - CANONICAL[1], axis=1)
    while len(chosen) < _NODES:
        chosen.append(int(away.argmax()))
        away = np.minimum(away, np.linalg.norm(CANONICAL - CANONICAL[chosen[-1]], axis=1))
    return chosen


def _reach(nodes: NDArray[np.float32]) -> NDArray[np.float32]:
    """(nodes,): sigma of the neighbourhood of each node."""
    depth = np.linalg.norm(nodes[:, None] - CANONICAL[None, OVAL], axis=2).min(axis=1) / _RIM_DEPTH
    return np.asarray(_GATHER_AT_RIM + (_GATHER - _GATHER_AT_RIM) * np.clip(depth, 0, 1), np.float32)


def _near(nodes: NDArray[np.float32], sigma: NDArray[np.float32] | float) -> NDArray[np.float32]:
    """(468, nodes): Gaussian of the distance between each point and each node; one sigma, or one a node."""
    square = ((CANONICAL[:, None] - nodes[None]) ** 2).sum(axis=2)
    near: NDArray[np.float32] = np.exp(square / (-2 * sigma**2)).astype(np.float32)
    return near


SKIN = _skin()
"""(468,) float32 in [0, 1]: how far a point shows the skin's tone. Not brows, eyes, lips or nostrils."""
_AT_NODES = CANONICAL[_nodes()]
_GATHERED = np.ascontiguousarray(_near(_AT_NODES, _reach(_AT_NODES)).T)
_SPREADING = _near(_AT_NODES, _SPREAD) / _near(_AT_NODES, _SPREAD).sum(axis=1, keepdims=True)


def sample(picture: NDArray[np.uint8], points: NDArray[np.float32]) -> NDArray[np.float32]:
    """(468, 3) float32: the colours of a small picture at `points`, (468, 2) pixels of it."""
    x, y = points[:, :1].astype(np.float32), points[:, 1:].astype(np.float32)
    colours = cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(colours, np.float32).reshape(POINT_COUNT, 3)


def palette(
    target: NDArray[np.float32], source: NDArray[np.float32], trust: NDArray[np.float32]
) -> NDArray[np.float32]:
    """(3, 3) float32, to be applied to BGR columns: turns and scales the source's colours to the target's.

    Only chroma changes, about grey: brows and nostrils stay grey, where gains by channel would tint them.
    `target`, `source`: (468, 3) colours; `trust`: (468,) weights.
    """
    ratio = _chroma(target, trust) / _chroma(source, trust)
    low, high = _CHROMA_RATIO
    size = min(max(abs(ratio), low), high)
    turn = min(max(float(np.angle(ratio)), -_CHROMA_TURN), _CHROMA_TURN)
    c, s = size * np.cos(turn), size * np.sin(turn)
    matrix = _FROM_YCC @ np.array([[1, 0, 0], [0, c, -s], [0, s, c]]) @ _TO_YCC
    return np.asarray(matrix, np.float32)


def _chroma(colours: NDArray[np.float32], trust: NDArray[np.float32]) -> complex:
    """Mean chroma per luma as a complex number, kept away from zero."""
    luma, red, blue = _TO_YCC @ (colours.T @ trust)
    chroma = complex(red, blue) / max(luma, 1e-3)
    return chroma if abs(chroma) > 0.01 else complex(0.01, 0)


def picture_gain(
    target: NDArray[np.float32], source: NDArray[np.float32], trust: NDArray[np.float32]
) -> NDArray[np.float32]:
    """(468, 3) float32: what the source's colours are multiplied by to stand in the target's light.

    `target`, `source`: (468, 3) colours at the points; `trust`: (468,), 0 where the target is hidden.
    """
    weight = _inliers(target, trust)
    light, base = _mean(target, weight), _mean(source, weight)
    gain = (light + _FLOOR) / (base + _FLOOR)
    even = (gain @ _LUMA)[:, None]
    gain = even * np.clip(gain / even, 1 - _TINT, 1 + _TINT)
    return np.clip(gain, _LEAST_GAIN, GREATEST_GAIN)


def persona_gain(
    target: NDArray[np.float32], source: NDArray[np.float32], trust: NDArray[np.float32]
) -> NDArray[np.float32]:
    """(468, 3) float32: the target's shading, alike in all channels: a persona keeps its colours.

    Arguments as in `picture_gain`.
    """
    weight = _inliers(target, trust)
    light = _mean((target @ _LUMA)[:, None], weight)
    total = max(float(trust.sum()), 1e-6)
    mean = max(float(light[:, 0] @ trust) / total, _DARKEST)
    own = max(float((source @ _LUMA) @ trust) / total, _DARKEST)
    gain = (1 + _PERSONA_LIGHT * (light / mean - 1)) * (mean / own) ** _PERSONA_EXPOSURE
    return np.repeat(np.clip(gain, *_PERSONA_GAIN), 3, axis=1).astype(np.float32)


def own_skin(source: NDArray[np.float32]) -> NDArray[np.float32]:
    """(468,) in [0, 1]: `SKIN`, less where a source is much darker or lighter than its skin: dark glasses.

    `source`: (468, 3), its colours at the points.
    """
    light = np.log(source @ _LUMA + np.float32(_FLOOR))
    apart = (light - np.median(light[SKIN > 0.9])) / np.float32(_NOT_SKIN)
    weight: NDArray[np.float32] = SKIN * np.exp(apart**2 / -2).astype(np.float32)
    return weight


def _inliers(target: NDArray[np.float32], trust: NDArray[np.float32]) -> NDArray[np.float32]:
    """`trust`, less where the target is much darker or lighter than its neighbourhood on the face."""
    light = np.log(target @ _LUMA + np.float32(_FLOOR))
    around = _mean(light[:, None], trust)[:, 0]
    weight: NDArray[np.float32] = trust * np.exp(((light - around) / np.float32(_OUTLIER)) ** 2 / -2)
    return weight


def _mean(values: NDArray[np.float32], weight: NDArray[np.float32]) -> NDArray[np.float32]:
    """(468, C): weighted means over each point's neighbourhood (normalised convolution, Knutsson 1993)."""
    overall = (values * weight[:, None]).sum(axis=0) / max(float(weight.sum()), 1e-6)
    summed = _GATHERED @ (values * weight[:, None]) + overall * _DOUBT
    mean: NDArray[np.float32] = _SPREADING @ (summed / (_GATHERED @ weight + _DOUBT)[:, None])
    return mean
