"""Plane geometry of faces: similarities, their inverses, and the templates that networks were trained on.

A matrix is (2, 3) float64 and maps a column (x, y, 1) to (x', y'). Coordinates are those of OpenCV: whole
numbers are the centres of pixels, x grows to the right and y downwards, so an angle grows clockwise as seen.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "TEMPLATES",
    "Matrix",
    "affine_fit",
    "apply",
    "compose",
    "crop_matrix",
    "invert",
    "similarity_fit",
    "template",
]

Matrix = NDArray[np.float64]


def similarity_fit(source: ArrayLike, target: ArrayLike) -> Matrix:
    """The rotation, scale and shift, without reflection, that bring `source` nearest to `target`.

    Both are (N, 2) with N >= 2. The least-squares solution of S. Umeyama, "Least-squares estimation of
    transformation parameters between two point patterns", IEEE TPAMI 13(4), 1991; in the plane it needs no
    singular values. Raises ValueError when the source points all coincide.
    """
    source_points, target_points = _points(source), _points(target)
    source_mean, target_mean = source_points.mean(axis=0), target_points.mean(axis=0)
    from_mean, to_mean = source_points - source_mean, target_points - target_mean
    spread = float((from_mean**2).sum())
    if not spread > 0:
        raise ValueError("a similarity needs two source points that differ")
    cosine = float((from_mean * to_mean).sum()) / spread
    sine = float((from_mean[:, 0] * to_mean[:, 1] - from_mean[:, 1] * to_mean[:, 0]).sum()) / spread
    linear = np.array([[cosine, -sine], [sine, cosine]])
    return _matrix(linear, target_mean - linear @ source_mean)


def affine_fit(source: ArrayLike, target: ArrayLike) -> Matrix:
    """The affine map that brings `source` nearest to `target`, by the normal equations of least squares.

    Both are (N, 2) with N >= 3. Raises ValueError when the source points lie on a line.
    """
    source_points, target_points = _points(source), _points(target)
    source_mean, target_mean = source_points.mean(axis=0), target_points.mean(axis=0)
    from_mean, to_mean = source_points - source_mean, target_points - target_mean
    spread = from_mean.T @ from_mean
    if not np.linalg.det(spread) > 1e-9 * np.trace(spread) ** 2:
        raise ValueError("an affine map needs source points that do not lie on a line")
    linear = np.linalg.solve(spread, from_mean.T @ to_mean).T
    return _matrix(linear, target_mean - linear @ source_mean)


def invert(matrix: ArrayLike) -> Matrix:
    """The affine map that undoes `matrix`. Raises numpy.linalg.LinAlgError when there is none."""
    (a, b, x), (c, d, y) = np.asarray(matrix, dtype=np.float64).tolist()
    # By hand: numpy's general inverse takes five times as long, and this is done ten times a frame.
    area = a * d - b * c
    if not area:
        raise np.linalg.LinAlgError("Singular matrix")
    a, b, c, d = d / area, -b / area, -c / area, a / area
    return np.array([[a, b, -a * x - b * y], [c, d, -c * x - d * y]])


def compose(outer: ArrayLike, inner: ArrayLike) -> Matrix:
    """The map that does `inner` first and `outer` after it."""
    last, first = np.asarray(outer, dtype=np.float64), np.asarray(inner, dtype=np.float64)
    return _matrix(last[:, :2] @ first[:, :2], last[:, :2] @ first[:, 2] + last[:, 2])


def apply(matrix: ArrayLike, points: ArrayLike) -> NDArray[np.float64]:
    """The (N, 2) `points` mapped by `matrix`."""
    affine = np.asarray(matrix, dtype=np.float64)
    return _points(points) @ affine[:, :2].T + affine[:, 2]


def crop_matrix(centre: tuple[float, float], side: float, angle: float, size: int) -> Matrix:
    """From the source frame to a square crop of `size` pixels.

    The crop is the square round `centre`, `side` source pixels long, whose horizontal axis points at `angle`
    radians: what is tilted by `angle` in the frame is level in the crop.
    """
    scale = size / side
    cosine, sine = scale * np.cos(angle), scale * np.sin(angle)
    linear = np.array([[cosine, sine], [-sine, cosine]])
    return _matrix(linear, size / 2 - linear @ np.asarray(centre, dtype=np.float64))


def template(name: str, size: int) -> NDArray[np.float64]:
    """The (5, 2) points of a warp template, in pixels of a square crop of `size`.

    The order is that of `TEMPLATES`. Raises KeyError for an unknown name.
    """
    return TEMPLATES[name] * size


def _points(points: ArrayLike) -> NDArray[np.float64]:
    array = np.asarray(points, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] != 2:
        raise ValueError(f"points must have the shape (N, 2), not {array.shape}")
    return array


def _matrix(linear: NDArray[Any], shift: NDArray[Any]) -> Matrix:
    matrix = np.empty((2, 3))
    matrix[:, :2], matrix[:, 2] = linear, shift
    return matrix


def _template(*points: tuple[float, float]) -> NDArray[np.float64]:
    array = np.array(points)
    array.setflags(write=False)
    return array


TEMPLATES: Mapping[str, NDArray[np.float64]] = MappingProxyType(
    {
        "arcface_112_v1": _template(
            (0.35473214, 0.45658929),
            (0.64526786, 0.45658929),
            (0.50000000, 0.61154464),
            (0.37913393, 0.77687500),
            (0.62086607, 0.77687500),
        ),
        "arcface_112_v2": _template(
            (0.34191607, 0.46157411),
            (0.65653393, 0.45983393),
            (0.50022500, 0.64050536),
            (0.37097589, 0.82469196),
            (0.63151696, 0.82325089),
        ),
        "arcface_128": _template(
            (0.36167656, 0.40387734),
            (0.63696719, 0.40235469),
            (0.50019687, 0.56044219),
            (0.38710391, 0.72160547),
            (0.61507734, 0.72034453),
        ),
        "dfl_whole_face": _template(
            (0.35342266, 0.39285716),
            (0.62797622, 0.39285716),
            (0.48660713, 0.54017860),
            (0.38839287, 0.68750011),
            (0.59821427, 0.68750011),
        ),
        "ffhq_512": _template(
            (0.37691676, 0.46864664),
            (0.62285697, 0.46912813),
            (0.50123859, 0.61331904),
            (0.39308822, 0.72541100),
            (0.61150205, 0.72490465),
        ),
        "mtcnn_512": _template(
            (0.36562865, 0.46733799),
            (0.63305391, 0.46585885),
            (0.50019127, 0.61942959),
            (0.39032951, 0.77598822),
            (0.61178945, 0.77476328),
        ),
        "styleganex_384": _template(
            (0.42353745, 0.52289879),
            (0.57725008, 0.52319972),
            (0.50123859, 0.61331904),
            (0.43364461, 0.68337652),
            (0.57015325, 0.68306005),
        ),
    }
)
"""Where five points of a level face lie in a network's crop, in fractions of its side: the eye on the left
of the picture, the eye on its right, the tip of the nose, the mouth's corner on the left, that on the right.

The figures are facts of the published networks: arcface from InsightFace's alignment, ffhq from the FFHQ data
set's, the rest from the programs that trained with them."""
