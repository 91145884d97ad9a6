"""A face brought upright into the square crop that a network was trained on, and the way back."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.geometry import Matrix, compose, invert, similarity_fit, template

__all__ = ["Alignment", "align", "between", "crop"]


@dataclass(frozen=True, slots=True)
class Alignment:
    """Where a square crop lies in the frame."""

    matrix: Matrix
    """(2, 3): pixels of the frame to pixels of the crop."""
    size: int
    """Side of the crop, pixels."""

    @property
    def scale(self) -> float:
        """Pixels of the crop that one pixel of the frame makes."""
        return float(np.hypot(self.matrix[0, 0], self.matrix[1, 0]))

    def resized(self, size: int) -> "Alignment":
        """The same square with another number of pixels: whole pixels stand for squares, not for points."""
        factor = size / self.size
        shift = (factor - 1) / 2
        return Alignment(compose(np.array([[factor, 0.0, shift], [0.0, factor, shift]]), self.matrix), size)


def align(five: ArrayLike, name: str, size: int) -> Alignment:
    """The crop of `size` pixels in which the five points of a face lie on the template `name`.

    `five`: (5, 2) in pixels of the frame, in the order of `models.geometry.TEMPLATES`. The least-squares
    similarity. Raises KeyError for an unknown template, ValueError when the points all coincide.
    """
    return Alignment(similarity_fit(five, template(name, size)), size)


def crop(bgr: NDArray[np.uint8], where: Alignment, out: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]:
    """(size, size, 3) uint8 of the frame, into `out` where it is given. Beyond the edge, the edge goes on."""
    size = (where.size, where.size)
    cropped = cv2.warpAffine(
        bgr, where.matrix, size, dst=out, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(cropped, np.uint8)


def between(inner: Alignment, outer: Alignment) -> Matrix:
    """From the pixels of one crop to those of another of the same frame."""
    return compose(outer.matrix, invert(inner.matrix))
