"""Whether one picture follows from the one before."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["is_cut", "luma_histogram"]

CUT_LEVELS = 24.0
"""How far the luma of two frames lies apart, as the earth mover's distance of their histograms in grey
levels, to count as a scene cut. A change of exposure alone moves it by as many levels as it adds."""
HISTOGRAM_BINS = 32
HISTOGRAM_STEP = 8


def luma_histogram(bgr: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(32,) float32 that sums to 1: the green channel of every 8th pixel of every 8th row, as luma."""
    sample = bgr[::HISTOGRAM_STEP, ::HISTOGRAM_STEP, 1]
    counts = np.bincount(sample.ravel() >> 3, minlength=HISTOGRAM_BINS)
    return (counts / np.float32(max(sample.size, 1))).astype(np.float32)


def is_cut(before: NDArray[np.float32], now: NDArray[np.float32]) -> bool:
    """Two histograms of `luma_histogram`."""
    moved = float(np.abs(np.cumsum(now - before)).sum()) * (256 / HISTOGRAM_BINS)
    return moved > CUT_LEVELS
