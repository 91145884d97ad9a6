"""From a network's output to a picture, in one pass a channel."""

import math
from collections.abc import Iterable
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from models.errors import SwapError
from models.runtime.base import PictureOut
from models.runtime.pictures import given_shape

__all__ = ["PictureDecoder", "decode_picture", "not_finite"]


def decode_picture(
    output: NDArray[np.float32],
    black_white: tuple[float, float],
    order: str,
    out: NDArray[np.uint8],
    *,
    layout: str = "nchw",
) -> bool:
    """Write an output as pictures into `out`, (N, H, W, 3) uint8 BGR; whether all of it was finite.

    `output`: (N, 3, H, W) float32, or (N, H, W, 3) where `layout` is "nhwc"; `black_white`: its values that
    mean 0 and 255, what lies beyond is cut; `order`: "rgb" or "bgr", of its channels. Where it is not finite,
    what was written means nothing.
    """
    black, white = black_white
    scale = 255.0 / (white - black)
    finite = True
    for pictures, picture in zip(output, out, strict=True):
        planes = pictures if layout == "nchw" else cv2.split(pictures)
        channels = [
            cv2.addWeighted(plane, scale, plane, 0.0, -black * scale, dtype=cv2.CV_8U) for plane in planes
        ]
        finite = finite and all(math.isfinite(cv2.sumElems(plane)[0]) for plane in planes)
        cv2.merge(channels if order == "bgr" else channels[::-1], dst=picture)
    return finite


_Number = TypeVar("_Number", bound=np.generic)


class PictureDecoder:
    """Decodes one output run after run, into arrays that are made once and grow with the batch."""

    def __init__(self, picture: PictureOut) -> None:
        self._picture = picture
        self._single = np.empty((0,), np.float32)
        self._pictures = np.empty((0, 0, 0, 3), np.uint8)

    def another(self) -> "PictureDecoder":
        """The same, with arrays of its own."""
        return PictureDecoder(self._picture)

    def decode(self, output: NDArray[np.floating]) -> tuple[NDArray[np.uint8], list[bool]]:
        """(N, H, W, 3) uint8 BGR, overwritten by the next call, and of each whether its values were finite.

        `output`: float32 or float16, of the layout that the network has.
        """
        shape = given_shape(output.shape, self._picture)
        if len(self._pictures) < shape[0] or self._pictures.shape[1:] != shape[1:]:
            self._pictures = np.empty(shape, np.uint8)
        pictures = self._pictures if len(self._pictures) == shape[0] else self._pictures[: shape[0]]
        values = self._in_float32(output)
        chosen = self._picture
        finite = [
            decode_picture(each, chosen.black_white, chosen.order, picture, layout=chosen.layout)
            for each, picture in zip(_singly(values), _singly(pictures), strict=True)
        ]
        return pictures, finite

    def _in_float32(self, output: NDArray[np.floating]) -> NDArray[np.float32]:
        if output.dtype == np.float32:
            return output.astype(np.float32, copy=False)
        if self._single.shape != output.shape:
            self._single = np.empty(output.shape, np.float32)
        np.copyto(self._single, output)
        return self._single


def _singly(batch: NDArray[_Number]) -> list[NDArray[_Number]]:
    """The pictures of a batch, each a batch of one."""
    return [batch[index : index + 1] for index in range(len(batch))]


def not_finite(model: str, output: str, finite: Iterable[bool]) -> SwapError:
    """What a session raises when pictures that it should give are none; `finite`: of each of the batch."""
    return SwapError(
        f"{model} computes values of {output!r} that are no numbers",
        "use the model in fp32, or another backend",
        tuple(index for index, good in enumerate(finite) if not good),
    )
