"""Which way each point of the mesh faces."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.topology import CANONICAL, POINT_COUNT, TRIANGLES

__all__ = ["facing", "facing_when_turned", "normals"]

_ORDER = np.argsort(TRIANGLES.T.ravel(), kind="stable")
_TRIANGLE_OF_CORNER = _ORDER % len(TRIANGLES)
_FIRST_CORNER = np.searchsorted(TRIANGLES.T.ravel()[_ORDER], np.arange(POINT_COUNT))


def normals(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """(468, 3) float32 of length 1: which way each point faces; z towards the viewer is positive.

    `points`: (468, 3), pixels, z away from the viewer. A normal is the mean of the adjacent triangles',
    weighted by their areas.
    """
    a, b, c = points[TRIANGLES[:, 0]], points[TRIANGLES[:, 1]], points[TRIANGLES[:, 2]]
    e, f = b - a, c - a
    across = np.empty((len(TRIANGLES), 3), np.float32)
    across[:, 0] = e[:, 1] * f[:, 2] - e[:, 2] * f[:, 1]
    across[:, 1] = e[:, 2] * f[:, 0] - e[:, 0] * f[:, 2]
    across[:, 2] = e[:, 0] * f[:, 1] - e[:, 1] * f[:, 0]
    summed = np.add.reduceat(across[_TRIANGLE_OF_CORNER], _FIRST_CORNER, axis=0)
    length = np.sqrt(np.einsum("ij,ij->i", summed, summed))
    unit: NDArray[np.float32] = summed / np.maximum(length, np.float32(1e-9))[:, None]
    return unit


def facing(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """(468,) float32 in [-1, 1]: the cosine between each point's normal and the way to the viewer."""
    return normals(points)[:, 2]


def facing_when_turned(rotation: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """The same of the canonical face turned by `rotation`, (3, 3): calm in every expression, and quick."""
    cosine: NDArray[np.float32] = _CANONICAL_NORMALS @ rotation[2].astype(np.float32)
    return cosine


_CANONICAL_NORMALS = normals(CANONICAL)
