"""A frame with faces of a known size and known landmarks: the built-in portrait, once or side by side."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.geometry import apply, compose, similarity_fit
from models.landmarker import five_points
from models.topology import CANONICAL, OVAL
from realtime.capture.portrait import CENTRE_CM, FRAME_CM, draw_portrait
from realtime.capture.portrait_head import EYE, MOUTH_Y

__all__ = ["Scene", "drawn_scene", "scene_of"]

_PLATE_PX = (1104, 912)
"""Size at which the portrait is drawn: 24 pixels per centimetre."""
_NOSE_CM, _MOUTH_CORNER_CM = (0.0, 1.75), 2.7
"""Of the drawn head, as `portrait_head` has them."""
_SWAY = 0.12
"""How far each face is tilted, in radians, to one side or the other."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One frame."""

    bgr: NDArray[np.uint8]
    """(H, W, 3)."""
    faces: tuple[NDArray[np.float32], ...]
    """(468, 3) landmarks each, pixels of the frame."""


def drawn_scene(width: int, height: int, face_px: float, count: int) -> Scene:
    """`count` faces in a row, each `face_px` pixels wide between its outermost landmarks."""
    plate = draw_portrait(_PLATE_PX)
    scale = min(_PLATE_PX[0] / FRAME_CM[0], _PLATE_PX[1] / FRAME_CM[1])
    origin = np.array(CENTRE_CM) - np.array(_PLATE_PX) / (2 * scale)
    five_cm = [(-EYE[0], EYE[1]), EYE, _NOSE_CM, (-_MOUTH_CORNER_CM, MOUTH_Y), (_MOUTH_CORNER_CM, MOUTH_Y)]
    five = (np.array(five_cm) - origin) * scale - 0.5
    points = np.zeros((len(CANONICAL), 3), np.float32)
    points[:, :2] = apply(similarity_fit(five_points(CANONICAL), five), CANONICAL[:, :2])
    return _laid_out(plate, points, width, height, face_px, count)


def scene_of(
    picture: NDArray[np.uint8], points: NDArray[np.float32], scene: tuple[int, int, float, int]
) -> Scene:
    """The same of a picture of one face, (H, W, 3) uint8, and its (468, 3) landmarks.

    `scene`: width, height, face_px and count, as for `drawn_scene`.
    """
    return _laid_out(picture, points, *scene)


def _laid_out(
    picture: NDArray[np.uint8],
    points: NDArray[np.float32],
    width: int,
    height: int,
    face_px: float,
    count: int,
) -> Scene:
    bgr = np.empty((height, width, 3), np.uint8)
    faces = []
    factor = face_px / float(np.ptp(points[:, 0]))
    middle = (points[OVAL, :2].min(axis=0) + points[OVAL, :2].max(axis=0)) / 2
    edges = np.linspace(0, width, count + 1).round().astype(int)
    for number in range(count):
        left, right = edges[number], edges[number + 1]
        angle = _SWAY if number % 2 == 0 else -_SWAY
        linear = factor * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        at = np.array([(left + right) / 2, height / 2])
        matrix = np.column_stack([linear, at - linear @ middle])
        tile = bgr[:, left:right]
        to_tile = compose(np.array([[1.0, 0.0, -left], [0.0, 1.0, 0.0]]), matrix)
        tile[:] = cv2.warpAffine(picture, to_tile, (right - left, height), borderMode=cv2.BORDER_REPLICATE)
        moved = np.zeros_like(points)
        moved[:, :2] = apply(matrix, points[:, :2])
        moved[:, 2] = points[:, 2] * factor
        faces.append(moved)
    return Scene(bgr, tuple(faces))
