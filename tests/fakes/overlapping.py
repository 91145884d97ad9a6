"""A session that has frames in flight without inference, and answers with what it was fed."""

from collections import deque
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import BackendError, SwapError
from models.runtime.base import TensorSpec
from models.runtime.overlap import Result

__all__ = ["EchoingSession"]

SPECS = (TensorSpec("value", (1,), "int64"),)


class EchoingSession:
    """Negates its number. Its arrays are used again after `depth` frames, as the real ones are.

    `refused` and `failing`: what submitting, and what collecting, raises BackendError for; `faceless`: what
    collecting raises SwapError for.
    """

    def __init__(
        self,
        depth: int,
        *,
        refused: AbstractSet[int] = frozenset(),
        failing: AbstractSet[int] = frozenset(),
        faceless: AbstractSet[int] = frozenset(),
    ) -> None:
        self.depth = depth
        self.refused = refused
        self.failing = failing
        self.faceless = faceless
        self.most_in_flight = 0
        self.submitted = 0
        self._arrays = [np.zeros(1, np.int64) for _ in range(depth)]
        self._flying: deque[tuple[int, int]] = deque()

    inputs = outputs = SPECS

    @property
    def in_flight(self) -> int:
        return len(self._flying)

    def submit(self, feeds: Mapping[str, NDArray[Any]]) -> int:
        if self.in_flight == self.depth:
            raise RuntimeError("collect one first")
        value = int(feeds["value"][0])
        if value in self.refused:
            raise BackendError(f"{value} is refused", "feed another")
        self._flying.append((self.submitted, value))
        self._arrays[self.submitted % self.depth][:] = -value
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        self.submitted += 1
        return self.submitted - 1

    def collect(self) -> Result:
        if not self._flying:
            raise RuntimeError("submit one first")
        sequence, value = self._flying.popleft()
        if value in self.failing:
            raise BackendError(f"{value} failed", "feed another")
        if value in self.faceless:
            raise SwapError(f"{value} is no face", "feed another", (0,))
        return Result(sequence, {"value": self._arrays[sequence % self.depth]})

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        self.submit(feeds)
        return self.collect().outputs

    def warmup(self) -> None:
        pass

    def close(self) -> None:
        self._flying.clear()
