"""Pastes an aligned face into the frame: uint8 only, and only in the rectangle that it covers.

    out = frame * (1 - a) + (face * a),    a = alpha / 255, both brought into the frame by one bilinear warp

The face is multiplied by its alpha before the warp and not after it (T. Porter and T. Duff, "Compositing
digital images", SIGGRAPH 1984): its square has fewer pixels, and nothing that does not count is mixed in.
Colour and alpha travel as one picture of four channels: measured on 559 x 716 pixels, two cores,
`cv2.warpAffine` takes 0.45 ms for four channels, 0.93 ms for three and 0.42 ms for one. Blending in bands,
without what is wholly covered or not at all, was slower than blending all: 1.1 ms and more against 0.5 ms.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.geometry import Matrix, apply, compose, invert
from models.neural.align import Alignment
from models.scratch import Scratch

__all__ = ["AlignedFace", "PasteBack", "aligned_face"]

_NOTHING = (0, 0, 0, 255)
_RIM = 1
"""Pixels round what counts, so that its edge is interpolated towards nothing."""


@dataclass(frozen=True, slots=True)
class AlignedFace:
    """A finished face in the square of a template. It may be pasted many times, each by another alignment."""

    bgra: NDArray[np.uint8]
    """(h, w, 4): what counts of the square and a rim where nothing does; h and w are 0 when nothing counts.
    The colours are multiplied by their alpha, and the fourth channel is 255 less the alpha."""
    x: int
    """Column of the square at which it begins; -1 where the rim lies outside."""
    y: int
    """Row of the square at which it begins."""
    size: int
    """Side of the square, pixels."""


def aligned_face(
    bgr: NDArray[np.uint8], alpha: NDArray[np.uint8], store: Scratch | None = None
) -> AlignedFace:
    """Colour and alpha joined. `bgr`: (S, S, 3); `alpha`: (S, S), 0 keeps the frame, 255 takes the face.

    With `store` the face's array is that store's "aligned_face", overwritten by its next; else it is fresh.
    Raises ValueError for arrays of other shapes.
    """
    size = alpha.shape[0]
    if bgr.shape != (size, size, 3) or alpha.shape != (size, size):
        raise ValueError(f"a square and its alpha are needed, not {bgr.shape} and {alpha.shape}")
    left, top, width, height = cv2.boundingRect(alpha) if size else (0, 0, 0, 0)
    if width == 0 or height == 0:
        return AlignedFace(np.empty((0, 0, 4), np.uint8), 0, 0, size)
    x, y = left - _RIM, top - _RIM
    shape = (height + 2 * _RIM, width + 2 * _RIM, 4)
    bgra = np.empty(shape, np.uint8) if store is None else store.u8("aligned_face", *shape)
    rows, columns = slice(max(y, 0), min(y + shape[0], size)), slice(max(x, 0), min(x + shape[1], size))
    inside = bgra[rows.start - y : rows.stop - y, columns.start - x : columns.stop - x]
    counts = alpha[rows, columns]
    counted = cv2.multiply(bgr[rows, columns], cv2.cvtColor(counts, cv2.COLOR_GRAY2BGR), scale=1 / 255)
    cv2.cvtColor(counted, cv2.COLOR_BGR2BGRA, dst=inside)
    cv2.insertChannel(cv2.bitwise_not(counts), inside, 3)
    for edge in (bgra[0], bgra[-1], bgra[:, 0], bgra[:, -1]):
        edge[:] = _NOTHING
    return AlignedFace(bgra, x, y, size)


class PasteBack:
    """Belongs to one thread."""

    def __init__(self) -> None:
        self._scratch = Scratch()

    def paste(self, picture: NDArray[np.uint8], face: AlignedFace, where: Alignment) -> bool:
        """Blend `face` over `picture`, (H, W, 3) uint8, in place; whether any of it lay inside.

        `where` says where its square lies now: it need not be where it lay when the face was made. A square
        much finer than the picture is averaged down first, or its detail would flicker.
        Raises ValueError when `where` is of another size or not finite, numpy.linalg.LinAlgError when it
        cannot be inverted.
        """
        if where.size != face.size:
            raise ValueError(f"a square of {face.size} pixels does not lie on one of {where.size}")
        if not np.isfinite(where.matrix).all():
            raise ValueError("the alignment is not finite")
        if face.bgra.size == 0:
            return False
        bgra, to_part = self._no_finer(face, where)
        region = _covered(bgra, to_part, picture)
        if region is None:
            return False
        x, y, width, height = region
        front = self._scratch.u8("front", height, width, 4)
        from_region = compose(to_part, np.array([[1.0, 0.0, x], [0.0, 1.0, y]]))
        cv2.warpAffine(
            bgra,
            from_region,
            (width, height),
            dst=front,
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        self._blend(front, picture[y : y + height, x : x + width])
        return True

    def _no_finer(self, face: AlignedFace, where: Alignment) -> tuple[NDArray[np.uint8], Matrix]:
        """The face with less than two pixels to a pixel of the frame, and the way to it from the frame."""
        to_part = compose(np.array([[1.0, 0.0, -face.x], [0.0, 1.0, -face.y]]), where.matrix)
        height, width = face.bgra.shape[:2]
        factor = min(int(where.scale), max(height, width))
        if factor < 2:
            return face.bgra, to_part
        # Nothing counts for a whole pixel of the small picture all round, or its rim would count.
        below, right = factor + -height % factor, factor + -width % factor
        whole = self._scratch.u8("whole", factor + height + below, factor + width + right, 4)
        cv2.copyMakeBorder(face.bgra, factor, below, factor, right, cv2.BORDER_REPLICATE, dst=whole)
        small = self._scratch.u8("small", whole.shape[0] // factor, whole.shape[1] // factor, 4)
        cv2.resize(whole, small.shape[1::-1], dst=small, interpolation=cv2.INTER_AREA)
        shift = 1 + (1 / factor - 1) / 2
        return small, compose(np.array([[1 / factor, 0.0, shift], [0.0, 1 / factor, shift]]), to_part)

    def _blend(self, front: NDArray[np.uint8], region: NDArray[np.uint8]) -> None:
        height, width = front.shape[:2]
        colour, weight = (self._scratch.u8(name, height, width, 3) for name in ("colour", "weight"))
        rest = self._scratch.u8("rest", height, width)
        cv2.extractChannel(front, 3, dst=rest)
        cv2.cvtColor(rest, cv2.COLOR_GRAY2BGR, dst=weight)
        cv2.multiply(region, weight, dst=region, scale=1 / 255)
        cv2.cvtColor(front, cv2.COLOR_BGRA2BGR, dst=colour)
        cv2.add(region, colour, dst=region)


def _covered(
    part: NDArray[np.uint8], to_part: Matrix, picture: NDArray[np.uint8]
) -> tuple[int, int, int, int] | None:
    """x, y, width and height of the picture's pixels inside the part's rim; None when there are none."""
    right, bottom = part.shape[1] - 1, part.shape[0] - 1
    corners = apply(invert(to_part), [(0, 0), (right, 0), (right, bottom), (0, bottom)])
    limit = np.array([picture.shape[1], picture.shape[0]])
    low = np.clip(np.ceil(corners.min(axis=0)), 0, limit)
    high = np.clip(np.ceil(corners.max(axis=0)), 0, limit)
    if not (high > low).all():
        return None
    return int(low[0]), int(low[1]), int(high[0] - low[0]), int(high[1] - low[1])
