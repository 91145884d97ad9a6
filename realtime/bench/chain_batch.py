"""A swapper that takes several faces at once, as a file: random weights, for what a batch costs."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from models.build.onnx_writer import GraphWriter
from models.catalog import lookup
from models.neural.swapper import NeuralSwapper, open_swapper

__all__ = ["batch_swapper", "write_batch_network"]

CONTRACT = "inswapper_128"
"""Of the catalogue: whose contract is kept, but for the free batch."""
CHANNELS = (32, 64, 128)
BLOCKS = 4
FILE = "batch-stand-in.onnx"
_SEED = 20_261_121


def batch_swapper(folder: Path, backend: str, device: str = "") -> NeuralSwapper:
    """Written into `folder`, opened on `backend`. Raises OSError, and what `open_swapper` raises."""
    write_batch_network(folder / FILE)
    (model,) = lookup([CONTRACT])
    return open_swapper(replace(model, file=FILE), folder, backend, device)


def write_batch_network(path: Path) -> None:
    """Steps down, blocks at a quarter of 128 px, steps up; the face's vector shifts the bottom's channels."""
    graph = GraphWriter("batch")
    random = np.random.default_rng(_SEED)

    def convolved(tensor: str, before: int, after: int, stride: int = 1) -> str:
        spread = np.float32(np.sqrt(2 / (before * 9)))
        weights = random.standard_normal((after, before, 3, 3), dtype=np.float32) * spread
        inputs = (tensor, graph.constant(weights))
        return graph.node("Conv", inputs, kernel_shape=(3, 3), pads=(1, 1, 1, 1), strides=(stride, stride))

    def doubled(tensor: str) -> str:
        scales = graph.constant(np.array([1, 1, 2, 2], np.float32))
        return graph.node(
            "Resize", (tensor, "", scales), mode="nearest", coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        )  # fmt: skip

    picture = graph.input("target", ("faces", 3, 128, 128))
    vector = graph.input("source", ("faces", 512))
    tensor, bottom = convolved(picture, 3, CHANNELS[0]), CHANNELS[-1]
    for before, after in pairwise(CHANNELS):
        tensor = graph.node("LeakyRelu", (convolved(tensor, before, after, 2),), alpha=0.2)
    told = random.standard_normal((512, bottom), dtype=np.float32) * np.float32(0.05)
    shift = graph.node("MatMul", (vector, graph.constant(told)))
    shape = graph.constant(np.array([-1, bottom, 1, 1], np.int64))
    tensor = graph.node("Add", (tensor, graph.node("Reshape", (shift, shape))))
    for _ in range(BLOCKS):
        inner = graph.node("LeakyRelu", (convolved(tensor, bottom, bottom),), alpha=0.2)
        tensor = graph.node("Add", (tensor, convolved(inner, bottom, bottom)))
    for before, after in pairwise(CHANNELS[::-1]):
        tensor = graph.node("LeakyRelu", (convolved(doubled(tensor), before, after),), alpha=0.2)
    graph.node("Sigmoid", (convolved(tensor, CHANNELS[0], 3),), output="output")
    graph.output("output", ("faces", 3, 128, 128))
    graph.write(path)
