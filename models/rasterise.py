"""Draws the face mesh: for each pixel of a rectangle, which point of the texture plane shows there.

OpenCV's rasteriser gives hidden surfaces by depth and drops triangles that look away. It knows only a
perspective camera; one far away, with each point moved so that it falls on its own pixel, sees the mesh as
we have it. Measured for a 300 x 300 rectangle on two cores: 1.0 ms, at half the resolution and scaled up 0.4 ms.
The texture coordinates are linear inside a triangle, so little is lost by scaling; large faces are drawn so.
"""

from dataclasses import dataclass
from math import pi, tan

import cv2
import numpy as np
from numpy.typing import NDArray

from models.topology import POINT_COUNT, TRIANGLES

__all__ = ["Drawn", "MeshRasteriser"]

FINEST_SIDE_PX = 288
"""The longer side at which the mesh is drawn at most; larger rectangles are scaled up from it."""
_FIELD_OF_VIEW = pi / 4
_CAMERA_PER_SIDE = 16.0
"""Distance of the camera in sides of the rectangle: perspective then bends texture by under 0.1 texel."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """The maps of one drawing. The arrays belong to the rasteriser and are overwritten by its next call."""

    across: NDArray[np.float32]
    """(h, w): first coordinate, 0 to 1 over the plane, where `cover` is above 0; undefined elsewhere."""
    down: NDArray[np.float32]
    """(h, w): second coordinate."""
    cover: NDArray[np.float32]
    """(h, w): 1 on the mesh, 0 beside it and in its holes, between them on a scaled edge."""


class MeshRasteriser:
    """Draws one mesh after the other with the same attributes at the points."""

    def __init__(self, attributes: NDArray[np.float32]) -> None:
        """`attributes`: (468, 2) float32 in [0, 1], what is interpolated over the triangles."""
        colours = np.ones((POINT_COUNT, 3), np.float32)
        colours[:, :2] = attributes
        self._colours = colours
        self._vertices = np.empty((POINT_COUNT, 3), np.float32)
        self._view = np.eye(4, dtype=np.float32)
        self._settings = cv2.TriangleRasterizeSettings()
        self._settings.setCullingMode(cv2.RASTERIZE_CULLING_CCW)
        self._settings.setShadingType(cv2.RASTERIZE_SHADING_SHADED)
        self._picture = np.empty((0, 0, 3), np.float32)
        self._depth = np.empty((0, 0), np.float32)

    def draw(
        self, points: NDArray[np.float32], width: int, height: int, finest_px: int = FINEST_SIDE_PX
    ) -> Drawn:
        """Draw the mesh with its points at `points`: (468, 3), pixels of the rectangle, z away from us.

        `finest_px`: the longer side above which it is drawn smaller and scaled up.
        """
        scale = min(1.0, finest_px / max(width, height))
        small_width, small_height = max(1, round(width * scale)), max(1, round(height * scale))
        self._draw(points, small_width / width, small_height / height, small_width, small_height)
        planes = cv2.split(self._picture)
        if (small_width, small_height) != (width, height):
            planes = [cv2.resize(plane, (width, height), interpolation=cv2.INTER_LINEAR) for plane in planes]
        across, down, cover = (plane.astype(np.float32, copy=False) for plane in planes)
        return Drawn(across, down, cover)

    def _draw(self, points: NDArray[np.float32], scale_x: float, scale_y: float, width: int, height: int) -> None:
        if self._depth.shape != (height, width):
            self._picture = np.empty((height, width, 3), np.float32)
            self._depth = np.empty((height, width), np.float32)
        distance = _CAMERA_PER_SIDE * max(width, height)
        far = 2 * distance
        depth = np.clip(points[:, 2] * np.float32(scale_x), -distance / 2, distance / 2) + np.float32(distance)
        focal = np.float32(height / 2 / tan(_FIELD_OF_VIEW / 2))
        # The rasteriser samples at pixel centres, half a pixel off the coordinates of landmarks.
        across = (points[:, 0] + np.float32(0.5)) * np.float32(scale_x) - np.float32(width / 2)
        down = (points[:, 1] + np.float32(0.5)) * np.float32(scale_y) - np.float32(height / 2)
        self._vertices[:, 0] = across * depth / focal
        self._vertices[:, 1] = -down * depth / focal
        self._vertices[:, 2] = -depth
        self._picture.fill(0)
        self._depth.fill(far)
        cv2.triangleRasterize(
            self._vertices,
            TRIANGLES,
            self._colours,
            self._picture,
            self._depth,
            self._view,
            _FIELD_OF_VIEW,
            distance / 4,
            far,
            self._settings,
        )
