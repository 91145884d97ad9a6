"""Recognisers whose answers can be computed."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.build.onnx_writer import GraphWriter
from tests.fakes.people import looks_like

__all__ = ["PlacedRecogniser", "colour_recogniser"]

CROP_PX, CELLS = 112, 4


def colour_recogniser(path: Path, size: int = 512) -> Path:
    """A network of ArcFace's contract: the mean colours of 16 cells of the crop, and zeros."""
    graph = GraphWriter("colours")
    picture = graph.input("input.1", (1, 3, CROP_PX, CROP_PX))
    side = CROP_PX // CELLS
    means = graph.node("AveragePool", (picture,), kernel_shape=[side, side], strides=[side, side])
    row = graph.node("Reshape", (means, graph.constant(np.array([1, 3 * CELLS**2], np.int64))))
    widen = np.eye(3 * CELLS**2, size, dtype=np.float32)
    graph.node("MatMul", (row, graph.constant(widen)), output="embedding")
    graph.output("embedding", (1, size))
    graph.write(path)
    return path


class PlacedRecogniser:
    """Knows people by where their faces are: the middle of a face, in hundreds of pixels from the left."""

    def __init__(self, likeness: float = 0.9) -> None:
        self.likeness = likeness
        self.looked: list[int] = []
        self.answer: NDArray[np.float32] | None = None
        """Given to everything, if set."""
        self.closed = 0

    def embed(self, bgr: NDArray[np.uint8], points: NDArray[np.float32]) -> NDArray[np.float32]:
        person = int(points[:, 0].mean()) // 100
        self.looked.append(person)
        return looks_like(person, self.likeness) if self.answer is None else self.answer

    def close(self) -> None:
        self.closed += 1
