"""The hull mask: the face's outline, whole, in the square of a swapper's crop."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.landmarker import five_points
from models.masks.edges import OUTSIDE, soften
from models.scratch import Scratch
from models.topology import OVAL

__all__ = ["draw_hull", "outline"]

_SHIFT = 4
"""Binary digits after the point of a vertex that is drawn."""
_RIM_PX = 3
"""Width of the line that is drawn along the outline, half of it outside."""
_FAR = 8.0
"""What lies farther outside than so many sides of the picture is drawn there."""


def outline(points: NDArray[np.floating[Any]], forehead: float, unit: float) -> NDArray[np.float32]:
    """(N, 2) float32: the convex outline of all landmarks, with the forehead raised.

    `points`: (468, 2); all of them, for the nose of a face seen from the side lies beyond the mesh's oval.
    `forehead`: how far the top of the oval goes up the face, in eye distances of `unit` pixels; at the height
    of the eyes it stays.
    """
    flat = np.ascontiguousarray(points[:, :2], np.float32)
    if forehead > 0:
        left, right, _, mouth_left, mouth_right = five_points(flat)
        middle = (left + right) / 2
        up = middle - (mouth_left + mouth_right) / 2
        length = float(np.hypot(*up))
        if length > 0:
            oval = flat[OVAL]
            height = (oval - middle) @ (up / length)
            share = (height / max(float(height.max()), 1e-6)).clip(0, 1)
            raised = oval + share[:, None] * (up / length * np.float32(forehead * unit))
            flat = np.concatenate([flat, raised])
    return np.asarray(cv2.convexHull(flat).reshape(-1, 2), np.float32)


def draw_hull(hull: NDArray[np.float32], reach_px: float, out: NDArray[np.uint8], scratch: Scratch) -> None:
    """Write 255 inside the convex `hull`, (N, 2) in pixels of `out`, 0 beyond `reach_px` outside it.

    The edge lies outside: no part of the face shows through it.
    """
    out.fill(0)
    far = _FAR * max(out.shape)
    vertices = np.rint(hull.clip(-far, far) * (1 << _SHIFT)).astype(np.int32)
    cv2.fillConvexPoly(out, vertices, 255, lineType=cv2.LINE_8, shift=_SHIFT)
    soften(out, reach_px, OUTSIDE, scratch)
    # A sharp chin has less face about it than a straight outline has; and a landmark on the outline is half a
    # pixel outside where the mask is enlarged.
    cv2.fillConvexPoly(out, vertices, 255, lineType=cv2.LINE_8, shift=_SHIFT)
    cv2.polylines(out, [vertices], True, 255, _RIM_PX, lineType=cv2.LINE_8, shift=_SHIFT)
