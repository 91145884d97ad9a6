"""The source's proportions on the wearer's face: where features sit is as much a likeness as their colours.

The wearer's own proportions are learnt while they are watched, expressions counting little; the difference
to the source's is laid over each frame's landmarks, so that expressions stay the wearer's. At the outline
nothing moves: hair, ears and neck stay where they are.

Over four portraits and four clips (`realtime bench identity`), without and with it: source-output 0.50 and
0.59, target-output 0.26 and 0.19.
"""

from collections import OrderedDict
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.mesh_fit import MeshFit, fit_mesh
from models.topology import CANONICAL, HOLES, LEFT_EYE, LIPS_INNER, MIRROR, OVAL, POINT_COUNT, RIGHT_EYE

__all__ = ["Likeness", "shape_of", "wide_awake"]

_RIM_DEPTH = 0.12
"""How far inside the outline, in inter-ocular distances, points move in full."""
_GREATEST_MOVE = 0.25
"""No point moves farther along an axis of the face, in inter-ocular distances."""
_OF_DEPTH = 0.6
"""Nor by more than this share of its depth inside the outline: it would cross it."""
_EYE_GAIN = 1.6
"""The eyes that show are the wearer's own: their place and size go past the source's to make up for it."""
_EYE_REACH = 0.22
_PRIOR = 2.0
"""Weight, in frames, of the mean face in what is known of the wearer."""
_MEMORY = 300.0
"""Frames over which the wearer's proportions are a mean."""
_LEARN_EACH, _LEARN_NTH = 30, 4
"""After so many frames, only each nth is learnt from, for all of them."""
_OPEN_MOUTH = 0.5
"""Gap between the lips, in inter-ocular distances, at which a frame says little of the mouth."""
_CLOSED_EYE = 0.07
"""Gap between the lids at which a frame says little of the eyes'."""
_TURNED = 0.85
"""Cosine of the head's turn from which a frame says little: depth is poorly seen from the side."""
_AWAKE = 0.25
_WEARERS_KEPT = 16
_LIP_REACH = 0.15
"""How far round the lips' inner edge the skin goes along when they are closed, in inter-ocular distances."""
_LID_REACH = 0.06
"""The same of the upper lid's edge."""
_SHUT, _OPEN = 0.68, 0.82
"""Gap between the lids' middles, as a share of what it is in the wearer's open eye, at which landmarks mean a
closed and an open one: of closed eyes they still report 0.5 to 0.66 (four clips)."""
_FIRST_OPEN, _LEAST_OPEN = 0.095, 0.08
"""What the gap of an open eye is taken for at first, and at least, in inter-ocular distances."""
_WIDER_PACE, _NARROWER_PACE = 0.2, 1 / 600
"""How fast that follows wider and narrower eyes, a frame."""
_PAIR_REACH = 0.06
"""... and how far a pair of facing points rules more than its neighbours do."""
_LIPS = (13, 14)
_LIDS = ((159, 145), (386, 374))
_JAW_BELOW = 0.45
"""Below this height, in inter-ocular distances under the eyes, points move with the mouth."""


def _smooth(values: NDArray[np.float32] | np.float32) -> NDArray[np.float32]:
    clipped = np.clip(values, 0, 1)
    return np.asarray(clipped * clipped * (3 - 2 * clipped), np.float32)


def _near_eyes() -> NDArray[np.float32]:
    """(468, 1): 1 at the eyes, 0 away from them."""
    near = np.zeros(POINT_COUNT, np.float32)
    for ring in (RIGHT_EYE, LEFT_EYE):
        away = np.linalg.norm(CANONICAL - CANONICAL[ring].mean(axis=0), axis=1)
        near = np.maximum(near, np.exp(-((away / _EYE_REACH) ** 4)).astype(np.float32))
    return near[:, None]


def _depth() -> NDArray[np.float32]:
    """(468, 1): how far each point lies inside the outline, in inter-ocular distances."""
    depth = np.linalg.norm(CANONICAL[:, None] - CANONICAL[None, OVAL], axis=2).min(axis=1)
    return np.asarray(depth, np.float32)[:, None]


def _closing(
    upper: NDArray[np.int32], lower: NDArray[np.int32], reach: float, down: float, up: float
) -> NDArray[np.float32]:
    """(468, n): how far each point goes along the gaps of n facing points when the edges of a slit meet.

    The upper edge goes the share `down` of a gap, the lower one `up`; the skin within `reach` goes along.
    """
    away = np.linalg.norm(CANONICAL[:, None] - CANONICAL[None, upper], axis=2)
    away = np.minimum(away, np.linalg.norm(CANONICAL[:, None] - CANONICAL[None, lower], axis=2))
    nearest = away.min(axis=1, keepdims=True)
    near = np.exp((nearest**2 - away**2) / _PAIR_REACH**2)
    share = near / near.sum(axis=1, keepdims=True)
    middle = CANONICAL[np.concatenate([upper, lower]), 1].mean()
    side = np.where(CANONICAL[:, 1] < middle, down, -up)
    side[upper], side[lower] = down, -up
    for pair in range(len(upper)):
        share[[upper[pair], lower[pair]]] = np.eye(len(upper))[pair]
    along = np.exp(-((nearest / reach) ** 2))
    along[[*upper, *lower]] = 1
    closing = share * along * side[:, None]
    others = sorted({*np.concatenate(HOLES)} - {*upper, *lower})  # numpy's own takes 20 ms to import numpy.ma
    closing[others] = 0
    return np.asarray(closing, np.float32)


