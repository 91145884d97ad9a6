"""Buffers that are used again, whatever size is asked for: the live path then allocates next to nothing."""

from math import prod

import numpy as np
from numpy.typing import NDArray

__all__ = ["Scratch"]


class Scratch:
    """Arrays by name. Belongs to one thread."""

    def __init__(self) -> None:
        self._bytes: dict[str, NDArray[np.uint8]] = {}

    def u8(self, name: str, *shape: int) -> NDArray[np.uint8]:
        """A uint8 array of `shape`, C-contiguous, undefined; valid until `name` is asked for again."""
        return self._take(name, prod(shape)).reshape(shape)

    def f32(self, name: str, *shape: int) -> NDArray[np.float32]:
        """As `u8`, float32."""
        return self._take(name, 4 * prod(shape)).view(np.float32).reshape(shape)

    def _take(self, name: str, size: int) -> NDArray[np.uint8]:
        held = self._bytes.get(name)
        if held is None or held.size < size:
            held = self._bytes[name] = np.empty(size, np.uint8)
        return held[:size]
