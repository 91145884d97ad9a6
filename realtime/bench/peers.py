"""How other live programs put a face back into the frame, written from the description of what they do.

For comparison only: each is given the same frame, crop, alpha and alignment, and changes the frame in place.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.geometry import Matrix, apply, invert

__all__ = ["PEERS", "PUBLISHED_MS", "Method"]

Method = Callable[[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8], Matrix], None]
"""(H, W, 3) frame, (S, S, 3) crop, (S, S) alpha, (2, 3) from the frame to the crop."""

PUBLISHED_MS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "InsightFace INSwapper paste_back (full frame)": (378.6, 184.0),
        "roop-unleashed paste_upscale (full frame)": (233.5, 190.0),
        "DeepFaceLive style full-frame float32 blend": (82.5, 98.0),
        "FaceFusion 3.8 paste_back (ROI, float64)": (18.8, 24.6),
        "Deep-Live-Cam _fast_paste_back (ROI, uint8)": (11.0, 3.7),
    }
)
"""The peers' own code, 1080p and a face of 440 px, on two machines with 2 cores of 2.5 GHz: a busy one and a
quiet one. Not measured here: for reference beside what is."""


def full_frame_float32(
    frame: NDArray[np.uint8], crop: NDArray[np.uint8], alpha: NDArray[np.uint8], matrix: Matrix
) -> None:
    """out = frame * (1 - m) + face * m over the whole frame in float32, as DeepFaceLive does."""
    size = frame.shape[1::-1]
    inverse = invert(matrix)
    face = cv2.warpAffine(crop.astype(np.float32) / np.float32(255), inverse, size)
    mask = cv2.warpAffine(alpha.astype(np.float32) / np.float32(255), inverse, size)[:, :, None]
    whole = frame.astype(np.float32) / np.float32(255)
    np.copyto(frame, (whole * (1 - mask) + face * mask) * 255, casting="unsafe")


def full_frame_eroded(
    frame: NDArray[np.uint8], crop: NDArray[np.uint8], alpha: NDArray[np.uint8], matrix: Matrix
) -> None:
    """InsightFace: the square warped over the whole frame, eroded and blurred there; `alpha` is not used."""
    size = frame.shape[1::-1]
    inverse = invert(matrix)
    face = cv2.warpAffine(crop, inverse, size, borderValue=0)
    white = cv2.warpAffine(np.full(crop.shape[:2], 255, np.float32), inverse, size, borderValue=0)
    white[white > 20] = 255
    rows, columns = np.nonzero(white == 255)
    side = int(np.sqrt(np.ptp(rows) * np.ptp(columns))) if rows.size else 0
    near = max(side // 10, 10)
    white = cv2.erode(white, np.ones((near, near), np.uint8))
    blur = 2 * max(side // 20, 5) + 1
    mask = cv2.GaussianBlur(white, (blur, blur), 0)[:, :, None] / 255
    np.copyto(frame, mask * face + (1 - mask) * frame.astype(np.float32), casting="unsafe")


def region_float64(
    frame: NDArray[np.uint8], crop: NDArray[np.uint8], alpha: NDArray[np.uint8], matrix: Matrix
) -> None:
    """FaceFusion 3.8: only the rectangle round the square, in float64."""
    part, inverse = _region(frame, crop.shape[0], matrix)
    size = part.shape[1::-1]
    if not part.size:
        return
    mask = cv2.warpAffine(alpha / 255.0, inverse, size).clip(0, 1)[:, :, None]
    face = cv2.warpAffine(crop, inverse, size, borderMode=cv2.BORDER_REPLICATE)
    np.copyto(part, part * (1 - mask) + face * mask, casting="unsafe")


def region_uint8(
    frame: NDArray[np.uint8], crop: NDArray[np.uint8], alpha: NDArray[np.uint8], matrix: Matrix
) -> None:
    """Deep-Live-Cam: only the rectangle round the square, two uint8 products and their sum."""
    part, inverse = _region(frame, crop.shape[0], matrix)
    size = part.shape[1::-1]
    if not part.size:
        return
    face = cv2.warpAffine(crop, inverse, size, borderMode=cv2.BORDER_REPLICATE)
    mask = cv2.merge([cv2.warpAffine(alpha, inverse, size)] * 3)
    front: Any = cv2.multiply(face, mask, scale=1 / 255)
    back: Any = cv2.multiply(part, cv2.bitwise_not(mask), scale=1 / 255)
    cv2.add(front, back, dst=part)


def _region(frame: NDArray[np.uint8], size: int, matrix: Matrix) -> tuple[NDArray[np.uint8], Matrix]:
    """What the square's corners span of the frame, and from the crop to that."""
    inverse = invert(matrix)
    corners = apply(inverse, [(0, 0), (size, 0), (size, size), (0, size)])
    limit = np.array(frame.shape[1::-1])
    low = np.floor(corners.min(axis=0)).astype(int).clip(0, limit)
    high = np.ceil(corners.max(axis=0)).astype(int).clip(0, limit)
    inverse[:, 2] -= low
    return frame[low[1] : high[1], low[0] : high[0]], inverse


PEERS: Mapping[str, Method] = MappingProxyType(
    {
        "full frame, eroded and blurred (InsightFace)": full_frame_eroded,
        "full frame, float32 (DeepFaceLive)": full_frame_float32,
        "region, float64 (FaceFusion)": region_float64,
        "region, uint8 (Deep-Live-Cam)": region_uint8,
    }
)
