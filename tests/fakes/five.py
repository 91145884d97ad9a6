"""Landmarks made of the five points that templates go by."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.geometry import template
from models.landmarker import LEFT_EYE_CORNERS, MOUTH_CORNERS, NOSE_TIP, RIGHT_EYE_CORNERS

__all__ = ["landmarks_at", "upright"]


def upright(size: int, *, centre: tuple[float, float] = (0.5, 0.5), zoom: float = 1.0) -> NDArray[np.float64]:
    """(5, 2) in pixels of a square picture of `size`: a level face, at zoom 1 as FFHQ has it."""
    return ((template("ffhq_512", 1) - 0.5) * zoom + np.array(centre)) * size


def landmarks_at(five: ArrayLike) -> NDArray[np.float32]:
    """(468, 3) whose `landmarker.five_points` are these; the rest lie at the nose."""
    left, right, nose, mouth_left, mouth_right = np.asarray(five, np.float32)
    points = np.zeros((468, 3), np.float32)
    points[:, :2] = nose
    points[list(LEFT_EYE_CORNERS), :2] = left
    points[list(RIGHT_EYE_CORNERS), :2] = right
    points[NOSE_TIP, :2] = nose
    points[MOUTH_CORNERS[0], :2], points[MOUTH_CORNERS[1], :2] = mouth_left, mouth_right
    return points
