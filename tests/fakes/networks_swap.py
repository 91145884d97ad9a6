"""Swappers, converters and recognisers as small ONNX files, with answers that can be computed by hand."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from models.build.onnx_writer import GraphWriter

__all__ = [
    "SHADE",
    "converter_network",
    "dfm_network",
    "painted",
    "permutation",
    "picture_swapper",
    "recogniser_network",
    "swapper_network",
    "tint",
]

SHADE = 0.5
"""What the swappers leave of the wearer's picture; the rest of the colour is the other face's."""
Fault = Literal["", "nan", "constant", "same"]
""""same": the wearer's picture comes out as it went in."""


def tint(vector: NDArray[np.floating]) -> NDArray[np.float32]:
    """(3,): what a swapper adds to the channels, in its own units: the vector's first three numbers."""
    return np.asarray(vector, np.float32).ravel()[:3]


def painted(crop: NDArray[np.uint8], added: NDArray[np.floating]) -> NDArray[np.uint8]:
    """What a swapper in 0..1 makes of a u8 BGR crop: the crop shaded, and 255 times `added`, which is RGB."""
    value = crop.astype(np.float64) * SHADE + 255.0 * np.asarray(added, np.float64)[::-1]
    return np.clip(np.rint(value), 0, 255).astype(np.uint8)


def permutation(seed: int = 3) -> NDArray[np.float32]:
    """(512, 512) float32: as `e @ matrix` moves the numbers of a vector, and doubles them."""
    order = np.random.default_rng(seed).permutation(512)
    return (2 * np.eye(512, dtype=np.float32))[:, order]


def swapper_network(
    path: Path,
    *,
    side: int = 16,
    batch: int | str = 1,
    source_batch: int | str | None = None,
    names: tuple[str, str] = ("target", "source"),
    mask: bool = False,
    mask_first: bool = False,
    emap: NDArray[np.float32] | None = None,
    fault: Fault = "",
    width: int = 512,
) -> Path:
    """The shaded picture plus the first three numbers of the embedding; a mask that is 1 less the red of it.

    The network neither knows nor cares what range its picture has: it adds in its own units.
    """
    graph = GraphWriter("swapper")
    picture = graph.input(names[0], (batch, 3, side, side))
    vector = graph.input(names[1], (batch if source_batch is None else source_batch, width))
    first = np.zeros((width, 3), np.float32)
    first[:3] = np.eye(3)
    colour = graph.node("MatMul", (vector, graph.constant(first)))
    colour = graph.node("Reshape", (colour, graph.constant(np.array([-1, 3, 1, 1], np.int64))))
    shaded = graph.node("Mul", (picture, graph.constant(np.array([SHADE], np.float32))))
    outputs = []
    _faulty(graph, picture, shaded, colour, fault)
    if mask:
        red = graph.constant(np.array([[[[1.0]], [[0.0]], [[0.0]]]], np.float32).reshape(1, 3, 1, 1))
        alone = graph.node("Conv", (picture, red))
        one = graph.constant(np.array([1.0], np.float32))
        graph.node("Sub", (one, alone), output="mask")
        outputs.append(("mask", (batch, 1, side, side)))
    outputs.insert(len(outputs) if mask_first else 0, ("output", (batch, 3, side, side)))
    if emap is not None:
        graph.constant(emap, name="buff2fs")
    for name, shape in outputs:
        graph.output(name, shape)
    graph.write(path)
    return path


def picture_swapper(path: Path, *, side: int = 16, source_side: int = 8, batch: int | str = 1) -> Path:
    """The shaded picture plus the mean colour of the source's, which comes first, as in exports."""
    graph = GraphWriter("picture_swapper")
    source = graph.input("source", (batch, 3, source_side, source_side))
    picture = graph.input("target", (batch, 3, side, side))
    shaded = graph.node("Mul", (picture, graph.constant(np.array([SHADE], np.float32))))
    colour = graph.node("GlobalAveragePool", (source,))
    graph.node("Add", (shaded, colour), output="output")
    graph.output("output", (batch, 3, side, side))
    graph.write(path)
    return path


def dfm_network(
    path: Path,
    *,
    side: int | str = 16,
    batch: int | str = 1,
    morph: bool = True,
    order: Sequence[int] = (0, 1, 2),
) -> Path:
    """The shaded picture, with the morph value added to all channels if there is one; two masks.

    The face's own mask is the blue of the picture, the other face's the green; `order` is that of the face
    mask, the picture and the celebrity's mask among the outputs.
    """
    graph = GraphWriter("dfm")
    picture = graph.input("in_face:0", (batch, side, side, 3))
    shaded = graph.node("Mul", (picture, graph.constant(np.array([SHADE], np.float32))))
    if morph:
        value = graph.input("morph_value:0", (1,))
        graph.node("Add", (shaded, value), output="out_celeb_face:0")
    else:
        graph.node("Identity", (shaded,), output="out_celeb_face:0")
    for name, channel in (("out_face_mask:0", 0), ("out_celeb_face_mask:0", 1)):
        graph.node(
            "Gather",
            (picture, graph.constant(np.array([channel], np.int64))),
            output=name,
            axis=3,
        )
    flat = (batch, side, side, 1)
    said = [("out_face_mask:0", flat), ("out_celeb_face:0", (batch, side, side, 3))]
    said.append(("out_celeb_face_mask:0", flat))
    for index in order:
        graph.output(*said[index])
    graph.write(path)
    return path


def converter_network(path: Path, matrix: NDArray[np.float32]) -> Path:
    """A vector of 512 multiplied by a matrix."""
    graph = GraphWriter("converter")
    vector = graph.input("input", (1, 512))
    graph.node("MatMul", (vector, graph.constant(matrix)), output="output")
    graph.output("output", (1, 512))
    graph.write(path)
    return path


def recogniser_network(path: Path, *, width: int = 512, side: int = 112, gain: float = 1.0) -> Path:
    """The mean red, green and blue of its picture, times `gain`; the rest of the vector is zeros."""
    graph = GraphWriter("recogniser")
    picture = graph.input("input.1", (1, 3, side, side))
    pooled = graph.node("GlobalAveragePool", (picture,))
    flat = graph.node("Reshape", (pooled, graph.constant(np.array([1, 3], np.int64))))
    spread = np.zeros((3, width), np.float32)
    spread[range(3), range(3)] = gain
    graph.node("MatMul", (flat, graph.constant(spread)), output="683")
    graph.output("683", (1, width))
    graph.write(path)
    return path


def _faulty(graph: GraphWriter, picture: str, shaded: str, colour: str, fault: Fault) -> None:
    if fault == "":
        graph.node("Add", (shaded, colour), output="output")
        return
    if fault == "constant":
        nothing = graph.node("Mul", (shaded, graph.constant(np.array([0.0], np.float32))))
        graph.node("Add", (nothing, colour), output="output")
        return
    if fault == "same":
        nothing = graph.node("Mul", (colour, graph.constant(np.array([0.0], np.float32))))
        graph.node("Add", (picture, nothing), output="output")
        return
    # The root of a negative number is none: with a vector whose first numbers are below -1, all is negative.
    graph.node("Sqrt", (graph.node("Add", (shaded, colour)),), output="output")
