"""Occlusion by an XSeg network: how likely each pixel of a crop is visible face."""

from pathlib import Path

import cv2
import numpy as np

from models.entries import Model
from models.loading import OpenModel, open_model
from models.masks.edges import Mask, to_size
from models.masks.network import LOOKED_AT_PX, check_finite, settle
from models.masks.view import View
from models.neural.align import Alignment, crop
from models.precision import FP32
from models.scratch import Scratch

__all__ = ["XsegMask", "open_xseg"]


class XsegMask:
    """Belongs to one thread; its buffers are reused."""

    def __init__(self, network: OpenModel, name: str, side: int) -> None:
        """`side`: of the network's picture, pixels."""
        self._session = network.session
        self._input, self._output = network.names["picture"], network.names["output:mask"]
        self._name = name
        self._picture = np.zeros((1, side, side, 3), np.uint8)
        self._whole = np.empty((side, side), np.uint8)
        self._small = np.empty((LOOKED_AT_PX, LOOKED_AT_PX), np.uint8)
        self._scratch = Scratch()

    def look(self, view: View, out: Mask) -> None:
        """Write (S, S) uint8 into `out`: 255 where the face is seen. Raises BackendError."""
        side = self._picture.shape[1]
        crop(view.picture, Alignment(view.to_crop, view.size).resized(side), self._picture[0])
        given = self._session.run({self._input: self._picture})[self._output].reshape(side, side)
        check_finite(given, self._name)
        likely = np.clip(given, 0, 1, out=self._scratch.f32("likely", side, side))
        cv2.convertScaleAbs(likely, dst=self._whole, alpha=255)
        cv2.resize(self._whole, self._small.shape, dst=self._small, interpolation=cv2.INTER_AREA)
        factor = LOOKED_AT_PX / view.size
        shift = (factor - 1) / 2
        settle(
            self._small,
            view,
            np.array([[factor, 0.0, shift], [0.0, factor, shift]]),
            self._scratch,
        )
        to_size(self._small, view.size, out)

    def close(self) -> None:
        """Idempotent, never raises."""
        self._session.close()


def open_xseg(model: Model, folder: Path, backend: str, device: str, precision: str = FP32) -> XsegMask:
    """The network `model` of the catalogue's family xseg. Raises ModelError and BackendError."""
    network = open_model(model, folder, backend, device=device, precision=precision)
    try:
        return XsegMask(network, model.name, model.contract.picture.height)
    except BaseException:
        network.session.close()
        raise
