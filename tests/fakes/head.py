"""The canonical head, held in any pose before a camera without perspective, with a skin of known colours."""

import cv2
import numpy as np
from numpy.typing import NDArray

from models.rasterise import MeshRasteriser
from models.source_face import SourceFace
from models.topology import CANONICAL, LIDS, TRIANGLES, UV
from models.uv_mask import face_alpha

__all__ = ["SKIN_BGR", "painted", "picture_of", "posed", "skin_texture"]

SKIN_BGR = (140, 165, 215)


def posed(
    centre: tuple[float, float] = (160, 160),
    eyes_px: float = 90,
    yaw: float = 0.0,
    pitch: float = 0.0,
    roll: float = 0.0,
    shape: NDArray[np.float32] = CANONICAL,
) -> NDArray[np.float32]:
    """(468, 3) landmarks; angles in degrees, `eyes_px` between the outer eye corners seen from the front.

    `shape`: (468, 3), the head's proportions in the units of `topology.CANONICAL`.
    """
    a, b, c = np.radians([yaw, pitch, roll])
    turn = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    nod = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    tilt = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    points = (shape - [0, 0.3, 0.2]) @ (tilt @ nod @ turn).T * eyes_px
    points[:, :2] += centre
    return points.astype(np.float32)


def painted(texture: NDArray[np.uint8], kind: str = "picture") -> SourceFace:
    """A source of the texture, with the usual coverage."""
    return SourceFace("test", texture, face_alpha(texture.shape[0], True, True), kind)  # type: ignore[arg-type]


def skin_texture(side: int = 512, colour: tuple[int, int, int] = SKIN_BGR) -> NDArray[np.uint8]:
    """Skin with brows, a mouth and freckles where the mesh has them."""
    texture = np.full((side, side, 3), colour, np.uint8)
    rng = np.random.default_rng(3)
    for u, v in rng.uniform(0.15, 0.85, (150, 2)) * side:
        cv2.circle(texture, (int(u), int(v)), side // 128, tuple(int(x * 0.85) for x in colour), -1)
    for ring in (
        (70, 63, 105, 66, 107, 55, 65, 52, 53, 46),
        (336, 296, 334, 293, 300, 276, 283, 282, 295, 285),
    ):
        cv2.fillPoly(texture, [np.round(UV[list(ring)] * side).astype(np.int32)], (30, 40, 50))
    lips = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146)
    cv2.fillPoly(texture, [np.round(UV[list(lips)] * side).astype(np.int32)], (90, 90, 190))
    return texture


def picture_of(
    texture: NDArray[np.uint8],
    points: NDArray[np.float32],
    size: tuple[int, int] = (320, 320),
    ground: tuple[int, int, int] = (90, 80, 70),
) -> NDArray[np.uint8]:
    """(h, w, 3): the head with that texture, eyes and mouth closed by it, before a plain ground."""
    values = np.ones((len(UV), 3), np.float32)
    values[:, :2] = UV
    closed = MeshRasteriser(np.concatenate([TRIANGLES, LIDS]))
    u, v, cover = cv2.split(closed.draw(points, values, size, max(size)))
    side = texture.shape[0]
    drawn = cv2.remap(texture, u * side - 0.5, v * side - 0.5, cv2.INTER_LINEAR)
    drawn[cover < 0.5] = ground
    return drawn
