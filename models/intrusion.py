"""What covers a face comes from beyond its outline: a hand has an arm, hair a head, a cup somebody's hand.

A spot that is said to be covered in the middle of the face alone is a shadow, a frown or a beard, and the
bare face would show there.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["keep_intruders"]

_COVERED_BELOW = 150
"""Visibility, of 255, below which a pixel belongs to a cover, its soft edge included."""
_RIM = 0.05
"""How deep the outline's belt is, in sides of the mask: a cover reaches into it, or is none."""
_OVAL_STRETCHED = 1.06
"""The belt begins a little outside the mesh, whose outline is its least certain part."""


def keep_intruders(mask: NDArray[np.uint8], outline: NDArray[np.float64]) -> None:
    """Make visible, in place, every spot of `mask` that does not reach the face's outline.

    `mask`: (S, S) uint8, 255 where the face is visible; `outline`: (N, 2), the face's, in pixels of it.
    Outside the outline nothing changes.
    """
    side = mask.shape[0]
    middle = outline.mean(axis=0)
    polygon = np.round((outline - middle) * _OVAL_STRETCHED + middle).astype(np.int32)
    face = np.zeros(mask.shape, np.uint8)
    cv2.fillPoly(face, [polygon], 255)
    covered = ((mask < _COVERED_BELOW) & (face > 0)).astype(np.uint8)
    count, labels = cv2.connectedComponents(covered, connectivity=8, ltype=cv2.CV_16U)
    if count <= 1:
        return
    reach = 2 * max(1, round(_RIM * side)) + 1
    belt = cv2.subtract(face, cv2.erode(face, np.ones((reach, reach), np.uint8)))
    from_outside = np.zeros(count, bool)
    from_outside[labels[belt > 0]] = True
    from_outside[0] = True
    if from_outside.all():
        return
    spots = np.where(from_outside[labels], np.uint8(0), np.uint8(255))
    mask[cv2.dilate(spots, np.ones((5, 5), np.uint8)) > 0] = 255
