"""Where the faces are: BlazeFace and YuNet behind one Protocol."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from models.catalog import Contract, Model, lookup
from models.errors import ModelError
from models.runtime.base import InputSpec, Session
from models.runtime.registry import open_session

__all__ = ["BlazeFace", "Detection", "Detector", "YuNet", "open_detector"]

SCORE_THRESHOLD = 0.5
OVERLAP_THRESHOLD = 0.3  # intersection over union from which two boxes are the same face
YUNET_STRIDES = (8, 16, 32)


@dataclass(frozen=True, slots=True)
class Detection:
    """One face found, in pixels of the source frame."""

    box: tuple[float, float, float, float]
    """x0, y0, x1, y1; may reach outside the frame."""
    points: NDArray[np.float32]
    """(4, 2): the eye on the left of an upright face as seen, the other eye, the tip of the nose, the middle
    of the mouth."""
    score: float
    """0 to 1."""


class Detector(Protocol):
    """Finds every face in a frame."""

    def detect(self, bgr: NDArray[np.uint8]) -> tuple[Detection, ...]:
        """The faces in an (H, W, 3) uint8 frame, the surest first. Raises BackendError."""
        ...

    def close(self) -> None:
        """Idempotent, never raises."""
        ...


class BlazeFace:
    """V. Bazarevsky et al., "BlazeFace: sub-millisecond neural face detection on mobile GPUs", 2019.

    Each anchor is the centre of a grid cell; its 16 regressors are a box (centre, width, height) and six
    points (two eyes, nose, mouth, two ears) in pixels of the network's input, relative to that centre.
    """

    def __init__(
        self,
        session: Session,
        contract: Contract,
        anchors: tuple[tuple[int, int], ...],
        *,
        score_threshold: float = SCORE_THRESHOLD,
    ) -> None:
        picture = contract.picture
        self._session = session
        self._input = session.inputs[0].name
        self._boxes = _output(session, contract, "boxes")
        self._scores = _output(session, contract, "scores")
        self._centres = _grid(picture, anchors)
        count = self._centres.shape[0]
        for name, width in ((self._boxes, 16), (self._scores, 1)):
            _check_shape(session, name, (1, count, width))
        self._letterbox = _Letterbox(picture)
        self._logit_threshold = float(np.log(score_threshold / (1 - score_threshold)))

    def detect(self, bgr: NDArray[np.uint8]) -> tuple[Detection, ...]:
        outputs = self._session.run({self._input: self._letterbox.fill(bgr)})
        logits = outputs[self._scores][0, :, 0]
        found = np.flatnonzero(logits >= self._logit_threshold)
        if found.size == 0:
            return ()
        centres = self._centres[found]
        regressors = outputs[self._boxes][0, found].astype(np.float32).reshape(-1, 8, 2)
        middles = regressors[:, 0] + centres
        halves = regressors[:, 1] / 2
        boxes = np.concatenate([middles - halves, middles + halves], axis=1)
        points = regressors[:, 2:6] + centres[:, np.newaxis]
        scores = 1 / (1 + np.exp(-np.clip(logits[found], -100.0, 100.0)))
        return _detections(self._letterbox, boxes, points, scores)

    def close(self) -> None:
        self._session.close()


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
        self._letterbox = _Letterbox(picture)
        self._score_threshold = score_threshold
        self._corners: dict[int, NDArray[np.float32]] = {}
        for stride in YUNET_STRIDES:
            # The grid counts from the corner of a cell, half a stride before its centre.
            self._corners[stride] = _grid(picture, ((stride, 1),)) - stride / 2
            count = self._corners[stride].shape[0]
            for name, width in (("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10)):
                _check_shape(session, f"{name}_{stride}", (1, count, width))

    def detect(self, bgr: NDArray[np.uint8]) -> tuple[Detection, ...]:
        outputs = self._session.run({self._input: self._letterbox.fill(bgr)})
        parts = [self._decode(outputs, stride) for stride in YUNET_STRIDES]
        boxes, points, scores = (np.concatenate(column) for column in zip(*parts, strict=True))
        if scores.size == 0:
            return ()
        four = np.concatenate([points[:, :3], points[:, 3:].mean(axis=1, keepdims=True)], axis=1)
        return _detections(self._letterbox, boxes, four, scores)

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


def open_detector(name: str, folder: Path, backend: str = "openvino", device: str = "CPU") -> Detector:
    """The detector `name` of the catalogue, its file in `folder`. Raises ModelError and BackendError."""
    model = lookup([name])[0]
    if model.role != "detector":
        raise ModelError(f"{name} is a {model.role}, not a detector", "choose one by: realtime models list")
    session = open_session(folder / model.file, backend, device=device, picture=model.contract.picture)
    try:
        return _detector(model, session)
    except BaseException:
        session.close()
        raise


def _detector(model: Model, session: Session) -> Detector:
    if model.family == "blazeface":
        return BlazeFace(session, model.contract, model.anchors)
    if model.family == "yunet":
        return YuNet(session, model.contract)
    raise ModelError(f"no detector is of the family {model.family!r}", "correct models/catalog.toml")


class _Letterbox:
    """Shrinks a frame into the network's input, whole and centred, and brings coordinates back."""

    def __init__(self, picture: InputSpec) -> None:
        self._canvas = np.zeros((1, picture.height, picture.width, 3), dtype=np.uint8)
        self._frame_shape: tuple[int, ...] = ()
        self._inner = self._canvas[0]
        self.offset = np.zeros(2, dtype=np.float32)
        self.scale = np.ones(2, dtype=np.float32)
        """Source pixels per pixel of the network's input, in x and y."""

    def fill(self, bgr: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The (1, H, W, 3) input that shows `bgr`; the next call overwrites it."""
        if bgr.shape != self._frame_shape:
            self._fit(bgr.shape)
        height, width = self._inner.shape[:2]
        cv2.resize(bgr, (width, height), dst=self._inner, interpolation=cv2.INTER_AREA)
        return self._canvas

    def to_source(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """(..., 2) from edge-based coordinates of the input to pixel coordinates of the frame."""
        return (points - self.offset) * self.scale - np.float32(0.5)

    def _fit(self, shape: tuple[int, ...]) -> None:
        rows, columns = self._canvas.shape[1:3]
        factor = min(rows / shape[0], columns / shape[1])
        height, width = max(1, round(shape[0] * factor)), max(1, round(shape[1] * factor))
        top, left = (rows - height) // 2, (columns - width) // 2
        self._canvas[:] = 0
        self._inner = self._canvas[0, top : top + height, left : left + width]
        self.offset = np.array([left, top], dtype=np.float32)
        self.scale = np.array([shape[1] / width, shape[0] / height], dtype=np.float32)
        self._frame_shape = shape


def _grid(picture: InputSpec, anchors: tuple[tuple[int, int], ...]) -> NDArray[np.float32]:
    """(N, 2) centres of the cells, in pixels of the network's input: row by row, stride after stride.

    The layout of W. Liu et al., "SSD: single shot multibox detector", 2016, with square anchors of one size.
    """
    parts = []
    for stride, per_cell in anchors:
        rows, columns = np.arange(picture.height // stride), np.arange(picture.width // stride)
        y, x = np.meshgrid((rows + 0.5) * stride, (columns + 0.5) * stride, indexing="ij")
        parts.append(np.repeat(np.stack([x.ravel(), y.ravel()], axis=1), per_cell, axis=0))
    return np.concatenate(parts).astype(np.float32)


def _detections(
    letterbox: _Letterbox,
    boxes: NDArray[np.float32],
    points: NDArray[np.float32],
    scores: NDArray[np.float32],
) -> tuple[Detection, ...]:
    """One detection for each cluster of overlapping boxes, the surest first.

    A cluster's box and points are the mean of its members weighted by their scores (the blending of the
    BlazeFace paper, section 3.3): the surest box alone jumps between neighbouring anchors.
    """
    left = np.argsort(-scores, kind="stable")
    detections = []
    while left.size:
        same = _overlap(boxes[left[0]], boxes[left]) > OVERLAP_THRESHOLD
        same[0] = True
        members, left = left[same], left[~same]
        weights = (scores[members] / scores[members].sum()).astype(np.float32)
        box = letterbox.to_source((weights @ boxes[members]).reshape(2, 2)).ravel()
        mean_points = np.tensordot(weights, points[members], axes=1)
        detections.append(
            Detection(
                box=(float(box[0]), float(box[1]), float(box[2]), float(box[3])),
                points=letterbox.to_source(mean_points).astype(np.float32),
                score=float(scores[members[0]]),
            )
        )
    return tuple(detections)


def _overlap(box: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    """Intersection over union of one box with each of the others; 0 where both are empty."""
    low, high = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    shared: NDArray[np.float32] = np.prod(np.maximum(high - low, 0), axis=1)
    areas = np.prod(np.maximum(others[:, 2:] - others[:, :2], 0), axis=1)
    union = np.prod(np.maximum(box[2:] - box[:2], 0)) + areas - shared
    overlap: NDArray[np.float32] = shared / np.maximum(union, np.finfo(np.float32).tiny)
    return overlap


def _output(session: Session, contract: Contract, meaning: str) -> str:
    name = contract.outputs.get(meaning, "")
    if name not in {spec.name for spec in session.outputs}:
        raise ModelError(
            f"the model has no output named {name!r}, which its contract says are the {meaning}",
            "use the file that the catalogue names: realtime models fetch",
        )
    return name


def _check_shape(session: Session, name: str, shape: tuple[int, ...]) -> None:
    found = {spec.name: spec.shape for spec in session.outputs}.get(name)
    fits = found is not None and len(found) == len(shape)
    if not fits or any(a not in (-1, b) for a, b in zip(found or (), shape, strict=True)):
        raise ModelError(
            f"the model's output {name!r} has the shape {found}, not {shape}: it is another model",
            "use the file that the catalogue names: realtime models fetch",
        )
