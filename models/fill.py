"""Smooth filling of what is missing in a picture. For preparation, not for the live path."""

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["filled", "smooth"]

_SMALLEST_PX = 4


def filled(values: NDArray[np.float32], weight: NDArray[np.float32]) -> NDArray[np.float32]:
    """`values` where `weight` is 1, and elsewhere the colours round it, smoother the farther away.

    `values`: (h, w, C) float32; `weight`: (h, w) float32 in [0, 1]. The pull-push of Gortler et al. 1996:
    halved until small, then each missing pixel taken from the next smaller picture.
    """
    height, width = weight.shape
    if min(height, width) <= _SMALLEST_PX:
        mean = (values * weight[:, :, None]).sum(axis=(0, 1)) / max(float(weight.sum()), 1e-6)
        return values * weight[:, :, None] + mean * (1 - weight[:, :, None])
    size = (width // 2, height // 2)
    share = cv2.resize(weight, size, interpolation=cv2.INTER_AREA)
    pulled = cv2.resize(values * weight[:, :, None], size, interpolation=cv2.INTER_AREA)
    pulled = pulled.reshape(*share.shape, -1) / np.maximum(share, 1e-6)[:, :, None]
    pushed = cv2.resize(filled(pulled, np.minimum(share * 4, 1)), (width, height), interpolation=cv2.INTER_LINEAR)
    return values * weight[:, :, None] + pushed.reshape(height, width, -1) * (1 - weight[:, :, None])


def smooth(values: NDArray[np.float32], weight: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """(h, w) means of (h, w) `values` over a Gaussian, of the pixels with weight (Knutsson 1993)."""
    total = cv2.GaussianBlur(weight, (0, 0), sigma)
    blurred = cv2.GaussianBlur(values * weight, (0, 0), sigma)
    overall = float((values * weight).sum() / max(float(weight.sum()), 1e-6))
    return (blurred + np.float32(1e-3) * overall) / (total + np.float32(1e-3))
