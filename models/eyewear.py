"""Whether dark glasses hide the eyes of a face."""

import cv2
import numpy as np
from numpy.typing import NDArray

from models.geometry import crop_matrix
from models.landmarker import region_from_points
from models.topology import LEFT_EYE, RIGHT_EYE

__all__ = ["dark_glasses", "lens_darkness"]

_SIDE_PX = 192
_CHEEKS = (50, 101, 118, 205, 280, 330, 347, 425)
_LENS = 1.5
"""How much wider than the eye what a lens covers is looked at: the skin round the eye counts."""
_DARK = 0.69
"""Below this a lens lies over the eyes: 416 bare or bespectacled faces had 0.70 and more (all but one 0.76),
sunglasses that mirror the sky 0.53 to 0.77 by the size of the picture: what shines may pass."""


def dark_glasses(bgr: NDArray[np.uint8], points: NDArray[np.float32]) -> bool:
    """Whether both eyes of the face lie behind something dark. As `lens_darkness`."""
    return lens_darkness(bgr, points) < _DARK


def lens_darkness(bgr: NDArray[np.uint8], points: NDArray[np.float32]) -> float:
    """Light of the skin round the lighter eye over that of the cheeks: about 1 on a bare face.

    `bgr`: (H, W, 3) uint8; `points`: (468, 3) float32, its landmarks in pixels. The lighter half of what is
    round an eye counts: lashes, brows and shadow are dark on any face.
    """
    region = region_from_points(points)
    matrix = crop_matrix(region.centre, region.side, region.angle, _SIDE_PX)
    square = cv2.warpAffine(bgr, matrix, (_SIDE_PX, _SIDE_PX), borderMode=cv2.BORDER_REPLICATE)
    light = cv2.cvtColor(cv2.GaussianBlur(square, (0, 0), 1.5), cv2.COLOR_BGR2GRAY).astype(np.float32) + 8
    at = points[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    cheeks = np.clip(np.round(at[list(_CHEEKS)]), 0, _SIDE_PX - 1).astype(int)
    skin = float(np.median(light[cheeks[:, 1], cheeks[:, 0]]))
    return max(_round_eye(light, at[list(ring)]) for ring in (RIGHT_EYE, LEFT_EYE)) / skin


def _round_eye(light: NDArray[np.float32], ring: NDArray[np.float64]) -> float:
    """The upper quartile of the light in a disc round an eye."""
    middle = ring.mean(axis=0)
    radius = _LENS * float(np.ptp(ring[:, 0])) / 2
    y, x = np.indices(light.shape)
    disc = ((x - middle[0]) ** 2 + (y - middle[1]) ** 2) < radius**2
    return float(np.percentile(light[disc], 75)) if disc.any() else 255.0
