"""An enhancer of aligned crops at work on the patch of a swapper that draws in the frame."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.geometry import apply, compose, invert
from models.landmarker import five_points
from models.masks.box import box_mask
from models.neural.align import Alignment, align
from models.neural.crop_enhancer import CropEnhancer, shown_px
from models.patch import Patch
from models.scratch import Scratch

__all__ = ["PatchEnhancer"]

BLUR = 0.1
"""Of the crop's rim, where the enhanced picture fades into the patch: see `box_mask`."""
_LEAST_SHOWN_PX = 8.0
"""The side of a face's square, in pixels of the frame, below which there is nothing to see."""


class PatchEnhancer:
    """Serves `models.enhancer.Enhancer` by a crop enhancer. Belongs to one thread."""

    def __init__(self, enhancer: CropEnhancer) -> None:
        self._enhancer = enhancer
        self._crop = np.zeros((1, enhancer.size, enhancer.size, 3), np.uint8)
        self._box = box_mask(enhancer.size, BLUR, (0, 0, 0, 0))
        self._scratch = Scratch()

    def enhance(
        self,
        patch: Patch,
        points: NDArray[np.floating[Any]] | None = None,
        picture: NDArray[np.uint8] | None = None,
    ) -> None:
        """Change `patch.bgr` in place.

        `points`: (468, 2) or (468, 3), the face's landmarks in pixels of the frame; `picture`: (H, W, 3)
        uint8, the frame, which the network sees round the patch. A face without finite landmarks, or too
        small to see, stays as it is, and so does one that comes without its frame. Raises BackendError.
        """
        height, width = patch.alpha.shape
        if height == 0 or width == 0 or points is None or picture is None:
            return
        five = five_points(points)
        if not np.isfinite(five).all() or not five.std(axis=0).max() > 0:
            return
        where = align(five, self._enhancer.template, self._enhancer.size)
        if not shown_px(where) >= _LEAST_SHOWN_PX:
            return
        self._cut(patch, picture, where)
        enhanced = self._enhancer.enhance(self._crop, shown_px(where))
        if enhanced is self._crop:
            return
        self._put(enhanced[0], patch, where)

    def close(self) -> None:
        """Idempotent, never raises."""
        self._enhancer.close()

    def _cut(self, patch: Patch, picture: NDArray[np.uint8], where: Alignment) -> None:
        """The crop of the picture with the patch in it: what a patch holds beyond its alpha means nothing."""
        height, width = patch.alpha.shape
        reach = self._reach(where, picture.shape[1], picture.shape[0])
        x0, y0, x1, y1 = (
            min(reach[0], patch.x),
            min(reach[1], patch.y),
            max(reach[2], patch.x + width),
            max(reach[3], patch.y + height),
        )
        around = self._scratch.u8("around", y1 - y0, x1 - x0, 3)
        np.copyto(around, picture[y0:y1, x0:x1])
        inside = around[patch.y - y0 : patch.y - y0 + height, patch.x - x0 : patch.x - x0 + width]
        self._mix(patch.bgr, patch.alpha, inside)
        from_around = compose(where.matrix, np.array([[1.0, 0.0, x0], [0.0, 1.0, y0]]))
        size = (where.size, where.size)
        cv2.warpAffine(
            around,
            from_around,
            size,
            dst=self._crop[0],
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )

    def _put(self, enhanced: NDArray[np.uint8], patch: Patch, where: Alignment) -> None:
        """The enhanced crop over the patch, in place."""
        height, width = patch.alpha.shape
        box, there = self._box, where
        if where.scale > 1:
            # No finer than the frame, or its detail would flicker.
            side = max(1, round(where.size / where.scale))
            there = where.resized(side)
            small = self._scratch.u8("small", side, side, 3)
            less = self._scratch.u8("small box", side, side)
            cv2.resize(enhanced, (side, side), dst=small, interpolation=cv2.INTER_AREA)
            cv2.resize(box, (side, side), dst=less, interpolation=cv2.INTER_AREA)
            enhanced, box = small, less
        from_patch = compose(there.matrix, np.array([[1.0, 0.0, patch.x], [0.0, 1.0, patch.y]]))
        front = self._scratch.u8("front", height, width, 3)
        alpha = self._scratch.u8("alpha", height, width)
        back = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        cv2.warpAffine(
            enhanced, from_patch, (width, height), dst=front, flags=back, borderMode=cv2.BORDER_REPLICATE
        )
        cv2.warpAffine(
            box, from_patch, (width, height), dst=alpha, flags=back, borderMode=cv2.BORDER_CONSTANT
        )
        self._mix(front, alpha, patch.bgr)

    def _mix(self, front: NDArray[np.uint8], alpha: NDArray[np.uint8], onto: NDArray[np.uint8]) -> None:
        """`onto` = front * alpha + onto * (1 - alpha), in place."""
        weight, ahead, behind = (
            self._scratch.u8(name, *onto.shape) for name in ("weight", "ahead", "behind")
        )
        cv2.merge([alpha] * 3, dst=weight)
        cv2.multiply(front, weight, dst=ahead, scale=1 / 255)
        cv2.multiply(onto, cv2.bitwise_not(weight, dst=weight), dst=behind, scale=1 / 255)
        cv2.add(ahead, behind, dst=onto)

    @staticmethod
    def _reach(where: Alignment, width: int, height: int) -> tuple[int, int, int, int]:
        """x0, y0, x1, y1: the part of the frame that the crop shows."""
        size = where.size
        corners = apply(invert(where.matrix), [(0, 0), (size, 0), (0, size), (size, size)])
        low, high = np.floor(corners.min(axis=0)) - 1, np.ceil(corners.max(axis=0)) + 2
        x0, y0 = (int(value) for value in np.clip(low, 0, (width - 1, height - 1)))
        x1, y1 = (int(value) for value in np.clip(high, (x0 + 1, y0 + 1), (width, height)))
        return x0, y0, x1, y1
