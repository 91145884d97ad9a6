"""A face on its way through a network on the GPU, and where its pictures lie there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from models.cuda.base import Stream
from models.cuda.device_chain import Squares
from models.cuda.kernels.face import DeviceTensor, Region
from models.errors import RealtimeError
from models.neural.face import GivenFace, Uncut
from models.neural.source_feed import SourceFeed

__all__ = ["DeviceFace", "DeviceNetwork", "batches_of", "meet", "own_of", "slot_of"]

Picture = NDArray[np.uint8]


class DeviceNetwork(Protocol):
    """`models.runtime.tensorrt_device.TensorRTOnDevice`."""

    def tensor(self, name: str) -> DeviceTensor: ...

    def reshape(self, fed: Mapping[str, tuple[int, ...]]) -> None: ...

    def feed(self, name: str, array: NDArray[Any], stream: Stream) -> None: ...

    def enqueue(self, stream: Stream) -> None: ...

    def close(self) -> None: ...


@dataclass(slots=True)
class DeviceFace:
    """A face on its way."""

    given: GivenFace
    uncut: Uncut
    feed: SourceFeed | None = None
    squares: Squares | None = None
    index: int = 0
    """Of its square among `squares`."""
    targets: Squares | None = None
    """The wearer's own, where it was cut on the device; of the same index."""
    bgr: Picture | None = None
    region: Region | None = None
    """Where it is pasted."""
    error: RealtimeError | None = None


def batches_of(faces: Sequence[DeviceFace]) -> list[Squares]:
    """The squares of all faces, each batch once."""
    found: list[Squares] = []
    for face in faces:
        if face.squares is not None and not any(face.squares is each for each in found):
            found.append(face.squares)
    return found


def own_of(face: DeviceFace, batches: Sequence[Squares], pictures: Sequence[Picture]) -> Picture:
    """The face's own of what was brought of each batch."""
    at = next(number for number, each in enumerate(batches) if each is face.squares)
    return np.asarray(pictures[at][face.index])


def slot_of(tensor: DeviceTensor, index: int) -> DeviceTensor:
    """One place of a batch."""
    one = int(np.prod(tensor.shape[1:])) * np.dtype(tensor.dtype).itemsize
    return DeviceTensor(tensor.address + index * one, (1, *tensor.shape[1:]), tensor.dtype)


def meet(one: Region, other: Region) -> bool:
    """Whether they have a pixel in common."""
    return (
        one.x < other.x + other.width
        and other.x < one.x + one.width
        and one.y < other.y + other.height
        and other.y < one.y + one.height
    )
