"""What a swapper's answer has to be before it may be shown, and its masks made one."""

from collections.abc import Sequence
from math import isfinite
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["faults_of", "least_mask", "soften"]

_FLAT = 2
"""Pixel values between the least and the greatest, in each channel, of a face that was not painted: one
colour."""
_SAME = 1.0
"""Mean of the differences, in pixel values, up to which a network gave back what it was given: the wearer's
own face. Its rounding is half of that; of a face that is worn by itself a swapper changes 3 and more."""
_HIDING = 128
"""A mask that reaches this nowhere takes nothing of the new face: the wearer's would be seen."""
_ONE_PIXEL = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))


def faults_of(
    painted: NDArray[np.uint8], mask: NDArray[np.uint8] | None, given: NDArray[np.uint8] | None = None
) -> dict[int, str]:
    """What is wrong with which of the pictures: (M, s, s, 3) uint8, with their masks, (M, s, s) uint8.

    `given`: of what they were painted, (M, s, s, 3); None where it may come back as it is.
    """
    faults: dict[int, str] = {}
    for index, picture in enumerate(painted):
        if _one_colour(picture):
            faults[index] = "it painted nothing but one colour"
        elif given is not None and cv2.norm(picture, given[index], cv2.NORM_L1) <= _SAME * picture.size:
            faults[index] = "it gave the wearer's own face back"
        elif mask is not None and cv2.minMaxLoc(mask[index])[1] < _HIDING:
            faults[index] = "its mask takes nothing of it"
    return faults


def _one_colour(picture: NDArray[np.uint8]) -> bool:
    """The middle row first: of a picture it is seldom alike, and the whole takes longer to look at."""
    for part in (picture[len(picture) // 2], picture):
        pixels = part.reshape(-1, 3)
        if (pixels.max(axis=0) - pixels.min(axis=0)).max() > _FLAT:
            return False
    return True


def least_mask(masks: Sequence[NDArray[Any]], out: NDArray[np.uint8]) -> None:
    """Write masks from 0 to 1, each M * s * s floats of any layout, into `out`, (M, s, s): the least of them.

    A mask that is not finite is empty: where it is none, the wearer's face would be seen.
    """
    flat = out.reshape(-1, out.shape[-1])
    for number, mask in enumerate(masks):
        values = mask.reshape(flat.shape)
        single = values if values.dtype == np.float32 else values.astype(np.float32)
        one = cv2.addWeighted(single, 255.0, single, 0.0, 0.0, dtype=cv2.CV_8U)
        if not isfinite(cv2.sumElems(single)[0]):
            whole = np.isfinite(single.reshape(len(out), -1)).all(axis=1)
            one.reshape(len(out), -1)[~whole] = 0
        np.copyto(flat, one) if number == 0 else cv2.min(flat, one, dst=flat)


def soften(masks: NDArray[np.uint8], edge: tuple[int, float]) -> None:
    """Draw (N, S, S) masks in and blur their edges, in place; `edge`: `Contract.mask_edge`."""
    times, sigma = edge
    for mask in masks:
        drawn_in = cv2.erode(mask, _ONE_PIXEL, iterations=times)
        cv2.GaussianBlur(drawn_in, (0, 0), sigma, dst=mask)
