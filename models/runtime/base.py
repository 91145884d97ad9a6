"""What an inference session is, whatever runs it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from numpy.typing import NDArray

__all__ = ["InputSpec", "Normalisation", "Session", "TensorSpec"]


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """A named input or output; a dimension of -1 is free."""

    name: str
    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True, slots=True)
class Normalisation:
    """From a u8 BGR picture to the network's input: (pixel - mean) / scale, channels as `order`."""

    mean: float
    scale: float
    order: str = "rgb"


@dataclass(frozen=True, slots=True)
class InputSpec:
    """Folds the preparation of a picture into the session, so that it is fed uint8 NHWC BGR as it comes.

    `layout` is the network's own: "nhwc" or "nchw".
    """

    height: int
    width: int
    layout: str
    normalisation: Normalisation


class Session(Protocol):
    """A loaded network, used by one thread."""

    @property
    def inputs(self) -> tuple[TensorSpec, ...]: ...

    @property
    def outputs(self) -> tuple[TensorSpec, ...]: ...

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Arrays by name in, arrays by name out. The outputs are overwritten by the next run.

        Raises BackendError when the backend fails.
        """
        ...

    def warmup(self) -> None:
        """Run once on zeros (`proof.blank`), so that the first frame is no slower.

        Raises BackendError when the backend fails.
        """
        ...

    def close(self) -> None:
        """Idempotent, never raises."""
        ...
