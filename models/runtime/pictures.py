"""Which input and which output of a network is the picture, and what their shapes are."""

from collections.abc import Sequence

from models.errors import ModelError
from models.runtime.base import EACH, InputSpec, PictureOut, TensorSpec

__all__ = ["fed_shape", "find_input", "find_output", "given_shape", "network_shape"]

_FREE = -1


def fed_shape(picture: InputSpec) -> tuple[int, int, int, int]:
    """As the caller feeds it: NHWC."""
    return picture.batch, picture.height, picture.width, 3


def network_shape(picture: InputSpec) -> tuple[int, int, int, int]:
    """As the network takes it."""
    count, height, width, channels = fed_shape(picture)
    return (count, height, width, channels) if picture.layout == "nhwc" else (count, channels, height, width)


def given_shape(shape: tuple[int, ...], picture: PictureOut) -> tuple[int, int, int, int]:
    """A network's output as the session gives it: NHWC."""
    if picture.layout == "nhwc":
        count, height, width, channels = shape
    else:
        count, channels, height, width = shape
    return count, height, width, channels


def find_input(inputs: Sequence[TensorSpec], picture: InputSpec, model: str) -> tuple[int, int]:
    """The position of the picture input, and the pictures a run there will be: `picture.batch`, or 1 where
    EACH is asked of a network of a fixed batch of 1.

    The input of that name, else the first that takes such a picture. `model` is for the error. Raises
    ModelError when there is none.
    """
    wanted = network_shape(picture)
    fitting = [index for index, spec in enumerate(inputs) if _takes(spec.shape, wanted)]
    named = [index for index in fitting if picture.name and inputs[index].name == picture.name]
    if not fitting:
        raise ModelError(
            f"{model} has no picture input of the shape {wanted}: it has {_told(inputs)}",
            "use the file that the catalogue names: realtime models fetch",
        )
    index = (named or fitting)[0]
    fixed = picture.batch == EACH and inputs[index].shape[0] != _FREE
    return index, 1 if fixed else picture.batch


def find_output(outputs: Sequence[TensorSpec], picture: PictureOut, model: str) -> int:
    """The position of the picture output. `model` is for the error. Raises ModelError when there is none."""
    wanted = (_FREE, _FREE, _FREE, 3) if picture.layout == "nhwc" else (_FREE, 3, _FREE, _FREE)
    for index, spec in enumerate(outputs):
        if picture.output is not None and picture.output not in (index, spec.name):
            continue
        unsaid = picture.output is not None and not spec.shape
        if unsaid or (spec.dtype in ("float32", "float16") and _fits(spec.shape, wanted)):
            return index
    asked = "" if picture.output is None else f" called {picture.output!r}"
    raise ModelError(
        f"{model} has no output{asked} that is a picture, {picture.layout} with three channels: "
        f"it has {_told(outputs)}",
        "use the file that the catalogue names: realtime models fetch",
    )


def _takes(own: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    if wanted[0] == EACH and len(own) == 4 and own[0] in (1, _FREE):
        return _fits(own[1:], wanted[1:])
    return _fits(own, wanted)


def _fits(own: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    return len(own) == len(wanted) and all(
        _FREE in (mine, theirs) or mine == theirs for mine, theirs in zip(own, wanted, strict=True)
    )


def _told(specs: Sequence[TensorSpec]) -> str:
    return ", ".join(f"{spec.name!r} {spec.shape} {spec.dtype}" for spec in specs) or "none"
