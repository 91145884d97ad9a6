"""Networks with the shape and the cost of the real ones and random weights, to compare speed without weights.

A stand-in says nothing about quality: its picture is noise. What it shares with the real network is what
its speed depends on: the size of the picture, the kinds of layers, their channels and the operations.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np

from models.build.onnx_writer import GraphWriter

__all__ = ["FORM", "STAND_INS", "StandIn", "write_stand_in"]

FORM = 1
"""Of what is written; one more whenever the same stand-in would come out different."""

IDENTITY_SIZE = 512
"""Values of the embedding that tells a swapper whose face to draw."""
SEED = 20_261_121
_LEAK = 0.2
"""Slope of the leaky rectifier below zero, as StyleGAN2 and its restorers have it."""


@dataclass(frozen=True, slots=True)
class StandIn:
    """One architecture: a stem, steps down by stride 2, residual blocks, steps up, a picture."""

    name: str
    about: str
    side_px: int
    """Of the square picture that goes in and comes out: (1, 3, side, side) float32, 0 to 1."""
    channels: tuple[int, ...]
    """Of the stem, then after each step down; the steps up have the same in reverse."""
    blocks: int
    """Residual blocks of two 3x3 convolutions each, at the bottom."""
    styled: bool
    """The blocks normalise each channel and scale and shift it by the identity, a second input (1, 512)."""
    skips: bool
    """The steps up are given what the steps down had, as in a U-shaped restorer."""


STAND_INS: Mapping[str, StandIn] = MappingProxyType(
    {
        stand_in.name: stand_in
        for stand_in in (
            StandIn("small_128", "a light 128 px swapper", 128, (32, 64, 128), 6, styled=False, skips=False),
            StandIn(
                "swapper_128",
                "128 px, as heavy as inswapper_128",
                128,
                (96, 160, 1024),
                4,
                styled=True,
                skips=False,
            ),
            StandIn("swapper_256", "a 256 px swapper", 256, (64, 128, 256, 512), 4, styled=True, skips=False),
            StandIn(
                "enhancer_512",
                "a 512 px restorer",
                512,
                (32, 64, 128, 256, 256, 512),
                4,
                styled=False,
                skips=True,
            ),
        )
    }
)


def write_stand_in(stand_in: StandIn, path: Path) -> float:
    """Write the network as ONNX; returns its cost in GFLOP, two for each multiplication and addition.

    The same bytes every time. Raises OSError.
    """
    drawn = _Drawing(GraphWriter(stand_in.name))
    picture = drawn.graph.input("picture", (1, 3, stand_in.side_px, stand_in.side_px))
    identity = drawn.graph.input("identity", (1, IDENTITY_SIZE)) if stand_in.styled else None
    side = stand_in.side_px
    tensor = drawn.convolved(picture, 3, stand_in.channels[0], side, kernel=7)
    passed = [(tensor, stand_in.channels[0])]
    for before, after in zip(stand_in.channels, stand_in.channels[1:], strict=False):
        side //= 2
        tensor = drawn.convolved(tensor, before, after, side, stride=2)
        passed.append((tensor, after))
    for _ in range(stand_in.blocks):
        tensor = drawn.block(tensor, stand_in.channels[-1], side, identity)
    width = passed.pop()[1]
    while passed:
        skipped, after = passed.pop()
        side *= 2
        tensor = drawn.doubled(tensor)
        if stand_in.skips:
            tensor, width = drawn.graph.node("Concat", (tensor, skipped), axis=1), width + after
        tensor, width = drawn.convolved(tensor, width, after, side), after
    tensor = drawn.convolved(tensor, width, 3, side, kernel=7, rectified=False)
    drawn.graph.node("Sigmoid", (tensor,), output="result")
    drawn.graph.output("result", (1, 3, side, side))
    drawn.graph.write(path)
    return drawn.operations / 1e9


class _Drawing:
    """Layers with weights drawn so that the activations keep their size through the network."""

    def __init__(self, graph: GraphWriter) -> None:
        self.graph = graph
        self.operations = 0
        self._random = np.random.default_rng(SEED)

    def convolved(
        self,
        tensor: str,
        before: int,
        after: int,
        side: int,
        *,
        kernel: int = 3,
        stride: int = 1,
        rectified: bool = True,
        gain: float = 1.0,
    ) -> str:
        """`side` is that of the result."""
        fan_in = before * kernel * kernel
        # K. He et al., "Delving deep into rectifiers", 2015: this variance keeps that of the activations.
        spread = np.float32(gain * np.sqrt(2.0 / (1.0 + _LEAK**2) / fan_in))
        weights = self._random.standard_normal((after, before, kernel, kernel), dtype=np.float32) * spread
        bias = self._random.standard_normal(after, dtype=np.float32) * np.float32(0.05)
        self.operations += 2 * fan_in * after * side * side
        result = self.graph.node(
            "Conv",
            (tensor, self.graph.constant(weights), self.graph.constant(bias)),
            kernel_shape=(kernel, kernel),
            pads=(kernel // 2,) * 4,
            strides=(stride, stride),
        )
        return self.graph.node("LeakyRelu", (result,), alpha=_LEAK) if rectified else result

    def block(self, tensor: str, channels: int, side: int, identity: str | None) -> str:
        inner = tensor
        for rectified in (True, False):
            inner = self.convolved(inner, channels, channels, side, rectified=False, gain=0.5)
            if identity is not None:
                inner = self._styled(inner, channels, identity)
            if rectified:
                inner = self.graph.node("LeakyRelu", (inner,), alpha=_LEAK)
        return self.graph.node("Add", (tensor, inner))

    def _styled(self, tensor: str, channels: int, identity: str) -> str:
        """X. Huang, S. Belongie, "Arbitrary style transfer in real-time", 2017."""
        graph = self.graph
        ones, zeros = np.ones(channels, np.float32), np.zeros(channels, np.float32)
        flat = graph.node(
            "InstanceNormalization", (tensor, graph.constant(ones), graph.constant(zeros)), epsilon=1e-5
        )
        size = graph.constant(np.array([1, channels, 1, 1], np.int64))
        scale, shift = (
            graph.node("Reshape", (self._dense(identity, channels, start), size)) for start in (1.0, 0.0)
        )
        return graph.node("Add", (graph.node("Mul", (flat, scale)), shift))

    def _dense(self, identity: str, channels: int, start: float) -> str:
        weights = self._random.standard_normal((IDENTITY_SIZE, channels), dtype=np.float32) * np.float32(0.3)
        self.operations += 2 * IDENTITY_SIZE * channels
        bias = np.full(channels, start, np.float32)
        return self.graph.node("Gemm", (identity, self.graph.constant(weights), self.graph.constant(bias)))

    def doubled(self, tensor: str) -> str:
        scales = self.graph.constant(np.array([1, 1, 2, 2], np.float32))
        return self.graph.node(
            "Resize",
            (tensor, "", scales),
            mode="nearest",
            coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        )
