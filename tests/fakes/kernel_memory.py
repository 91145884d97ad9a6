"""Where the kernels find their arrays: the host's memory, or a GPU's. The same checks run on both."""

import numpy as np

from models.cuda.kernels.face import FaceKernels
from tests.fakes.host_kernels import HostKernels, HostModule

__all__ = ["DeviceMemory", "HostMemory"]

_GUARD = 64
"""Bytes before and behind an array that nothing may write."""
_GUARD_VALUE = 0xA5


class HostMemory:
    """The host's, with guards round each array."""

    def __init__(self, kernels: HostKernels) -> None:
        self.kernels = FaceKernels(HostModule(kernels))
        self.stream = None
        self._held: dict[int, np.ndarray] = {}

    def put(self, array: np.ndarray) -> int:
        """A copy of `array`; its address."""
        block = np.full(array.nbytes + 2 * _GUARD, _GUARD_VALUE, np.uint8)
        inner = block[_GUARD : _GUARD + array.nbytes]
        inner[:] = np.frombuffer(array.tobytes(), np.uint8)
        self._held[inner.ctypes.data] = block
        return inner.ctypes.data

    def get(self, address: int, shape, dtype=np.uint8) -> np.ndarray:
        block = self._held[address]
        assert (block[:_GUARD] == _GUARD_VALUE).all(), "written before the array"
        assert (block[-_GUARD:] == _GUARD_VALUE).all(), "written behind the array"
        return block[_GUARD:-_GUARD].view(dtype).reshape(shape).copy()


class DeviceMemory:
    """A GPU's, through `models.cuda.base.Cuda`."""

    def __init__(self, cuda, module) -> None:
        self.kernels = FaceKernels(module)
        self.stream = cuda.stream()
        self._cuda = cuda
        self._held: list[int] = []

    def put(self, array: np.ndarray) -> int:
        host = self._cuda.pinned(array.nbytes)
        host[:] = np.frombuffer(array.tobytes(), np.uint8)
        self._held.append(self._cuda.allocate(array.nbytes))
        self.stream.upload(self._held[-1], host)
        self.stream.synchronise()
        return self._held[-1]

    def get(self, address: int, shape, dtype=np.uint8) -> np.ndarray:
        host = self._cuda.pinned(int(np.prod(shape)) * np.dtype(dtype).itemsize)
        self.stream.download(host, address)
        self.stream.synchronise()
        return host.view(dtype).reshape(shape).copy()

    def close(self) -> None:
        for address in self._held:
            self._cuda.free(address)
        self.stream.close()
