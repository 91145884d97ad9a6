"""How calm a face looks: what of a picture is a grimace is not drawn onto another's speech."""

import numpy as np
from numpy.typing import NDArray

from models.mesh_fit import fit_mesh
from models.topology import BROWS, LIPS_INNER, LIPS_OUTER, MIRROR

__all__ = ["calmness"]

_MOVED = np.array(sorted({*LIPS_INNER, *LIPS_OUTER, *(point for brow in BROWS for point in brow)}), np.intp)
_LIPS_MIDDLE = (13, 14)
"""Of the inner lips: the upper, the lower."""
_MIRRORED = np.array([-1, 1, 1], np.float32)
_HALF = 0.2
"""Strain at which a face is half as calm: a closed mouth has 0.02 to 0.08, a laugh 0.16, a gape 0.25."""


def calmness(points: NDArray[np.float32]) -> float:
    """In (0, 1], from (468, 3) landmarks: 1 with closed lips and both sides alike, 0.4 for a gaping mouth.

    An even frown passes for calm.
    """
    fit = fit_mesh(points)
    if not fit.size_px > 0:
        return 1e-3
    middle = points[list(_LIPS_MIDDLE)].mean(axis=0)
    shape = (points - middle) @ fit.rotation.astype(np.float32) / np.float32(fit.size_px)
    gap = float(shape[_LIPS_MIDDLE[1], 1] - shape[_LIPS_MIDDLE[0], 1])
    apart = shape[_MOVED] - shape[MIRROR[_MOVED]] * _MIRRORED
    apart -= apart.mean(axis=0)
    strain = max(gap, 0.0) + float(np.sqrt((apart**2).sum(axis=1).mean()))
    return 1 / (1 + (strain / _HALF) ** 2)
