"""Which way each point of the mesh faces."""

import numpy as np
from numpy.typing import NDArray

from models.topology import POINT_COUNT, TRIANGLES

__all__ = ["facing"]

_ORDER = np.argsort(TRIANGLES.T.ravel(), kind="stable")
_TRIANGLE_OF_CORNER = _ORDER % len(TRIANGLES)
_FIRST_CORNER = np.searchsorted(TRIANGLES.T.ravel()[_ORDER], np.arange(POINT_COUNT))


def facing(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """(468,) float32 in [-1, 1]: the cosine between each point's normal and the way to the viewer.

    `points`: (468, 3), pixels, z away from the viewer. A normal is the mean of the adjacent triangles',
    weighted by their areas.
    """
    a, b, c = points[TRIANGLES[:, 0]], points[TRIANGLES[:, 1]], points[TRIANGLES[:, 2]]
    e, f = b - a, c - a
    normals = np.empty((len(TRIANGLES), 3), np.float32)
    normals[:, 0] = e[:, 1] * f[:, 2] - e[:, 2] * f[:, 1]
    normals[:, 1] = e[:, 2] * f[:, 0] - e[:, 0] * f[:, 2]
    normals[:, 2] = e[:, 0] * f[:, 1] - e[:, 1] * f[:, 0]
    summed = np.add.reduceat(normals[_TRIANGLE_OF_CORNER], _FIRST_CORNER, axis=0)
    length = np.sqrt(np.einsum("ij,ij->i", summed, summed))
    cosine: NDArray[np.float32] = summed[:, 2] / np.maximum(length, np.float32(1e-9))
    return cosine
