"""Upright boxes round faces, in pixels of the source frame."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["Box", "box_of", "covered_share", "iou", "side_of"]

Box = tuple[float, float, float, float]
"""x0, y0, x1, y1 in pixels of the source frame."""


def box_of(points: NDArray[np.float32]) -> Box:
    """The box round (N, 2) or (N, 3) points."""
    low, high = points.min(axis=0), points.max(axis=0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def side_of(box: Box) -> float:
    """The longer side."""
    return max(box[2] - box[0], box[3] - box[1])


def iou(a: Box, b: Box) -> float:
    """Intersection over union."""
    both = _shared(a, b)
    either = _area(a) + _area(b) - both
    return both / either if both > 0 and either > 0 else 0.0


def covered_share(box: Box, by: Box) -> float:
    """The part of `box` that lies inside `by`, 0 to 1."""
    area = _area(box)
    return _shared(box, by) / area if area > 0 else 0.0


def _area(box: Box) -> float:
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def _shared(a: Box, b: Box) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    return width * height if width > 0 and height > 0 else 0.0
