"""The chain's networks without their work: pictures are prepared and decoded, and nothing in between."""

from collections.abc import Callable, Mapping
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.catalog import lookup
from models.entries import Contract, Model
from models.loading import OpenModel
from models.masks.masker import Masker
from models.masks.settings import BOX, HULL, OWN, MaskSettings
from models.masks.xseg import XsegMask
from models.neural.enhancer import NeuralEnhancer
from models.neural.swapper import NeuralSwapper
from models.runtime.base import EACH, TensorSpec
from models.runtime.decode import PictureDecoder
from models.runtime.encode import PictureEncoder
from models.runtime.pictures import network_shape

__all__ = [
    "ENHANCER",
    "MASK",
    "SWAPPER",
    "ReadySession",
    "network_masks",
    "outline_masks",
    "ready",
    "ready_enhancer",
]
__all__ += ["ready_swapper"]

SWAPPER, ENHANCER, MASK = "hyperswap_1a_256", "gfpgan_1.4", "xseg_3"
"""Whose contracts are kept: 256 px with a mask of its own, 512 px in another square, 256 px."""
_TONED = np.array([0.9, 0.8, 1.0], np.float32)
"""What the swapper's answer makes of the channels it was fed: another tone, for the colours to be matched."""


def _at_once() -> None:
    pass


class ReadySession:
    """Belongs to one thread. What it answers is made of the first pictures that it is fed."""

    def __init__(self, contract: Contract, wait: Callable[[], None] = _at_once) -> None:
        """`wait` is called once a run, however many pictures it has: the network's own time."""
        fed = next(each for each in contract.inputs if each.role == "picture")
        self._picture = contract.picture
        self._name = fed.name or "picture"
        self._encoder = PictureEncoder(self._picture)
        self._decoder = None if contract.picture_out is None else PictureDecoder(contract.picture_out)
        self._contract = contract
        self._wait = wait
        self._others = tuple(each for each in contract.inputs if each.role != "picture")
        self._blob = np.zeros((0,), np.float32)
        self._answers: dict[str, NDArray[np.float32]] = {}

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        picture = TensorSpec(self._name, (EACH, self._picture.height, self._picture.width, 3), "uint8")
        others = (TensorSpec(each.name, (EACH, *each.shape[1:]), each.dtype) for each in self._others)
        return picture, *others

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        returns = self._contract.returns.items()
        return tuple(TensorSpec(name, (EACH, *shape[1:]), "float32") for name, shape in returns)

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        pictures = feeds[self._name]
        shape: tuple[int, ...] = (len(pictures), *network_shape(self._picture)[1:])
        if self._blob.shape != shape:
            self._blob = np.zeros(shape, np.float32)
            self._answers = {}
        self._encoder.encode(pictures, self._blob)
        if not self._answers:
            self._answers = {name: self._answer(name, pictures) for name in self._contract.returns}
        self._wait()
        results: dict[str, NDArray[Any]] = dict(self._answers)
        if self._decoder is not None:
            results["picture"], _ = self._decoder.decode(self._answers["picture"])
        return results

    def warmup(self) -> None:
        """Nothing is slower the first time but what depends on the pictures."""

    def close(self) -> None:
        pass

    def _answer(self, name: str, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        if name != "picture":
            shape = (len(pictures), *self._contract.returns[name][1:])
            return np.ones(prod(shape), np.float32).reshape(shape)
        black, white = self._contract.output_range or (0.0, 1.0)
        values = pictures[..., ::-1].astype(np.float32) / 255 * _TONED[::-1] * (white - black) + black
        return np.ascontiguousarray(values.transpose(0, 3, 1, 2))


def ready(model: Model, wait: Callable[[], None] = _at_once) -> OpenModel:
    """A network with the contract of `model` that takes any number of pictures at once."""
    session = ReadySession(model.contract, wait)
    names = {each.role: each.name for each in model.contract.inputs if each.role != "picture"}
    names["picture"] = session.inputs[0].name
    names |= {f"output:{meaning}": meaning for meaning in model.contract.returns}
    gives = model.contract.picture_out is not None
    return OpenModel(session, names, takes_picture=True, gives_picture=gives, batch=True)


def ready_swapper(wait: Callable[[], None] = _at_once) -> NeuralSwapper:
    (model,) = lookup([SWAPPER])
    return NeuralSwapper(model, ready(model, wait))


def ready_enhancer(wait: Callable[[], None] = _at_once) -> NeuralEnhancer:
    (model,) = lookup([ENHANCER])
    return NeuralEnhancer(ready(model, wait), model)


def network_masks() -> Masker:
    """What a network sees before the face, and the swapper's own mask."""
    (model,) = lookup([MASK])
    settings = MaskSettings((BOX, OWN, MASK))
    network = XsegMask(ready(model), model.name, model.contract.picture.height)
    return Masker(settings, {MASK: network})


def outline_masks() -> Masker:
    """What follows from the landmarks."""
    return Masker(MaskSettings((BOX, HULL, OWN)), {})
