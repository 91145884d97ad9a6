"""Enhancers and upscalers as small ONNX files, with answers that can be computed by hand."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.build.onnx_writer import GraphWriter

__all__ = ["enhancer_network", "inverted", "upscaler_network"]


def inverted(crops: NDArray[np.uint8], weight: float = 1.0) -> NDArray[np.float64]:
    """What `enhancer_network` makes of u8 BGR pictures: their negative, less red the more weight it has."""
    value = 255.0 - crops
    value[..., 2] *= weight
    return value


def enhancer_network(
    path: Path, *, side: int = 16, batch: int | str = 1, weighted: bool = False, fault: str = ""
) -> Path:
    """RGB in -1..1 in and out, as (N, 3, side, side): the negative.

    `weighted`: an input "weight", float64 (1,), which multiplies the red. `fault`: "nan", "constant", "some":
    no numbers where a picture's first pixel is black.
    """
    graph = GraphWriter("enhancer")
    shape = (batch, 3, side, side)
    tensor = graph.input("input", shape)
    given = tensor
    tensor = graph.node("Neg", (tensor,))
    if weighted:
        graph.input("weight", (1,), double=True)
        single = graph.node("Cast", ("weight",), to=1)
        red, rest = np.zeros((1, 3, 1, 1), np.float32), np.ones((1, 3, 1, 1), np.float32)
        red[0, 0], rest[0, 0] = 1, 0
        factor = graph.node("Add", (graph.node("Mul", (graph.constant(red), single)), graph.constant(rest)))
        one = graph.constant(np.ones(1, np.float32))
        tensor = graph.node("Sub", (graph.node("Mul", (graph.node("Add", (tensor, one)), factor)), one))
    if fault in ("nan", "constant"):
        nothing = graph.constant(np.array([np.nan if fault == "nan" else 0], np.float32))
        tensor = graph.node("Mul", (tensor, nothing))
    if fault == "some":
        # 0/0 where the sum of the first pixel is that of black.
        bounds = [graph.constant(np.array(each, np.int64)) for each in ([0, 0], [1, 1], [2, 3])]
        corner = graph.node("Slice", (given, *bounds))
        dark = graph.node("ReduceSum", (corner, graph.constant(np.array([1, 2, 3], np.int64))), keepdims=1)
        three = graph.constant(np.array([3], np.float32))
        level = graph.node("Add", (dark, three))
        tensor = graph.node("Mul", (tensor, graph.node("Div", (level, level))))
    graph.node("Identity", (tensor,), output="output")
    graph.output("output", shape)
    graph.write(path)
    return path


def upscaler_network(path: Path, *, times: int = 4, fault: str = "") -> Path:
    """Each pixel becomes a square of `times` by `times`; of any size, RGB in 0..1."""
    graph = GraphWriter("upscaler")
    tensor = graph.input("input", (1, 3, "height", "width"))
    if fault:
        nothing = graph.constant(np.array([np.nan if fault == "nan" else 0], np.float32))
        tensor = graph.node("Mul", (tensor, nothing))
    roi = graph.constant(np.zeros(0, np.float32))
    scales = graph.constant(np.array([1, 1, times, times], np.float32))
    graph.node(
        "Resize",
        (tensor, roi, scales),
        output="output",
        mode="nearest",
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    )
    graph.output("output", (1, 3, "tall", "wide"))
    graph.write(path)
    return path
