"""Where brows, lids, lips and nose lie on the texture plane, as lines to draw along.

Every line is (N, 2) in [0, 1]: u to the right, v down. `side` is -1 on the picture's left, 1 on its right.
"""

import numpy as np
from numpy.typing import NDArray

from models.topology import LIPS_INNER, LIPS_OUTER, RIGHT_BROW, RIGHT_EYE, UV
from realtime.paint import smooth

__all__ = ["brow", "lips", "lower_lid", "mouth", "nose_wing", "nostril", "on_side", "upper_lid"]

Line = NDArray[np.float64]

SIDES = (-1, 1)
_HALF_RING = 9
"""Points from corner to corner along a lid."""
_LIP_CORNER = 10
"""Place of the second corner of the mouth in a lip's ring."""


def on_side(line: Line | list[tuple[float, float]], side: int) -> Line:
    """A line of the left of the picture, or its mirror image on the right."""
    points = np.array(line, np.float64)
    if side > 0:
        points[:, 0] = 1 - points[:, 0]
    return points


def brow(side: int) -> Line:
    """The middle of a brow from its inner end, above the nose, to its outer end."""
    upper, lower = UV[RIGHT_BROW[4::-1]], UV[RIGHT_BROW[5:]]
    return on_side((upper.astype(np.float64) + lower) / 2, side)


def upper_lid(side: int) -> Line:
    """The edge of the upper lid from the inner to the outer corner."""
    return on_side(smooth(UV[RIGHT_EYE[_HALF_RING - 1 :: -1]]), side)


def lower_lid(side: int) -> Line:
    """The edge of the lower lid from the inner to the outer corner."""
    return on_side(smooth(UV[np.append(RIGHT_EYE[_HALF_RING - 1 :], RIGHT_EYE[0])]), side)


def lips() -> tuple[Line, Line]:
    """The upper and the lower lip, each as a closed outline."""
    outer, inner = UV[LIPS_OUTER].astype(np.float64), UV[LIPS_INNER].astype(np.float64)
    upper = np.concatenate([smooth(outer[: _LIP_CORNER + 1]), smooth(inner[_LIP_CORNER::-1])])
    lower_outer = np.append(outer[_LIP_CORNER:], outer[:1], axis=0)
    lower_inner = np.append(inner[_LIP_CORNER:], inner[:1], axis=0)
    return upper, np.concatenate([smooth(lower_outer), smooth(lower_inner[::-1])])


def mouth() -> Line:
    """The opening between the lips, as a closed outline."""
    return smooth(UV[LIPS_INNER], closed=True)


def nose_wing(side: int) -> Line:
    """Down round the wing of the nose to its base."""
    return on_side([(0.428, 0.480), (0.410, 0.515), (0.412, 0.545), (0.434, 0.562), (0.455, 0.556)], side)


def nostril(side: int) -> Line:
    """A nostril, as a closed outline."""
    return on_side(
        smooth([(0.448, 0.562), (0.460, 0.553), (0.478, 0.556), (0.482, 0.566), (0.462, 0.569)], closed=True),
        side,
    )
