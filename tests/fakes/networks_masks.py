"""Mask networks as small ONNX files, with answers that can be computed by hand."""

from pathlib import Path

import numpy as np

from models.build.onnx_writer import GraphWriter

__all__ = ["PART_COLOURS", "parts_network", "xseg_network"]

PART_COLOURS = {
    0: (0, 0, 0),  # the ground
    1: (0, 200, 0),  # skin
    4: (200, 0, 0),  # an eye
    17: (0, 0, 200),  # hair
}
"""The class of each BGR colour, to `parts_network`."""
_MEAN = np.array([123.675, 116.28, 103.53])
_SCALE = np.array([58.395, 57.12, 57.375])
_NEVER = -1000.0


def xseg_network(path: Path, *, side: int = 256, fault: str = "", swapped: bool = False) -> Path:
    """Visible is what is not blue: 1 - b, of a BGR picture in 0..1. `fault`: "nan"; `swapped`: NCHW, which no
    xseg is."""
    graph = GraphWriter("xseg")
    shape = (1, 3, side, side) if swapped else (1, side, side, 3)
    tensor = graph.input("in_face:0", shape)
    if not swapped:
        tensor = graph.node("MatMul", (tensor, graph.constant(np.array([[-1], [0], [0]], np.float32))))
    bias = np.array([np.nan if fault == "nan" else 1], np.float32)
    graph.node("Add", (tensor, graph.constant(bias)), output="out_mask:0")
    graph.output("out_mask:0", shape if swapped else (1, side, side, 1))
    graph.write(path)
    return path


def parts_network(path: Path, *, side: int = 512, fault: str = "") -> Path:
    """The nearest of PART_COLOURS wins, in RGB by ImageNet's mean and deviation."""
    weights = np.zeros((19, 3, 1, 1), np.float32)
    bias = np.full(19, _NEVER, np.float32)
    for part, bgr in PART_COLOURS.items():
        colour = (np.array(bgr[::-1]) - _MEAN) / _SCALE
        weights[part, :, 0, 0] = 4 * colour
        bias[part] = -2 * float((colour**2).sum())
    if fault == "nan":
        bias[:] = np.nan
    graph = GraphWriter("parts")
    tensor = graph.input("input", (1, 3, side, side))
    graph.node("Conv", (tensor, graph.constant(weights), graph.constant(bias)), output="output")
    graph.output("output", (1, 19, side, side))
    graph.write(path)
    return path
