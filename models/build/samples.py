"""Real inputs of a network, from pictures: for calibration and to compare a build with its original."""

from collections.abc import Iterator, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.entries import FREE, InputContract, PictureFeed
from models.errors import ModelError
from models.runtime.base import TensorSpec

__all__ = ["Samples", "fed_by_contract"]

Picture = NDArray[np.uint8]
Feeds = dict[str, NDArray[Any]]

_PLAIN = ("rgb", (0.0, 0.0, 0.0), (255.0, 255.0, 255.0))
"""How a network is fed of which nothing is known: RGB, 0 to 1."""
_SEED = 7
_DEFAULT_SIDE_PX = 256
"""For a picture of any size."""


class Samples(Sequence[Feeds]):
    """Feeds made when they are asked for, one for each picture; 512 px pictures of floats are large.

    What is no picture is drawn at random, the same for the same number: an embedding is a vector of
    length 1, any other input is 0.5 everywhere, the middle of the weights that restorers take.
    """

    def __init__(
        self, inputs: Sequence[TensorSpec], contract: Sequence[InputContract], pictures: Sequence[Picture]
    ) -> None:
        """Raises ModelError when an input is neither a picture nor something that can be drawn."""
        if not pictures:
            raise ModelError("there is no picture to calibrate with", "name a folder with pictures in it")
        self._fed = fed_by_contract(inputs, contract)
        self._pictures = pictures

    def __len__(self) -> int:
        return len(self._pictures)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        number = index % len(self)
        random = np.random.default_rng((_SEED, number))
        return {
            spec.name: self._value(spec, feed, self._pictures[number], random) for spec, feed in self._fed
        }

    def __iter__(self) -> Iterator[Feeds]:
        for number in range(len(self)):
            yield self[number]

    def _value(
        self, spec: TensorSpec, feed: PictureFeed | None, picture: Picture, random: np.random.Generator
    ) -> NDArray[Any]:
        if feed is not None:
            return _prepared(picture, spec, feed)
        shape = tuple(1 if size == FREE else size for size in spec.shape)
        if len(shape) == 2:
            drawn = random.standard_normal(shape)
            unit: NDArray[Any] = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
            return unit.astype(spec.dtype)
        return np.full(shape, 0.5, spec.dtype)


def fed_by_contract(
    inputs: Sequence[TensorSpec], contract: Sequence[InputContract]
) -> list[tuple[TensorSpec, PictureFeed | None]]:
    """Each input of the network and how a picture is fed to it; None for what is no picture.

    An input belongs to the entry of the contract that has its name, else to the next one of as many
    dimensions. Without an entry an input of four dimensions, three of them channels, is a picture.
    Raises ModelError.
    """
    left = list(contract)
    found: list[tuple[TensorSpec, PictureFeed | None]] = []
    for spec in inputs:
        named = [each for each in left if each.name and each.name == spec.name]
        like = named or [each for each in left if len(each.shape) == len(spec.shape)]
        if like:
            left.remove(like[0])
            found.append((spec, like[0].feed))
            continue
        if len(spec.shape) == 4:
            if 3 not in (spec.shape[1], spec.shape[3]):
                raise ModelError(
                    f"the input {spec.name!r} of the shape {spec.shape} is no picture of three channels",
                    "a build needs real inputs, and these can only be made of pictures",
                )
            layout = "nchw" if spec.shape[1] == 3 else "nhwc"
            found.append((spec, PictureFeed(layout, *_PLAIN)))
            continue
        found.append((spec, None))
    return found


def _prepared(picture: Picture, spec: TensorSpec, feed: PictureFeed) -> NDArray[Any]:
    height, width = spec.shape[2:4] if feed.layout == "nchw" else spec.shape[1:3]
    height, width = (_DEFAULT_SIDE_PX if size == FREE else size for size in (height, width))
    fitted = cv2.resize(_cut(picture, width / height), (width, height), interpolation=cv2.INTER_AREA)
    ordered = fitted[:, :, ::-1] if feed.order == "rgb" else fitted
    mean, scale = np.array(feed.mean, np.float32), np.array(feed.scale, np.float32)
    values = (ordered.astype(np.float32) - mean) / scale
    laid = values.transpose(2, 0, 1) if feed.layout == "nchw" else values
    return np.ascontiguousarray(laid[np.newaxis], dtype=spec.dtype)


def _cut(picture: Picture, aspect: float) -> Picture:
    """The largest part from the middle that has the network's aspect."""
    height, width = picture.shape[:2]
    across, down = min(width, round(height * aspect)), min(height, round(width / aspect))
    left, top = (width - max(across, 1)) // 2, (height - max(down, 1)) // 2
    return picture[top : top + max(down, 1), left : left + max(across, 1)]
