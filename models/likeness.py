"""The source's proportions on the wearer's face: where features sit is as much a likeness as their colours.

The wearer's own proportions are learnt while they are watched, expressions counting little; the difference
to the source's is laid over each frame's landmarks, so that expressions stay the wearer's. At the outline
nothing moves: hair, ears and neck stay where they are.

Over four portraits and four clips (`realtime bench identity`), without and with it: source-output 0.50 and
0.59, target-output 0.26 and 0.19.
"""

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.mesh_fit import MeshFit, fit_mesh
from models.topology import CANONICAL, LEFT_EYE, LIPS_INNER, MIRROR, OVAL, POINT_COUNT, RIGHT_EYE

__all__ = ["Likeness", "shape_of"]

_RIM_DEPTH = 0.12
"""How far inside the outline, in inter-ocular distances, points move in full."""
_GREATEST_MOVE = 0.25
"""No point moves farther along an axis of the face, in inter-ocular distances."""
_EYE_GAIN = 1.5
"""The eyes that show are the wearer's own: their place and size go past the source's to make up for it."""
_EYE_REACH = 0.22
_PRIOR = 2.0
"""Weight, in frames, of the mean face in what is known of the wearer."""
_MEMORY = 300.0
"""Frames over which the wearer's proportions are a mean."""
_OPEN_MOUTH = 0.5
"""Gap between the lips, in inter-ocular distances, at which a frame says little of the mouth."""
_CLOSED_EYE = 0.07
"""Gap between the lids at which a frame says little of the eyes'."""
_TURNED = 0.85
"""Cosine of the head's turn from which a frame says little: depth is poorly seen from the side."""
_WEARERS_KEPT = 16
_LIP_REACH = 0.15
"""How far round the lips' inner edge the skin goes along when they are closed, in inter-ocular distances."""
_PAIR_REACH = 0.06
"""... and how far a pair of facing points rules more than its neighbours do."""
_LIPS = (13, 14)
_LIDS = ((159, 145), (386, 374))
_JAW_BELOW = 0.45
"""Below this height, in inter-ocular distances under the eyes, points move with the mouth."""


def _smooth(values: NDArray[np.float32]) -> NDArray[np.float32]:
    clipped = np.clip(values, 0, 1)
    return np.asarray(clipped * clipped * (3 - 2 * clipped), np.float32)


def _near_eyes() -> NDArray[np.float32]:
    """(468, 1): 1 at the eyes, 0 away from them."""
    near = np.zeros(POINT_COUNT, np.float32)
    for ring in (RIGHT_EYE, LEFT_EYE):
        away = np.linalg.norm(CANONICAL - CANONICAL[ring].mean(axis=0), axis=1)
        near = np.maximum(near, np.exp(-((away / _EYE_REACH) ** 4)).astype(np.float32))
    return near[:, None]


def _inside() -> NDArray[np.float32]:
    """(468, 1): 0 on the outline, 1 deep inside."""
    depth = np.linalg.norm(CANONICAL[:, None] - CANONICAL[None, OVAL], axis=2).min(axis=1)
    return _smooth(depth / np.float32(_RIM_DEPTH))[:, None]


