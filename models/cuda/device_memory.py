"""Device memory by name that is used again: after the first frames nothing is allocated any more."""

import logging
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.cuda.base import Cuda, CudaError, Stream

__all__ = ["DeviceMemory", "quietly"]

_log = logging.getLogger(__name__)


class DeviceMemory:
    """What one stream works with. Calls raise CudaError or DeviceLostError; `close` never raises."""

    def __init__(self, cuda: Cuda, stream: Stream) -> None:
        self._cuda = cuda
        self._stream = stream
        self._device: dict[str, tuple[int, int]] = {}
        self._pinned: dict[str, NDArray[np.uint8]] = {}

    def take(self, name: str, size_bytes: int) -> int:
        """The address of `size_bytes` at least; stands until more is asked for under this name.

        Where it grows, all that is in flight in the stream is waited for: it may use the old.
        """
        address, held_bytes = self._device.get(name, (0, 0))
        if held_bytes >= size_bytes:
            return address
        if held_bytes:
            self._stream.synchronise()
            del self._device[name]
            self._cuda.free(address)
        address = self._cuda.allocate(size_bytes)
        self._device[name] = (address, size_bytes)
        return address

    def pinned(self, name: str, size_bytes: int) -> NDArray[np.uint8]:
        """`size_bytes` of host memory that the GPU copies from and to; stands as what `take` gives.

        Freed with the last array that looks into it.
        """
        held = self._pinned.get(name)
        if held is None or held.size < size_bytes:
            if held is not None:
                self._stream.synchronise()
            held = self._pinned[name] = self._cuda.pinned(size_bytes)
        return held[:size_bytes]

    def close(self) -> None:
        """Idempotent. What is in flight must have been waited for."""
        while self._device:
            _, (address, _) = self._device.popitem()
            quietly(self._cuda.free, address)
        self._pinned.clear()


def quietly(step: Callable[..., None], *arguments: Any) -> None:
    """One step of closing: of a lost device everything fails, and its memory goes with the process."""
    try:
        step(*arguments)
    except CudaError as error:
        _log.debug("while closing: %s", error)
