"""YuNet, of any fixed input size that is a multiple of 32."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.catalog import Contract
from models.detection import SCORE_THRESHOLD, Detection, Letterbox, cell_centres, check_output, merged
from models.runtime.base import Session

__all__ = ["YuNet"]

STRIDES = (8, 16, 32)


class YuNet:
    """W. Wu, H. Peng, S. Yu, "YuNet: a tiny millisecond-level face detector", 2023.

    One prediction per cell at each stride: the box's centre relative to the cell's corner and the logarithm
    of its size, both in strides, and five points (two eyes, nose, two mouth corners) in strides. The score is
    the geometric mean of class and objectness.
    """

    def __init__(
        self, session: Session, contract: Contract, *, score_threshold: float = SCORE_THRESHOLD
    ) -> None:
        picture = contract.picture
        self._session = session
        self._input = session.inputs[0].name
        self._letterbox = Letterbox(picture)
        self._score_threshold = score_threshold
        self._corners: dict[int, NDArray[np.float32]] = {}
        for stride in STRIDES:
            # The grid counts from the corner of a cell, half a stride before its centre.
            self._corners[stride] = cell_centres(picture, ((stride, 1),)) - stride / 2
            count = self._corners[stride].shape[0]
            for name, width in (("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10)):
                check_output(session, f"{name}_{stride}", (1, count, width))

    def detect(self, bgr: NDArray[np.uint8]) -> tuple[Detection, ...]:
        outputs = self._session.run({self._input: self._letterbox.fill(bgr)})
        parts = [self._decode(outputs, stride) for stride in STRIDES]
        boxes, points, scores = (np.concatenate(column) for column in zip(*parts, strict=True))
        if scores.size == 0:
            return ()
        four = np.concatenate([points[:, :3], points[:, 3:].mean(axis=1, keepdims=True)], axis=1)
        return merged(self._letterbox, boxes, four, scores)

    def _decode(
        self, outputs: dict[str, NDArray[Any]], stride: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        product = outputs[f"cls_{stride}"][0, :, 0] * outputs[f"obj_{stride}"][0, :, 0]
        scores = np.sqrt(np.clip(product, 0.0, 1.0))
        found = np.flatnonzero(scores >= self._score_threshold)
        corners = self._corners[stride][found]
        regressors = outputs[f"bbox_{stride}"][0, found] * np.float32(1)
        middles = corners + regressors[:, :2] * stride
        halves = np.exp(regressors[:, 2:]) * (stride / 2)
        boxes = np.concatenate([middles - halves, middles + halves], axis=1)
        offsets = outputs[f"kps_{stride}"][0, found].reshape(-1, 5, 2)
        return boxes, corners[:, np.newaxis] + offsets * stride, scores[found]

    def close(self) -> None:
        self._session.close()
