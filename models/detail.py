"""Sharpens a swapped face: less noise in flat skin, more local contrast, steeper edges that do not ring.

One step on luma, akin to the guided filter (He et al. 2010; on a reduced picture, He and Sun 2015): each
pixel's difference from the mean of its neighbourhood is multiplied by a gain that grows with the variance
there, from below 1 where there is nothing but noise to above 1 where there is detail. The result stays within
what the nearest pixels span, and chroma is not touched. Sizes go with the face's size.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.patch import Patch
from models.scratch import Scratch

__all__ = ["DetailEnhancer"]

_REDUCED_PX = 150
"""The longer side, about, of the reduced picture in which means and variances are formed."""
_NEAR = 3
"""Side of the neighbourhood whose mean and variance count, in pixels of the reduced picture."""
_WIDE_SHARE = 0.09
"""Side of the neighbourhood against which local contrast is raised, in longer sides of the patch."""
_CONTRAST = 0.2
_CONTRAST_LIMIT = np.float32(5)
"""Most that local contrast changes, in grey levels: no glow beside a dark brow."""
_NOISE_VARIANCE = np.float32(45)
"""Variance, in grey levels squared, at which the gain lies midway: a webcam's noise has 4 to 25."""
_CALM, _KEEN = 0.4, 1.75
"""Gain where there is only noise, and where there is only detail; in a smaller patch than the reduced
picture the latter nears 1: its pixels are as fine as its features."""
_GAIN_UNIT = 100
"""The gain 1 in a uint8 plane of gains."""
_OVERSHOOT = np.array([3.0, 0, 0, 0])
"""How far a pixel may leave what its neighbours span, in grey levels: a scalar as OpenCV takes it."""
_NONE = np.float32(1e-3)
"""Kept in the divisor where nothing is shown."""

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]


