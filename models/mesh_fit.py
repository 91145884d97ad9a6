"""The canonical face laid on a tracked mesh: how the head stands, how large it is, how well it fits."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.topology import BROWS, CANONICAL, LEFT_EYE, LIPS_OUTER, RIGHT_EYE

__all__ = ["STEADY", "MeshFit", "fit_mesh", "steady_shape"]


@dataclass(frozen=True, slots=True)
class MeshFit:
    """points ~ size_px * rotation @ canonical + shift."""

    rotation: NDArray[np.float64]
    """(3, 3), proper: from the canonical face's axes to the picture's (x right, y down, z away)."""
    size_px: float
    """Pixels of one unit of the canonical face: the distance of the outer eye corners seen from the front."""
    shift: NDArray[np.float64]
    """(3,), pixels."""
    residual: float
    """Root mean square distance of all points from where the fit puts them, in that unit. On 3232 faces of
    clips 0.02 to 0.11: an open mouth is most of it. A mesh drawn where there is no face is a plausible face,
    too, 0.04 to 0.12, so a small residual does not prove one; a large one proves that there is none."""

    def to_front(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """(N, 3) float32: points of the picture in the canonical face's place, size and attitude."""
        turned: NDArray[np.float32] = (points - self.shift.astype(np.float32)) @ (
            self.rotation / max(self.size_px, 1e-6)
        ).astype(np.float32)
        return turned

    def to_picture(self, offsets: NDArray[np.float32]) -> NDArray[np.float32]:
        """(N, 3) float32, pixels: offsets on the canonical face as they look in the picture."""
        turned: NDArray[np.float32] = offsets @ (self.rotation.T * self.size_px).astype(np.float32)
        return turned


def _steady() -> NDArray[np.intp]:
    """The points that neither speech nor blinks move: above the upper lip, without lids and brows."""
    above = CANONICAL[:, 1] < CANONICAL[LIPS_OUTER, 1].min() - 0.02
    above[np.concatenate([RIGHT_EYE, LEFT_EYE, *BROWS])] = False
    return np.flatnonzero(above)


STEADY = _steady()
"""Indices of the points that neither speech nor blinks move."""
_MODEL_MEAN = CANONICAL[STEADY].mean(axis=0, dtype=np.float64)
_MODEL = (CANONICAL[STEADY] - _MODEL_MEAN).astype(np.float32)
_MODEL_SPREAD = float((_MODEL**2).sum())


def fit_mesh(points: NDArray[np.float32], with_residual: bool = True) -> MeshFit:
    """The rotation and scale that bring the canonical face nearest to (468, 3) `points`, z like x and y.

    Least squares over the points that speech does not move (Umeyama 1991, as `geometry.similarity_fit`, in
    space). Points that all coincide, or are no numbers, give size 0 and an infinite residual. Without
    `with_residual` the residual is 0: each frame does without it.
    """
    if not np.isfinite(points).all():
        return MeshFit(np.eye(3), 0.0, np.zeros(3), float("inf"))
    steady = points[STEADY]
    mean = steady.mean(axis=0, dtype=np.float64)
    covariance = ((steady - mean.astype(np.float32)).T @ _MODEL).astype(np.float64)
    if not covariance.any():
        return MeshFit(np.eye(3), 0.0, np.zeros(3), float("inf"))
    left, spread, right = np.linalg.svd(covariance)
    if np.linalg.det(left) * np.linalg.det(right) < 0:
        left[:, 2] *= -1
        spread[2] *= -1
    rotation = left @ right
    size_px = float(spread.sum()) / _MODEL_SPREAD
    if not size_px > 0:
        return MeshFit(rotation, 0.0, mean, float("inf"))
    shift = mean - size_px * (rotation @ _MODEL_MEAN)
    if not with_residual:
        return MeshFit(rotation, size_px, shift, 0.0)
    fitted = (CANONICAL - _MODEL_MEAN) @ (rotation.T * size_px)
    apart = points - mean - fitted
    return MeshFit(rotation, size_px, shift, float(np.sqrt((apart**2).sum(axis=1).mean())) / size_px)


def steady_shape(points: NDArray[np.float32], fit: MeshFit) -> NDArray[np.float32]:
    """(N, 3): the points that speech does not move, turned to the front and scaled as the canonical face.

    What is left is the person's own shape, and some noise. `fit`: of the same points.
    """
    steady = points[STEADY]
    to_front = (fit.rotation / max(fit.size_px, 1e-6)).astype(np.float32)
    turned: NDArray[np.float32] = (steady - steady.mean(axis=0)) @ to_front
    return turned
