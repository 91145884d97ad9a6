"""Small real networks as ONNX files, with answers that can be computed by hand."""

from pathlib import Path

import numpy as np

from models.build.onnx_writer import GraphWriter
from models.build.stand_ins import StandIn, write_stand_in

__all__ = ["TINY", "scaling_network", "tiny_network"]

TINY = StandIn("tiny", "for tests", 16, (8, 16), 1, styled=False, skips=False)


def tiny_network(path: Path) -> Path:
    """Layers of every kind that a plain stand-in has, on a 16 px picture."""
    write_stand_in(TINY, path)
    return path


def scaling_network(path: Path, *factors: float, side_px: int = 16) -> Path:
    """A picture multiplied by one factor after the other."""
    graph = GraphWriter("scaling")
    tensor = graph.input("picture", (1, 3, side_px, side_px))
    for number, factor in enumerate(factors, 1):
        name = "result" if number == len(factors) else None
        tensor = graph.node("Mul", (tensor, graph.constant(np.array([factor], np.float32))), output=name)
    graph.output("result", (1, 3, side_px, side_px))
    graph.write(path)
    return path
