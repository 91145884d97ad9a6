"""Inference sessions without inference."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.runtime.base import TensorSpec

__all__ = ["ConstantSession"]


class ConstantSession:
    """Answers every run with the same arrays and keeps what it was fed."""

    def __init__(
        self,
        results: Mapping[str, NDArray[Any]],
        *,
        inputs: Mapping[str, tuple[int, ...]],
        dtype: str = "uint8",
    ) -> None:
        self.results = dict(results)
        self.fed: list[dict[str, NDArray[Any]]] = []
        self.closed = 0
        self.warmed = 0
        self._inputs = tuple(TensorSpec(name, shape, dtype) for name, shape in inputs.items())

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        return self._inputs

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        return tuple(TensorSpec(name, array.shape, array.dtype.name) for name, array in self.results.items())

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        self.fed.append({name: np.array(array) for name, array in feeds.items()})
        return dict(self.results)

    def warmup(self) -> None:
        self.warmed += 1

    def close(self) -> None:
        self.closed += 1
