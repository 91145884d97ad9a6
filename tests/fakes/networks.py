"""Small real networks as ONNX files, with answers that can be computed by hand."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from models.build.onnx_writer import GraphWriter
from models.build.stand_ins import StandIn, write_stand_in

__all__ = ["TINY", "mixing_network", "scaling_network", "tiny_network"]

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


def mixing_network(
    path: Path,
    shape: Sequence[int | str],
    factors: Mapping[str, float],
    *,
    weight: str = "",
    fault: str = "",
) -> Path:
    """The sum of its pictures, all of `shape`, each by its factor; an input `weight` (1,) is a factor too.

    The output "other" has one channel less and comes before "mixed". `fault`: an operator that "mixed" goes
    through at last, such as "Log" or "Sqrt".
    """
    graph = GraphWriter("mixing")
    terms = [
        graph.node("Mul", (graph.input(name, shape), graph.constant(np.array([factor], np.float32))))
        for name, factor in factors.items()
    ]
    total = terms[0]
    for term in terms[1:]:
        total = graph.node("Add", (total, term))
    if weight:
        total = graph.node("Mul", (total, graph.input(weight, (1,))))
    axis = 1 if shape[1] == 3 else 3
    bounds = [graph.constant(np.array([value], np.int64)) for value in (0, 2, axis)]
    graph.node("Slice", (total, *bounds), output="other")
    graph.node(fault or "Identity", (total,), output="mixed")
    graph.output("other", [2 if index == axis else size for index, size in enumerate(shape)])
    graph.output("mixed", shape)
    graph.write(path)
    return path
