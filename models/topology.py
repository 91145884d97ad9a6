"""The 468-point face mesh: its canonical face, its texture plane, its triangles and its named rings.

The points are those of MediaPipe's Face Mesh (Kartynnik et al. 2019); left and right are the person's own.
The tables beside this module are made by `models/train/face_mesh.py`, which says how.
"""

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "BROWS",
    "CANONICAL",
    "HOLES",
    "LEFT_BROW",
    "LEFT_EYE",
    "LEFT_EYE_OUTER",
    "LIDS",
    "LIPS_INNER",
    "LIPS_OUTER",
    "MIRROR",
    "NOSE_TIP",
    "OVAL",
    "POINT_COUNT",
    "RIGHT_BROW",
    "RIGHT_EYE",
    "RIGHT_EYE_OUTER",
    "SOCKETS",
    "TRIANGLES",
    "UV",
]

POINT_COUNT: Final = 468


def _table(name: str) -> NDArray[np.float64]:
    return np.loadtxt(Path(__file__).with_name(name), delimiter=",", skiprows=1)


def _ring(*indices: int) -> NDArray[np.int32]:
    values = np.array(indices, np.int32)
    values.setflags(write=False)
    return values


_POINTS = _table("face_mesh.csv")

CANONICAL: Final = _POINTS[:, :3].astype(np.float32)
"""(468, 3) f32: a symmetric mean face. x to the right of the picture, y down, z away from the viewer; the
origin lies midway between the outer eye corners, whose distance is 1."""

UV: Final = _POINTS[:, 3:5].astype(np.float32)
"""(468, 2) f32 in (0, 1): where each point lies on the texture plane; u to the right, v down, one scale for
both, u mirrored about 0.5. The oval fills the plane's width but for a margin of 4 %."""

MIRROR: Final = _POINTS[:, 5].astype(np.int32)
"""(468,) i32: the point on the other side of the face; a point on the middle line names itself."""

TRIANGLES: Final = _table("face_mesh_triangles.csv").astype(np.int32)
"""(N, 3) i32: triangles of points, clockwise on the screen when their outer side faces the viewer. They fill
the oval but for the eyes and the inner mouth. The second half is the mirror image of the first."""

OVAL: Final = _ring(
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)
"""(36,) i32: the face's outline, clockwise on the screen from the top of the forehead."""

LIPS_OUTER: Final = _ring(
    61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146
)
"""(20,) i32: the outer edge of the lips, clockwise from the right corner of the mouth."""

LIPS_INNER: Final = _ring(
    78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95
)
"""(20,) i32: the inner edge of the lips, clockwise from the right corner of the mouth."""

RIGHT_EYE: Final = _ring(33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7)
"""(16,) i32: the lids of the right eye (left in the picture), clockwise from the outer corner."""

LEFT_EYE: Final = _ring(263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466)
"""(16,) i32: the lids of the left eye (right in the picture), clockwise from the outer corner."""

SOCKETS: Final = (
    _ring(247, 30, 29, 27, 28, 56, 190, 243, 112, 26, 22, 23, 24, 110, 25, 130),
    _ring(467, 260, 259, 257, 258, 286, 414, 463, 341, 256, 252, 253, 254, 339, 255, 359),
)
"""(16,) i32 each: the rings round the lids of the right and the left eye, from the outer corner upwards."""

RIGHT_BROW: Final = _ring(70, 63, 105, 66, 107, 55, 65, 52, 53, 46)
"""(10,) i32: the right brow, clockwise from its outer end."""

LEFT_BROW: Final = _ring(336, 296, 334, 293, 300, 276, 283, 282, 295, 285)
"""(10,) i32: the left brow, clockwise from its inner end."""

BROWS: Final = (RIGHT_BROW, LEFT_BROW)

HOLES: Final = (LIPS_INNER, RIGHT_EYE, LEFT_EYE)
"""The rings inside which there are no triangles. Each begins at a corner; points k and -k face each other."""


def _lid(ring: NDArray[np.int32]) -> NDArray[np.int32]:
    """Triangles over a hole, in strips between the points that face each other, clockwise on the screen."""
    half = len(ring) // 2
    upper, lower = ring[: half + 1], np.concatenate([ring[:1], ring[half:][::-1]])
    first = np.stack([upper[:-1], upper[1:], lower[1:]], axis=1)
    second = np.stack([upper[:-1], lower[1:], lower[:-1]], axis=1)
    strips = np.concatenate([first, second])
    return strips[[len(set(strip)) == 3 for strip in strips.tolist()]]


LIDS: Final = np.concatenate([_lid(ring) for ring in HOLES])
"""(M, 3) i32: triangles that close the eyes and the inner mouth, clockwise on the screen."""

RIGHT_EYE_OUTER: Final = 33
LEFT_EYE_OUTER: Final = 263
NOSE_TIP: Final = 1

for _values in (CANONICAL, UV, MIRROR, TRIANGLES, LIDS):
    _values.setflags(write=False)
