"""Moves what shows through the mesh, the wearer's own eyes and inner mouth, to where the drawn face has them.

Only the rectangles round the holes are made: elsewhere the drawn face covers what was there.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.rasterise import MeshRasteriser
from models.topology import HOLES, LIDS, POINT_COUNT, TRIANGLES

__all__ = ["Hole", "HoleMover"]

_FIELD_FINEST_PX = 64
"""The longer side at which the movement is drawn: it is smooth."""
_MARGIN = 0.25
"""Room round a hole, in its longer sides: the rim that is blended lies in it."""
_MARGIN_PX = 3
_LEAST_MOVE_PX = 0.3
"""Less than this is not seen."""


@dataclass(frozen=True, slots=True)
class Hole:
    """What shows through one hole, after it was moved."""

    x: int
    y: int
    """Where its rectangle begins, in pixels of the target."""
    bgr: NDArray[np.uint8]
    """(h, w, 3): the target's pixels, moved; they count inside the hole and at its rim."""


class HoleMover:
    """Belongs to one thread."""

    def __init__(self) -> None:
        self._rasteriser = MeshRasteriser(np.concatenate([TRIANGLES, LIDS]))
        self._values = np.full((POINT_COUNT, 3), 0.5, np.float32)

    def moved(
        self, target: NDArray[np.uint8], points: NDArray[np.float32], moves: NDArray[np.float32]
    ) -> list[Hole]:
        """The eyes and the inner mouth of `target`, moved by `moves`; none when they stay.

        `target`: (h, w, 3) uint8; `points`: (468, 3) float32, the face's landmarks in pixels of it; `moves`:
        (468, 3), pixels.
        """
        greatest = float(np.abs(moves[:, :2]).max())
        if greatest < _LEAST_MOVE_PX:
            return []
        height, width = target.shape[:2]
        np.multiply(moves[:, :2], np.float32(0.5 / greatest), out=self._values[:, :2])
        self._values[:, :2] += np.float32(0.5)
        there = points + moves
        drawn = self._rasteriser.draw(there, self._values, (width, height), _FIELD_FINEST_PX, (0.5, 0.5, 0.5))
        holes = []
        for ring in HOLES:
            x0, y0, x1, y1 = _rectangle(there[ring, :2], width, height)
            if x1 - x0 >= 2 and y1 - y0 >= 2:
                scale = drawn.shape[1] / width, drawn.shape[0] / height
                to_field = np.array([[scale[0], 0, 0], [0, scale[1], 0]])
                to_field[:, 2] = (x0 + 0.5) * scale[0] - 0.5, (y0 + 0.5) * scale[1] - 0.5
                holes.append(Hole(x0, y0, _cut(target, drawn, to_field, (x0, y0, x1, y1), greatest)))
        return holes


def _cut(
    target: NDArray[np.uint8],
    field: NDArray[np.float32],
    to_field: NDArray[np.float64],
    rectangle: tuple[int, int, int, int],
    greatest: float,
) -> NDArray[np.uint8]:
    x0, y0, x1, y1 = rectangle
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    moves = cv2.warpAffine(field, to_field, (x1 - x0, y1 - y0), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    from_x, from_y, _ = (np.asarray(plane, np.float32) for plane in cv2.split(moves))
    for plane in (from_x, from_y):
        plane *= np.float32(-2 * greatest)
    from_x += np.arange(x0, x1, dtype=np.float32) + np.float32(greatest)
    from_y += np.arange(y0, y1, dtype=np.float32)[:, None] + np.float32(greatest)
    cut = cv2.remap(target, from_x, from_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cut, np.uint8)


def _rectangle(ring: NDArray[np.float32], width: int, height: int) -> tuple[int, int, int, int]:
    low, high = ring.min(axis=0), ring.max(axis=0)
    room = float((high - low).max()) * _MARGIN + _MARGIN_PX
    x0, y0 = max(0, int(low[0] - room)), max(0, int(low[1] - room))
    return x0, y0, min(width, int(high[0] + room) + 1), min(height, int(high[1] + room) + 1)