class DetailEnhancer:
    """Belongs to one thread. Keeps buffers and nothing else: what a patch becomes depends on it alone.

    Measured on two cores of a shared machine, median of 400: 0.45 ms for a patch of 300 x 300 pixels,
    0.90 ms for one of 440 x 528.
    """

    def __init__(self) -> None:
        self._scratch = Scratch()

    def enhance(
        self,
        patch: Patch,
        points: NDArray[np.floating[Any]] | None = None,
        picture: U8 | None = None,
    ) -> None:
        """Change `patch.bgr` in place where `patch.alpha` is not 0. What lies elsewhere has no influence."""
        height, width = patch.alpha.shape
        if height == 0 or width == 0:
            return
        step = max(1, round(max(height, width) / _REDUCED_PX))
        padded = -(-height // step) * step, -(-width // step) * step
        shown, luma = self._scratch.u8("shown", *padded), self._scratch.u8("luma", *padded)
        if padded != (height, width):
            for plane in (shown, luma):
                plane[height:] = 0
                plane[:, width:] = 0
        inside = np.s_[:height, :width]
        cv2.threshold(patch.alpha, 0, 255, cv2.THRESH_BINARY, dst=shown[inside])
        cv2.cvtColor(patch.bgr, cv2.COLOR_BGR2GRAY, dst=luma[inside])
        cv2.bitwise_and(luma, shown, dst=luma)
        wanted = self._steepened(luma, *self._maps(luma, shown, step))
        self._limit(wanted, luma, shown, 2 * step + 1)
        more, less = self._scratch.u8("more", *padded), self._scratch.u8("less", *padded)
        cv2.bitwise_and(cv2.subtract(wanted, luma, dst=more), shown, dst=more)
        cv2.subtract(luma, wanted, dst=less)
        threefold = self._scratch.u8("threefold", height, width, 3)
        cv2.add(patch.bgr, cv2.merge([more[inside]] * 3, dst=threefold), dst=patch.bgr)
        cv2.subtract(patch.bgr, cv2.merge([less[inside]] * 3, dst=threefold), dst=patch.bgr)

    def close(self) -> None:
        """There is nothing to free."""

    def _maps(self, luma: U8, shown: U8, step: int) -> tuple[U8, U8, U8]:
        """The mean about each pixel, that mean with its contrast raised, and the gain of the difference."""
        height, width = luma.shape
        size = width // step, height // step
        whole, square = self._scratch.f32("whole", height, width), self._scratch.f32("square", height, width)
        np.copyto(whole, shown)
        part = self._reduced("part", whole, size)
        part *= np.float32(1 / 255)
        np.copyto(whole, luma)
        light = self._reduced("light", whole, size)
        cv2.multiply(whole, whole, dst=square)
        power = self._reduced("power", square, size)

        weight = self._box("weight", part, _NEAR)
        np.maximum(weight, _NONE, out=weight)
        mean, gain = self._box("mean", light, _NEAR), self._box("gain", power, _NEAR)
        mean /= weight
        gain /= weight
        gain -= np.multiply(mean, mean, out=power)
        np.maximum(gain, 0, out=gain)
        gain *= gain
        gain /= np.add(gain, _NOISE_VARIANCE**2, out=power)
        keen = 1 + (_KEEN - 1) * min(1.0, max(luma.shape) / _REDUCED_PX)
        gain *= np.float32((keen - _CALM) * _GAIN_UNIT)
        gain += np.float32(_CALM * _GAIN_UNIT)
        cv2.blur(gain, (_NEAR, _NEAR), dst=power, borderType=cv2.BORDER_REPLICATE)

        lifted = self._lifted(mean, light, part)
        return (
            self._enlarged("mean whole", mean, luma),
            self._enlarged("lifted whole", lifted, luma),
            self._enlarged("gain whole", power, luma),
        )

    def _lifted(self, mean: F32, light: F32, part: F32) -> F32:
        """`mean` with its difference from a wider mean raised."""
        side = max(_NEAR, round(_WIDE_SHARE * max(mean.shape)) | 1)
        broad, lifted = self._box("broad", part, side), self._box("lifted", light, side)
        lifted /= np.maximum(broad, _NONE)
        np.subtract(mean, lifted, out=lifted)
        lifted *= np.float32(_CONTRAST)
        np.clip(lifted, -_CONTRAST_LIMIT, _CONTRAST_LIMIT, out=lifted)
        # At a straight rim half of the neighbourhood is shown: there the tone must stay that of the frame.
        broad *= np.float32(2 / side**2)
        broad -= 1
        lifted *= np.maximum(broad, 0, out=broad)
        lifted += mean
        return lifted

    def _steepened(self, luma: U8, mean: U8, lifted: U8, gain: U8) -> U8:
        """`lifted` + `gain` * (`luma` - `mean`), above and below the mean apart because uint8 has no sign."""
        above, below = self._scratch.u8("more", *luma.shape), self._scratch.u8("less", *luma.shape)
        cv2.multiply(cv2.subtract(luma, mean, dst=above), gain, dst=above, scale=1 / _GAIN_UNIT)
        cv2.multiply(cv2.subtract(mean, luma, dst=below), gain, dst=below, scale=1 / _GAIN_UNIT)
        cv2.add(lifted, above, dst=lifted)
        cv2.subtract(lifted, below, dst=lifted)
        return lifted

    def _limit(self, wanted: U8, luma: U8, shown: U8, side: int) -> None:
        """Keep `wanted` within what the shown pixels of a square of `side` span, in place."""
        kernel = np.ones((side, side), np.uint8)
        bound, filled = self._scratch.u8("more", *luma.shape), self._scratch.u8("less", *luma.shape)
        cv2.add(cv2.dilate(luma, kernel, dst=bound), _OVERSHOOT, dst=bound)
        cv2.min(wanted, bound, dst=wanted)
        cv2.bitwise_or(luma, cv2.bitwise_not(shown, dst=filled), dst=filled)
        cv2.subtract(cv2.erode(filled, kernel, dst=bound), _OVERSHOOT, dst=bound)
        cv2.max(wanted, bound, dst=wanted)

    def _reduced(self, name: str, plane: F32, size: tuple[int, int]) -> F32:
        small = self._scratch.f32(name, size[1], size[0])
        cv2.resize(plane, size, dst=small, interpolation=cv2.INTER_AREA)
        return small

    def _box(self, name: str, plane: F32, side: int) -> F32:
        """Sums over squares; what is outside counts 0."""
        summed = self._scratch.f32(name, *plane.shape)
        cv2.boxFilter(plane, -1, (side, side), dst=summed, normalize=False, borderType=cv2.BORDER_CONSTANT)
        return summed

    def _enlarged(self, name: str, plane: F32, like: U8) -> U8:
        small = self._scratch.u8("rounded", *plane.shape)
        cv2.convertScaleAbs(plane, dst=small)
        whole = self._scratch.u8(name, *like.shape)
        cv2.resize(small, like.shape[::-1], dst=whole)
        return whole
