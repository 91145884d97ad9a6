"""The form of the face on the texture plane: how each texel of the canonical face is turned to the light."""

from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.topology import CANONICAL, OVAL, TRIANGLES, UV

__all__ = ["SIZE", "hollows", "light", "noise", "normals", "oval_mask", "shine"]

SIZE = 512
"""Texels along a side of the texture plane."""
COARSE = 128
"""Texels along a side while the form is worked out: the mesh has no more detail."""
SMOOTHING_TEXELS = 1.6
"""Takes the edges of the triangles out of the form, in coarse texels."""

Plane = NDArray[np.float32]


@cache
def normals() -> Plane:
    """Unit normals of the outer side, (SIZE, SIZE, 3) float32: x right, y down, z away from us.

    Outside the oval each texel is turned as the nearest one inside.
    """
    positions = _positions()
    normal = np.cross(np.gradient(positions, axis=0), np.gradient(positions, axis=1))
    normal = _carried_outside(_unit_length(normal))
    full = cv2.resize(normal.astype(np.float32), (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)
    return _unit_length(full).astype(np.float32)


@cache
def hollows() -> Plane:
    """How deep each texel lies below its surroundings, (SIZE, SIZE) float32: 1 deep, 0 level, -1 raised.

    Depth against its own mean over a wider neighbourhood; scaled so that 95 of 100 texels lie within -1 to 1.
    """
    depth = _carried_outside(_positions())[..., 2]
    relative = depth - cv2.GaussianBlur(depth, (0, 0), COARSE / 18, borderType=cv2.BORDER_REPLICATE)
    relative /= max(float(np.percentile(np.abs(relative[_inside() > 0]), 95)), 1e-9)
    full = cv2.resize(relative.astype(np.float32), (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)
    return np.asarray(full, np.float32)


def light(direction: tuple[float, float, float], wrap: float = 0.0, bumps: Plane | None = None) -> Plane:
    """Lambert's light from `direction` (x right, y down, z away from us), (SIZE, SIZE) float32, 0 to 1.

    `wrap` lets it reach round the edge, 0 to 1; `bumps` is a height to add to the form, in texels.
    """
    facing = _turned(bumps) @ _unit(direction)
    return np.asarray(np.clip((facing + wrap) / (1 + wrap), 0, 1), np.float32)


def shine(direction: tuple[float, float, float], sharpness: float, bumps: Plane | None = None) -> Plane:
    """Blinn's highlight of a light from `direction` seen from the front, (SIZE, SIZE) float32, 0 to 1."""
    x, y, z = _unit(direction)
    half = _unit((x, y, z - 1))
    return np.asarray(np.clip(_turned(bumps) @ half, 0, 1) ** np.float32(sharpness), np.float32)


def noise(seed: int, grain_texels: float) -> Plane:
    """Smooth random values of mean 0 and standard deviation 1, (SIZE, SIZE) float32."""
    rng = np.random.default_rng(seed)
    side = max(4, round(SIZE / grain_texels))
    coarse = rng.standard_normal((side, side), np.float32)
    plane = cv2.resize(coarse, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)
    return np.asarray((plane - plane.mean()) / plane.std(), np.float32)


@cache
def oval_mask() -> NDArray[np.uint8]:
    """The face's oval as coverage, (SIZE, SIZE) uint8."""
    mask = np.zeros((SIZE, SIZE), np.uint8)
    corners = np.rint((UV[OVAL] * SIZE - 0.5) * 16).astype(np.int32)
    cv2.fillPoly(mask, [corners], (255,), cv2.LINE_AA, 4)
    return mask


@cache
def _positions() -> NDArray[np.float64]:
    """The canonical face on the plane, (COARSE, COARSE, 3); each texel beside it as the nearest one on it."""
    index = np.full((COARSE, COARSE), -1, np.int32)
    texels = UV.astype(np.float64) * COARSE - 0.5
    for number, triangle in enumerate(TRIANGLES):
        cv2.fillConvexPoly(index, np.rint(texels[triangle] * 16).astype(np.int32), number, shift=4)
    filled = index >= 0
    corners = np.concatenate([texels[TRIANGLES], np.ones((len(TRIANGLES), 3, 1))], axis=2)
    affine = np.linalg.solve(corners, CANONICAL.astype(np.float64)[TRIANGLES])
    y, x = np.nonzero(filled)
    plane = np.zeros((COARSE, COARSE, 3))
    plane[y, x] = np.einsum("ni,nij->nj", np.stack([x, y, np.ones_like(x)], axis=1), affine[index[y, x]])

    plane = _nearest(plane, filled)
    return np.asarray(
        cv2.GaussianBlur(plane, (0, 0), SMOOTHING_TEXELS, borderType=cv2.BORDER_REPLICATE), np.float64
    )


def _inside() -> NDArray[np.uint8]:
    """Coarse texels well inside the oval, where the form is known on all sides: 1, others 0."""
    small = cv2.resize(oval_mask(), (COARSE, COARSE), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.erode((small > 250).astype(np.uint8), np.ones((7, 7), np.uint8)), np.uint8)


def _carried_outside(plane: NDArray[np.float64]) -> NDArray[np.float64]:
    """`plane`, (COARSE, COARSE, 3), with its values near the oval's edge continued to the border."""
    carried = _nearest(plane, _inside() > 0)
    return np.asarray(cv2.GaussianBlur(carried, (0, 0), 1.2, borderType=cv2.BORDER_REPLICATE), np.float64)


def _nearest(plane: NDArray[np.float64], known: NDArray[np.bool_]) -> NDArray[np.float64]:
    """`plane`, (H, W, 3), with each unknown texel taken from the nearest known one."""
    _, labels = cv2.distanceTransformWithLabels(
        (~known).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    values = np.zeros((int(labels.max()) + 1, plane.shape[2]))
    values[labels[known]] = plane[known]
    return np.asarray(values[labels], np.float64)


def _turned(bumps: Plane | None) -> Plane:
    """The normals with the slope of `bumps` added."""
    if bumps is None:
        return normals()
    bent = normals().copy()
    bent[..., 0] -= cv2.Sobel(bumps, cv2.CV_32F, 1, 0, scale=1 / 8)
    bent[..., 1] -= cv2.Sobel(bumps, cv2.CV_32F, 0, 1, scale=1 / 8)
    return _unit_length(bent).astype(np.float32)


def _unit_length(vectors: NDArray[Any]) -> NDArray[Any]:
    """Each of the (H, W, 3) vectors with the length 1."""
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=2, keepdims=True), 1e-9))


def _unit(direction: tuple[float, ...]) -> NDArray[np.float32]:
    vector = np.array(direction, np.float32)
    return np.asarray(vector / np.linalg.norm(vector), np.float32)
