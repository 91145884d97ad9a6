"""From pictures to a network's input, in one pass a picture."""

import cv2
import numpy as np
from numpy.typing import NDArray

from models.runtime.base import InputSpec

__all__ = ["PictureEncoder"]


class PictureEncoder:
    """Writes pictures as one network takes them; what depends on the network alone is made once."""

    def __init__(self, picture: InputSpec) -> None:
        normalisation = picture.normalisation
        self._settings = cv2.dnn.Image2BlobParams()
        # A fourth channel is OpenCV's, for pictures that have one.
        self._settings.scalefactor = (*(1 / scale for scale in normalisation.scale), 1.0)
        self._settings.mean = (*normalisation.mean, 0.0)
        self._settings.swapRB = normalisation.order == "rgb"
        nhwc = picture.layout == "nhwc"
        self._settings.datalayout = cv2.DATA_LAYOUT_NHWC if nhwc else cv2.DATA_LAYOUT_NCHW

    def encode(self, bgr: NDArray[np.uint8], out: NDArray[np.float32]) -> None:
        """`bgr`: (N, H, W, 3); `out`: (N, 3, H, W) or (N, H, W, 3), the network's layout, C-contiguous."""
        for index, picture in enumerate(bgr):
            cv2.dnn.blobFromImageWithParams(picture, out[index : index + 1], self._settings)
