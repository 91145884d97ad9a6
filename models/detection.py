"""What a detection is, and the steps that detectors share: letterbox, grid of cells, merging."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.errors import ModelError
from models.runtime.base import InputSpec, Session

__all__ = [
    "OVERLAP_THRESHOLD",
    "SCORE_THRESHOLD",
    "Box",
    "Detection",
    "Letterbox",
    "cell_centres",
    "check_output",
    "covered",
    "merged",
]

SCORE_THRESHOLD = 0.5
OVERLAP_THRESHOLD = 0.3  # intersection over union from which two boxes are the same face

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Detection:
    """One face found, in pixels of the source frame."""

    box: Box
    """x0, y0, x1, y1; may reach outside the frame."""
    points: NDArray[np.float32]
    """(4, 2): the eye on the left of an upright face as seen, the other eye, the tip of the nose, the middle
    of the mouth."""
    score: float
    """0 to 1."""


class Letterbox:
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


def cell_centres(picture: InputSpec, anchors: tuple[tuple[int, int], ...]) -> NDArray[np.float32]:
    """(N, 2) centres of the cells, in pixels of the network's input: row by row, stride after stride.

    The layout of W. Liu et al., "SSD: single shot multibox detector", 2016, with square anchors of one size.
    """
    parts = []
    for stride, per_cell in anchors:
        rows, columns = np.arange(picture.height // stride), np.arange(picture.width // stride)
        y, x = np.meshgrid((rows + 0.5) * stride, (columns + 0.5) * stride, indexing="ij")
        parts.append(np.repeat(np.stack([x.ravel(), y.ravel()], axis=1), per_cell, axis=0))
    return np.concatenate(parts).astype(np.float32)


def merged(
    letterbox: Letterbox,
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


def covered(box: Box, other: Box) -> float:
    """The part of the smaller box that both cover: a face cut by a tile's edge is the whole one again."""
    width = min(box[2], other[2]) - max(box[0], other[0])
    height = min(box[3], other[3]) - max(box[1], other[1])
    smaller = min((b[2] - b[0]) * (b[3] - b[1]) for b in (box, other))
    return max(0.0, width) * max(0.0, height) / smaller if smaller > 0 else 0.0


def _overlap(box: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    """Intersection over union of one box with each of the others; 0 where both are empty."""
    low, high = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    shared: NDArray[np.float32] = np.prod(np.maximum(high - low, 0), axis=1)
    areas = np.prod(np.maximum(others[:, 2:] - others[:, :2], 0), axis=1)
    union = np.prod(np.maximum(box[2:] - box[:2], 0)) + areas - shared
    overlap: NDArray[np.float32] = shared / np.maximum(union, np.finfo(np.float32).tiny)
    return overlap


def check_output(session: Session, name: str, shape: tuple[int, ...]) -> None:
    """Raise ModelError when the network has no output of this name and shape."""
    found = {spec.name: spec.shape for spec in session.outputs}.get(name)
    fits = found is not None and len(found) == len(shape)
    if not fits or any(a not in (-1, b) for a, b in zip(found or (), shape, strict=True)):
        raise ModelError(
            f"the model's output {name!r} is {found}, not {shape} as the contract says",
            "use the file that the catalogue names: realtime models fetch",
        )
