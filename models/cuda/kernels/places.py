"""Where a square lands in the frame: what must be touched there, and how finely its pixels lie."""

from dataclasses import dataclass

import numpy as np

from models.cuda.kernels.face import Region
from models.geometry import Matrix, apply, compose, invert
from models.neural.align import Alignment

__all__ = ["Landing", "landing"]


@dataclass(frozen=True, slots=True)
class Landing:
    """How `FaceKernels.blend` is to be called for one square."""

    region: Region
    to_crop: Matrix
    """(2, 3): pixels of the frame to pixels of the square, once it is averaged down by `factor`."""
    factor: int
    """1, or by how much the square is to be averaged down first: as `models.paste_back.PasteBack` does where
    two of its pixels or more lie on one of the frame."""


def landing(where: Alignment, width: int, height: int) -> Landing | None:
    """Where the square of `where` lies in a frame of that size; None when it is wholly outside.

    Raises ValueError when `where` is not finite, numpy.linalg.LinAlgError when it cannot be inverted.
    """
    if not np.isfinite(where.matrix).all():
        raise ValueError("the alignment is not finite")
    factor = max(1, min(int(where.scale), where.size))
    shift = (1 / factor - 1) / 2
    to_crop = compose(np.array([[1 / factor, 0.0, shift], [0.0, 1 / factor, shift]]), where.matrix)
    # Alpha fades to nothing one pixel beyond the middle of the outermost ones.
    side = -(-where.size // factor)
    corners = apply(invert(to_crop), [(-1, -1), (side, -1), (side, side), (-1, side)])
    limit = np.array([width, height])
    low = np.clip(np.floor(corners.min(axis=0)), 0, limit)
    high = np.clip(np.ceil(corners.max(axis=0)) + 1, 0, limit)
    if not (high > low).all():
        return None
    region = Region(int(low[0]), int(low[1]), int(high[0] - low[0]), int(high[1] - low[1]))
    return Landing(region, to_crop, factor)
