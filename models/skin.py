"""Which part of a picture of a face is face, and which is hair, hat, hand or background before it."""

import cv2
import numpy as np
from numpy.typing import NDArray

from models.topology import CANONICAL, OVAL

__all__ = ["face_mask"]

_SIDE_PX = 192
"""The face is looked at in a square of this side."""
_ROOM = 0.3
"""Room round the oval, in its longer sides: where hair and background are learnt."""
_INNER = (70, 63, 105, 66, 107, 9, 336, 296, 334, 293, 300, 263, 291, 17, 61, 33)
"""Brows, outer eye corners, mouth: their hull is face, whatever its colours."""
_CHEEKS = (50, 101, 118, 205, 280, 330, 347, 425, 4, 195, 9)
"""Skin on nearly every face."""
_LIKE_SKIN = 2.2
"""Distance from the cheeks' tone, in deviations, below which what lies outside the oval may not be hair."""
_UNLIKE_SKIN = 2.6
"""Distance past which it is no skin, whatever GrabCut says."""
_LEAST_DEVIATION = (26.0, 6.0, 6.0)
"""Of Y, Cr, Cb: what shading and sensors add to the tone of any skin."""
_ROUNDS = 4
_BEARD_BELOW = 0.35
"""Below this height (inter-ocular distances under the eyes) what is not skin may be a beard, and stays."""
_BEARD_WITHIN = 0.62
"""... when it lies this near to the middle."""


def face_mask(bgr: NDArray[np.uint8], points: NDArray[np.float32]) -> NDArray[np.uint8]:
    """(H, W) uint8: 255 on the face's own skin, features and beard, 0 on what covers or surrounds it.

    `bgr`: (H, W, 3) uint8; `points`: (468, 3) float32, its landmarks in pixels. Colours inside and outside
    the oval are told apart by GrabCut (Rother et al. 2004).
    """
    low, high = points[OVAL, :2].min(axis=0), points[OVAL, :2].max(axis=0)
    side = float((high - low).max()) * (1 + 2 * _ROOM)
    scale = _SIDE_PX / side
    to_square = np.array([[scale, 0, 0], [0, scale, 0]])
    to_square[:, 2] = _SIDE_PX / 2 - scale * (low + high) / 2
    soft = cv2.GaussianBlur(bgr, (0, 0), max(0.3 / scale, 0.3))
    size = (_SIDE_PX, _SIDE_PX)
    square = np.asarray(cv2.warpAffine(soft, to_square, size, borderMode=cv2.BORDER_REPLICATE), np.uint8)
    at = (points[:, :2] * scale + to_square[:, 2]).astype(np.float32)
    away = _away_from_skin(square, at)
    seeds = _seeds(away, at)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(0)
    labels = cv2.grabCut(square, seeds, (0, 0, 1, 1), *models, _ROUNDS, cv2.GC_INIT_WITH_MASK)[0]
    face = ((labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)) & (away < _UNLIKE_SKIN)
    disc = cv2.MORPH_ELLIPSE
    closed = cv2.morphologyEx(face * np.uint8(255), cv2.MORPH_CLOSE, cv2.getStructuringElement(disc, (7, 7)))
    mask = cv2.erode(closed, cv2.getStructuringElement(disc, (9, 9)))
    inner = cv2.dilate(_hull(at[list(_INNER)]), np.ones((9, 9), np.uint8))
    mask = cv2.max(cv2.max(mask, inner), _beard(at))
    back = cv2.invertAffineTransform(to_square)
    whole = cv2.warpAffine(mask, back, (bgr.shape[1], bgr.shape[0]), flags=cv2.INTER_LINEAR)
    return np.asarray(whole, np.uint8)


def _away_from_skin(square: NDArray[np.uint8], at: NDArray[np.float32]) -> NDArray[np.float32]:
    """(side, side): distance of each colour from the cheeks', in deviations."""
    tones = cv2.cvtColor(square, cv2.COLOR_BGR2YCrCb).astype(np.float32)
    known = tones[_spots(at) > 0]
    middle = np.median(known, axis=0)
    deviation = np.maximum(1.48 * np.median(abs(known - middle), axis=0), _LEAST_DEVIATION)
    away: NDArray[np.float32] = np.sqrt((((tones - middle) / deviation) ** 2).sum(axis=2))
    return away


def _seeds(away: NDArray[np.float32], at: NDArray[np.float32]) -> NDArray[np.uint8]:
    """GrabCut's labels to begin with: the cheeks are face, the oval may be, other colours are not."""
    oval = _hull(at[OVAL])
    outside = cv2.dilate(oval, np.ones((9, 9), np.uint8)) == 0
    seeds = np.full(oval.shape, cv2.GC_PR_BGD, np.uint8)
    seeds[oval > 0] = cv2.GC_PR_FGD
    seeds[outside] = np.where(away > _LIKE_SKIN, cv2.GC_BGD, cv2.GC_PR_FGD)[outside]
    seeds[_spots(at) > 0] = cv2.GC_FGD
    return seeds


def _spots(at: NDArray[np.float32]) -> NDArray[np.uint8]:
    """(side, side): nonzero on small discs of skin."""
    mask = np.zeros((_SIDE_PX, _SIDE_PX), np.uint8)
    for x, y in at[list(_CHEEKS)]:
        cv2.circle(mask, (round(float(x)), round(float(y))), _SIDE_PX // 40, 255, -1)
    return mask


def _beard(at: NDArray[np.float32]) -> NDArray[np.uint8]:
    """(side, side): nonzero on the lower face, where hair belongs to it."""
    lower = (CANONICAL[:, 1] > _BEARD_BELOW) & (abs(CANONICAL[:, 0]) < _BEARD_WITHIN)
    lower[OVAL] = False
    return _hull(at[lower])


def _hull(ring: NDArray[np.float32]) -> NDArray[np.uint8]:
    mask = np.zeros((_SIDE_PX, _SIDE_PX), np.uint8)
    cv2.fillConvexPoly(mask, np.round(cv2.convexHull(ring)).astype(np.int32), 255)
    return mask
