"""Means over a neighbourhood when not every pixel counts. For preparation, not for the live path."""

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["smooth"]

_DOUBT = np.float32(1e-3)
"""Weight of what decides where nothing that counts is near."""


def smooth(
    values: NDArray[np.float32],
    weight: NDArray[np.float32],
    sigma: float,
    otherwise: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """(h, w) means of (h, w) `values` under a Gaussian, each pixel counting by its `weight` in [0, 1].

    Where nothing that counts is near: `otherwise`, (h, w), or the mean of all. `sigma` in pixels.
    Normalised convolution (Knutsson and Westin 1993).
    """
    overall = otherwise
    if overall is None:
        overall = np.full_like(values, (values * weight).sum() / max(float(weight.sum()), 1e-6))
    total = cv2.GaussianBlur(weight, (0, 0), sigma) + _DOUBT
    mean: NDArray[np.float32] = (cv2.GaussianBlur(values * weight, (0, 0), sigma) + _DOUBT * overall) / total
    return mean