def _closing() -> NDArray[np.float32]:
    """(468, n): how far each point goes when the n pairs of inner lip points meet half way."""
    upper = np.linalg.norm(CANONICAL[:, None] - CANONICAL[None, _UPPER_LIP], axis=2)
    lower = np.linalg.norm(CANONICAL[:, None] - CANONICAL[None, _LOWER_LIP], axis=2)
    away = np.minimum(upper, lower)
    nearest = away.min(axis=1, keepdims=True)
    near = np.exp((nearest**2 - away**2) / _PAIR_REACH**2)
    share = near / near.sum(axis=1, keepdims=True)
    reach = np.exp(-((nearest[:, 0] / _LIP_REACH) ** 2))
    # By the nearer lip, not by height: at the corners the lower lip lies above the middle of the mouth.
    above = np.where(upper.min(axis=1) < lower.min(axis=1), 0.5, -0.5)
    corners = [LIPS_INNER[0], LIPS_INNER[len(LIPS_INNER) // 2]]
    above[corners] = 0
    exact = np.zeros_like(share)
    for pair, facing in enumerate(zip(_UPPER_LIP, _LOWER_LIP, strict=True)):
        exact[list(facing), pair] = 1
    inner = exact.any(axis=1)
    share[inner] = exact[inner]
    return np.asarray(share * (reach * above)[:, None], np.float32)


_UPPER_LIP = LIPS_INNER[1 : len(LIPS_INNER) // 2]
_LOWER_LIP = LIPS_INNER[: len(LIPS_INNER) // 2 : -1]
_CLOSING = _closing()
_NEAR_EYES = _near_eyes()
_SHARE = _inside() * (1 + np.float32(_EYE_GAIN - 1) * _NEAR_EYES)
_LOWER = _smooth((CANONICAL[:, 1:2] - np.float32(0.3)) / np.float32(_JAW_BELOW - 0.3))


def shape_of(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """(468, 3) float32: a face's proportions in the units and attitude of `topology.CANONICAL`, both sides
    alike and the mouth closed. `points`: (468, 3), landmarks in pixels."""
    return _even(_closed(fit_mesh(points).to_front(points)))


@dataclass(slots=True)
class _Wearer:
    total: NDArray[np.float32]
    """(468, 3): weighted sum of shapes."""
    weight: NDArray[np.float32]
    """(468, 1)."""


class Likeness:
    """Remembers the proportions of the last 16 wearers. Belongs to one thread."""

    def __init__(self) -> None:
        self._wearers: OrderedDict[int, _Wearer] = OrderedDict()

    def moves(
        self, points: NDArray[np.float32], shape: NDArray[np.float32], track_id: int
    ) -> NDArray[np.float32]:
        """(468, 3) float32, pixels: what is to be added to `points` for the proportions of `shape`.

        `points`: (468, 3), landmarks of the wearer in pixels; `shape`: of `shape_of`; `track_id`: the wearer.
        Points that show no face (`mesh_fit.fit_mesh`) stay, and nothing is learnt of them.
        """
        placed = fit_mesh(points)
        if not placed.size_px > 0:
            return np.zeros_like(points)
        own = self._learn(points, placed, track_id)
        moves = np.clip((shape - own) * _SHARE, -_GREATEST_MOVE, _GREATEST_MOVE)
        return placed.to_picture(moves)

    def _learn(self, points: NDArray[np.float32], placed: MeshFit, track_id: int) -> NDArray[np.float32]:
        """What is known of the wearer's proportions, this frame included."""
        wearer = self._wearers.get(track_id)
        if wearer is None:
            while len(self._wearers) >= _WEARERS_KEPT:
                self._wearers.popitem(last=False)
            nothing = np.zeros((POINT_COUNT, 1), np.float32)
            wearer = _Wearer(np.zeros((POINT_COUNT, 3), np.float32), nothing)
            self._wearers[track_id] = wearer
        self._wearers.move_to_end(track_id)
        shape = placed.to_front(points)
        weight = _worth(shape, placed)
        wearer.total *= np.float32(1 - 1 / _MEMORY)
        wearer.weight *= np.float32(1 - 1 / _MEMORY)
        wearer.total += shape * weight
        wearer.weight += weight
        known = (CANONICAL * np.float32(_PRIOR) + wearer.total) / (wearer.weight + np.float32(_PRIOR))
        return _even(_closed(known))


def _worth(shape: NDArray[np.float32], placed: MeshFit) -> NDArray[np.float32]:
    """(468, 1) in [0, 1]: how much this frame says of each point's place in a calm face."""
    mouth = float(np.linalg.norm(shape[_LIPS[0]] - shape[_LIPS[1]])) / _OPEN_MOUTH
    eyes = min(float(np.linalg.norm(shape[upper] - shape[lower])) for upper, lower in _LIDS) / _CLOSED_EYE
    facing = float(np.clip((placed.rotation[2, 2] - _TURNED) / (1 - _TURNED), 0.02, 1))
    calm = 1 - _LOWER * np.float32(1 - np.exp(-(mouth**2)))
    calm *= 1 - _NEAR_EYES * np.float32(np.exp(-(eyes**4)))
    weight: NDArray[np.float32] = calm * np.float32(facing)
    return weight


def _closed(shape: NDArray[np.float32]) -> NDArray[np.float32]:
    """The shape with the inner edges of the lips brought together: a smile's teeth are no proportion."""
    gaps = shape[_LOWER_LIP] - shape[_UPPER_LIP]
    closed: NDArray[np.float32] = shape + _CLOSING @ gaps
    return closed


def _even(shape: NDArray[np.float32]) -> NDArray[np.float32]:
    """The shape with both sides alike: what differs is mostly expression and error of the landmarks."""
    other = shape[MIRROR].copy()
    other[:, 0] *= -1
    return np.asarray((shape + other) / 2, np.float32)
