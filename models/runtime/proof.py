"""Whether a session really runs its network: tried, not taken from a list."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from models.errors import BackendError
from models.runtime.base import Session, TensorSpec

__all__ = ["FREE_SIDE", "Feeds", "blank", "noise", "prove"]

FREE_SIDE = 64
"""Height and width of a picture whose size is free: most networks halve it five or six times."""

Feeds = dict[str, NDArray[np.generic]]


def blank(inputs: Iterable[TensorSpec]) -> Feeds:
    """Zeros for each input; a free dimension counts as 1, and as `FREE_SIDE` within a picture."""
    return {spec.name: np.zeros(_whole(spec.shape), spec.dtype) for spec in inputs}


def noise(inputs: Iterable[TensorSpec]) -> Feeds:
    """The same noise at each call: uint8 over its range, floats in [0, 1), zeros for every other type."""
    source = np.random.default_rng(0)
    feeds = blank(inputs)
    for name, array in feeds.items():
        if array.dtype == np.uint8:
            feeds[name] = source.integers(0, 256, array.shape, np.uint8)
        elif array.dtype.kind == "f":
            feeds[name] = source.random(array.shape).astype(array.dtype)
    return feeds


def prove(session: Session, name: str) -> None:
    """Run the session on zeros, then on noise, and look at what comes out. `name` is for the error.

    Raises BackendError when a run fails, or when noise yields what is not a number. Zeros may: a network
    that divides by the length of its input has no answer to them.
    """
    session.warmup()
    for output, array in session.run(noise(session.inputs)).items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            bad = np.count_nonzero(~np.isfinite(array))
            raise BackendError(
                f"{name} computes {bad} of {array.size} values of {output!r} that are no numbers",
                "use the model in fp32, or another backend",
            )


def _whole(shape: tuple[int, ...]) -> tuple[int, ...]:
    side = FREE_SIDE if len(shape) == 4 else 1
    return tuple(size if size >= 0 else 1 if index == 0 else side for index, size in enumerate(shape))
