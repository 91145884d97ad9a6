"""The shapes that an engine is built for: one each by default, or a range."""

from collections.abc import Mapping
from dataclasses import dataclass

from models.errors import BackendError

__all__ = ["Range", "profile_for"]


@dataclass(frozen=True, slots=True)
class Range:
    """The shapes that an input may have, from `least` to `most`; the engine is tuned for `best`."""

    least: tuple[int, ...]
    best: tuple[int, ...]
    most: tuple[int, ...]

    def __post_init__(self) -> None:
        if not len(self.least) == len(self.best) == len(self.most):
            raise ValueError(f"the shapes differ in length: {self.least}, {self.best}, {self.most}")
        if not all(1 <= low <= mid <= high for low, mid, high in zip(*self.shapes(), strict=True)):
            raise ValueError(f"the shapes do not rise: {self.least}, {self.best}, {self.most}")

    @classmethod
    def fixed(cls, shape: tuple[int, ...]) -> "Range":
        return cls(shape, shape, shape)

    def shapes(self) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
        return self.least, self.best, self.most

    def holds(self, shape: tuple[int, ...]) -> bool:
        return len(shape) == len(self.least) and all(
            low <= size <= high for low, size, high in zip(self.least, shape, self.most, strict=True)
        )

    @property
    def free(self) -> tuple[int, ...]:
        """The shape with -1 where it varies."""
        return tuple(low if low == high else -1 for low, high in zip(self.least, self.most, strict=True))


def profile_for(
    inputs: Mapping[str, tuple[int, ...]], wanted: Mapping[str, Range] | None = None
) -> dict[str, Range]:
    """A range for each of the network's inputs, whose shapes have -1 where they are free.

    An input that `wanted` does not name gets one shape: its own, with a free first dimension (the batch)
    set to 1. Raises BackendError for any other free dimension, and for what does not fit the network.
    """
    ranges = {}
    wanted = wanted or {}
    if unknown := set(wanted) - set(inputs):
        raise BackendError(
            f"there is no input named {min(unknown)!r}", f"its inputs are: {', '.join(inputs) or 'none'}"
        )
    for name, shape in inputs.items():
        chosen = wanted.get(name)
        if chosen is None:
            assumed = (1, *shape[1:]) if shape and shape[0] == -1 else shape
            if -1 in assumed:
                raise BackendError(
                    f"the input {name!r} has the shape {shape}: TensorRT must know how large it can be",
                    "give it a smallest, a usual and a largest shape",
                )
            ranges[name] = Range.fixed(assumed)
        elif any(
            len(each) != len(shape)
            or any(own not in (-1, size) for own, size in zip(shape, each, strict=True))
            for each in chosen.shapes()
        ):
            raise BackendError(
                f"the input {name!r} has the shape {shape}, which does not allow {chosen.free}",
                "give it shapes that fit the network",
            )
        else:
            ranges[name] = chosen
    return ranges