def _edges(ring: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """The upper and the lower edge of a hole, without its corners; the points face each other."""
    half = len(ring) // 2
    first, second = ring[1:half], ring[:half:-1]
    if CANONICAL[first, 1].mean() > CANONICAL[second, 1].mean():
        first, second = second, first
    return first, second


_UPPER_LIP, _LOWER_LIP = _edges(LIPS_INNER)
_CLOSING = _closing(_UPPER_LIP, _LOWER_LIP, _LIP_REACH, 0.5, 0.5)
_EYES = tuple(
    (*_edges(ring), _closing(*_edges(ring), _LID_REACH, 1.0, 0.0)) for ring in (RIGHT_EYE, LEFT_EYE)
)
"""Of each eye: the upper lid, the lower lid, and how they close."""
_NEAR_EYES = _near_eyes()
_BOUND = np.minimum(_depth() * np.float32(_OF_DEPTH), np.float32(_GREATEST_MOVE))
_SHARE = _smooth(_depth() / np.float32(_RIM_DEPTH)) * (1 + np.float32(_EYE_GAIN - 1) * _NEAR_EYES)
_LOWER = _smooth((CANONICAL[:, 1:2] - np.float32(0.3)) / np.float32(_JAW_BELOW - 0.3))


def shape_of(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """(468, 3) float32: a face's proportions in the units and attitude of `topology.CANONICAL`, both sides
    alike and the mouth closed. `points`: (468, 3), landmarks in pixels."""
    return _even(_closed(fit_mesh(points).to_front(points)))


def wide_awake(shape: NDArray[np.float32]) -> NDArray[np.float32]:
    """The shape with its eyes opened by a quarter: the mean of many faces looks sleepy."""
    opened = shape.copy()
    for upper, lower, closing in _EYES:
        opened -= closing @ ((shape[lower] - shape[upper]) * np.float32(_AWAKE))
    return opened


@dataclass(slots=True)
class _Wearer:
    total: NDArray[np.float32]
    """(468, 3): weighted sum of shapes."""
    weight: NDArray[np.float32]
    """(468, 1)."""
    known: NDArray[np.float32]
    """(468, 3): the shape as far as it is known."""
    frames: int = 0
    open_gaps: list[float] = field(default_factory=lambda: [_FIRST_OPEN, _FIRST_OPEN])
    """Between the lids of the right and the left eye when they are open."""


class Likeness:
    """Remembers the proportions of the last 16 wearers. Belongs to one thread."""

    def __init__(self) -> None:
        self._wearers: OrderedDict[int, _Wearer] = OrderedDict()

    def moves(
        self,
        points: NDArray[np.float32],
        shape: NDArray[np.float32],
        track_id: int,
        fit: MeshFit | None = None,
    ) -> NDArray[np.float32]:
        """(468, 3) float32, pixels: what is to be added to `points` for the proportions of `shape`.

        `points`: (468, 3), landmarks of the wearer in pixels; `shape`: of `shape_of`; `track_id`: the
        wearer; `fit`: of `points`, where it is known already.
        Points that show no face (`mesh_fit.fit_mesh`) stay, and nothing is learnt of them.
        """
        placed = fit or fit_mesh(points)
        if not placed.size_px > 0:
            return np.zeros_like(points)
        own = self._learn(points, placed, track_id)
        moves = np.clip((shape - own) * _SHARE, -_BOUND, _BOUND)
        moves += self._blink(placed.to_front(points), moves, track_id)
        return placed.to_picture(moves)

    def _blink(
        self, wearer: NDArray[np.float32], moves: NDArray[np.float32], track_id: int
    ) -> NDArray[np.float32]:
        """(468, 3): closes the moved eyes as far as the wearer's: landmarks leave a slit in closed ones."""
        known = self._wearers[track_id]
        there = wearer + moves
        total = np.zeros_like(moves)
        for eye, (upper, lower, closing) in enumerate(_EYES):
            middle = len(upper) // 2
            gap = float(np.linalg.norm(wearer[upper[middle]] - wearer[lower[middle]]))
            pace = _WIDER_PACE if gap > known.open_gaps[eye] else _NARROWER_PACE
            known.open_gaps[eye] += pace * (gap - known.open_gaps[eye])
            share = gap / max(known.open_gaps[eye], _LEAST_OPEN)
            shut = 1 - float(_smooth(np.float32((share - _SHUT) / (_OPEN - _SHUT))))
            if shut > 0:
                total += closing @ ((there[lower] - there[upper]) * np.float32(shut))
        return total

    def _learn(self, points: NDArray[np.float32], placed: MeshFit, track_id: int) -> NDArray[np.float32]:
        """What is known of the wearer's proportions, this frame included."""
        wearer = self._wearers.get(track_id)
        if wearer is None:
            while len(self._wearers) >= _WEARERS_KEPT:
                self._wearers.popitem(last=False)
            nothing = np.zeros((POINT_COUNT, 1), np.float32)
            wearer = _Wearer(np.zeros((POINT_COUNT, 3), np.float32), nothing, CANONICAL)
            self._wearers[track_id] = wearer
        self._wearers.move_to_end(track_id)
        wearer.frames += 1
        if wearer.frames > _LEARN_EACH and wearer.frames % _LEARN_NTH:
            return wearer.known
        stride = _LEARN_NTH if wearer.frames > _LEARN_EACH else 1
        shape = placed.to_front(points)
        weight = _worth(shape, placed) * np.float32(stride)
        wearer.total *= np.float32(1 - stride / _MEMORY)
        wearer.weight *= np.float32(1 - stride / _MEMORY)
        wearer.total += shape * weight
        wearer.weight += weight
        known = (CANONICAL * np.float32(_PRIOR) + wearer.total) / (wearer.weight + np.float32(_PRIOR))
        wearer.known = _even(_closed(known))
        return wearer.known


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
