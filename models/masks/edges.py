"""Soft edges of masks: how wide they are goes with the face, not with the pixels that it happens to have.

Widths are told in eye distances: what lies between the middles of the eyes of a face seen from the front.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.landmarker import five_points
from models.scratch import Scratch

__all__ = ["CENTRED", "FINEST_PX", "OUTSIDE", "eye_distance", "soften", "to_size"]

FINEST_PX = 256
"""Masks are drawn with so many pixels a side at most and then enlarged: soft edges have nothing finer."""
_EYES_OVER_MOUTH = 1.033
"""The distance between the eyes over that from the eyes to the mouth, of the canonical face."""
_LEAST_REACH_PX = 2
_PLATEAU = 0.35
"""The share of face in a pixel's neighbourhood from which on it is taken for face, where an edge lies
outside: a straight outline has a half there, the corners of an oval a little less."""
_SURE_BELOW, _SURE_FROM = 0.3, 0.7

Mask = NDArray[np.uint8]


def eye_distance(points: NDArray[np.floating[Any]]) -> float:
    """Between the eyes, in pixels of the crop, as if the face were seen from the front.

    `points`: (468, 2) or (468, 3). A face turned aside has its eyes nearer to each other and its mouth as far
    from them as ever; one that nods the other way round.
    """
    left, right, _, mouth_left, mouth_right = five_points(points).astype(np.float64)
    across = right - left
    down = (mouth_left + mouth_right - left - right) / 2
    return max(float(np.hypot(*across)), _EYES_OVER_MOUTH * float(np.hypot(*down)))


def soften(mask: Mask, reach_px: float, curve: NDArray[np.uint8], scratch: Scratch) -> None:
    """Give the hard edges of `mask`, (H, W), a width, in place.

    `reach_px`: how far from an edge it is felt at most; what is farther stays 0 or 255. `curve`: OUTSIDE
    keeps all of what was 255 and fades beside it, CENTRED fades half on either side. The border of the
    picture is no edge.
    """
    reach = max(_LEAST_REACH_PX, int(reach_px))
    first, second = reach // 2, reach - reach // 2
    between = scratch.u8("soften", *mask.shape)
    cv2.blur(mask, (2 * first + 1, 2 * first + 1), dst=between, borderType=cv2.BORDER_REPLICATE)
    cv2.blur(between, (2 * second + 1, 2 * second + 1), dst=mask, borderType=cv2.BORDER_REPLICATE)
    cv2.LUT(mask, curve, dst=mask)


def to_size(mask: Mask, size: int, out: Mask) -> Mask:
    """`mask`, square, with `size` pixels a side, in `out`."""
    if mask.shape[0] == size:
        np.copyto(out, mask)
    else:
        cv2.resize(mask, (size, size), dst=out, interpolation=cv2.INTER_LINEAR)
    return out


def _curve(low: float, high: float, *, rooted: bool) -> NDArray[np.uint8]:
    """(256,): a smooth step (Hermite) between two shares of face."""
    share = np.arange(256) / 255
    if rooted:
        # Two boxes make a neighbourhood whose share falls with the square of the distance.
        share, low, high = np.sqrt(share), low**0.5, high**0.5
    t = ((share - low) / (high - low)).clip(0, 1)
    return np.asarray(np.rint(255 * t * t * (3 - 2 * t)), np.uint8)


OUTSIDE = _curve(0.0, _PLATEAU, rooted=True)
CENTRED = _curve(_SURE_BELOW, _SURE_FROM, rooted=False)
