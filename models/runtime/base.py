"""What an inference session is, whatever runs it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from numpy.typing import NDArray

__all__ = [
    "EACH",
    "InputSpec",
    "Normalisation",
    "PerChannel",
    "PictureOut",
    "Session",
    "TensorSpec",
]

PerChannel = tuple[float, float, float]

EACH = -1
"""As a batch: as many pictures as are fed. The same number as `models.entries.FREE`."""


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """A named input or output; a dimension of -1 is free."""

    name: str
    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True, slots=True, init=False)
class Normalisation:
    """From a u8 BGR picture to the network's input: (pixel - mean) / scale, per channel of `order`."""

    mean: PerChannel
    """In pixel values, 0..255."""
    scale: PerChannel
    """In pixel values."""
    order: str
    """"rgb" or "bgr"."""

    def __init__(self, mean: float | PerChannel, scale: float | PerChannel, order: str = "rgb") -> None:
        """One number stands for all three channels."""
        object.__setattr__(self, "mean", _per_channel(mean))
        object.__setattr__(self, "scale", _per_channel(scale))
        object.__setattr__(self, "order", order)


@dataclass(frozen=True, slots=True)
class InputSpec:
    """Folds the preparation of a picture into the session, so that it is fed uint8 NHWC BGR as it comes."""

    height: int
    width: int
    layout: str
    """The network's own: "nhwc" or "nchw"."""
    normalisation: Normalisation
    batch: int = 1
    """Pictures a run. EACH: as many as are fed, if the network leaves its first dimension free; if not it is
    1, which the session's own input then says."""
    name: str = ""
    """What the network calls this input; it decides between several that could be it."""


@dataclass(frozen=True, slots=True)
class PictureOut:
    """Folds the decoding of an output into the session, so that it gives uint8 (N, H, W, 3) BGR.

    A run whose output is not finite raises SwapError, with the places of such pictures in the batch.
    """

    black_white: tuple[float, float]
    """The network's values that become 0 and 255; what lies beyond is cut."""
    order: str = "rgb"
    """"rgb" or "bgr", of the network's channels."""
    layout: str = "nchw"
    """The network's own: "nchw" or "nhwc"."""
    output: str | int | None = None
    """Its name or its position; None: the first output of three channels in that layout."""


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


def _per_channel(value: float | PerChannel) -> PerChannel:
    if isinstance(value, tuple):
        first, second, third = value
        return float(first), float(second), float(third)
    return (float(value),) * 3
