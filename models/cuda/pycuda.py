"""CUDA through pycuda.

It works in the device's primary context, which TensorRT, ONNX Runtime and PyTorch share, and never imports
`pycuda.autoinit`, which would make a context of its own. pycuda has no graphs: work is enqueued each time.

Not run on a GPU: names were checked against pycuda's sources, the order of calls against a stand-in.
"""

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycuda import driver

from models.cuda.base import CudaError, DeviceInfo, DeviceLostError, Event, Graph, Module, Stream

__all__ = ["PyCuda"]

_NON_BLOCKING = 1  # CU_STREAM_NON_BLOCKING of cuda.h, for which pycuda has no name


class PyCuda:
    """One device. pycuda's objects belong to the context that is current in the calling thread: see `use`."""

    def __init__(self, index: int = 0) -> None:
        with _translated():
            driver.init()
            count = driver.Device.count()
        if index >= count:
            raise CudaError(
                f"there is no GPU {index}: CUDA finds {count}", "choose another device, or another backend"
            )
        with _translated():
            device = driver.Device(index)
            self._device = DeviceInfo(
                index, device.name(), tuple(device.compute_capability()), driver.get_driver_version()
            )
            self._context: Any = device.retain_primary_context()
        self._memory: dict[int, Any] = {}
        self._thread = threading.local()
        self.use()

    @property
    def device(self) -> DeviceInfo:
        return self._device

    def use(self) -> None:
        if not getattr(self._thread, "held", None):
            self._thread.held = _Pushed(self._context)

    def allocate(self, size_bytes: int) -> int:
        with _translated():
            memory = driver.mem_alloc(size_bytes)
        self._memory[int(memory)] = memory
        return int(memory)

    def free(self, address: int) -> None:
        with _translated():
            self._memory.pop(address).free()

    def pinned(self, size_bytes: int) -> NDArray[np.uint8]:
        with _translated():
            array: NDArray[np.uint8] = driver.pagelocked_empty(size_bytes, np.uint8)
        return array

    def stream(self) -> "_Stream":
        return _Stream()

    def event(self, *, timed: bool = False) -> "_Event":
        return _Event(timed)

    def module(self, image: bytes) -> Module:
        return _Module(image)

    def close(self) -> None:
        self._thread.held = None


class _Pushed:
    """The context, on the calling thread's stack until this object goes.

    Held by a threading.local, it goes with its thread at the latest: pycuda ends the whole process when a
    thread ends whose stack is not empty.
    """

    def __init__(self, context: Any) -> None:
        with _translated():
            context.push()

    def __del__(self) -> None:
        driver.Context.pop()


class _Event:
    def __init__(self, timed: bool) -> None:
        flags = driver.event_flags
        with _translated():
            self.raw: Any = driver.Event(flags.BLOCKING_SYNC | (0 if timed else flags.DISABLE_TIMING))

    def synchronise(self) -> None:
        with _translated():
            self.raw.synchronize()

    def elapsed_ms(self, earlier: Event) -> float:
        assert isinstance(earlier, _Event)
        with _translated():
            return float(self.raw.time_since(earlier.raw))

    def close(self) -> None:
        self.raw = None


class _Module:
    def __init__(self, image: bytes) -> None:
        with _translated():
            self._raw: Any = driver.module_from_buffer(image)
        self._functions: dict[str, Any] = {}

    def launch(
        self,
        name: str,
        grid: tuple[int, int, int],
        block: tuple[int, int, int],
        parameters: ctypes.Structure,
        stream: Stream,
    ) -> None:
        assert isinstance(stream, _Stream)
        with _translated():
            function = self._functions.get(name)
            if function is None:
                function = self._raw.get_function(name)
                function.prepare([f"{ctypes.sizeof(parameters)}s"])
                self._functions[name] = function
            function.prepared_async_call(grid, block, stream.raw, bytes(parameters))

    def close(self) -> None:
        """pycuda unloads a module with the last that refers to it."""
        self._functions.clear()
        self._raw = None


class _Stream:
    def __init__(self) -> None:
        with _translated():
            self.raw: Any = driver.Stream(_NON_BLOCKING)

    @property
    def handle(self) -> int:
        return int(self.raw.handle)

    def upload(self, address: int, host: NDArray[Any]) -> None:
        with _translated():
            driver.memcpy_htod_async(address, host, self.raw)

    def download(self, host: NDArray[Any], address: int) -> None:
        with _translated():
            driver.memcpy_dtoh_async(host, address, self.raw)

    def record(self, event: Event) -> None:
        assert isinstance(event, _Event)
        with _translated():
            event.raw.record(self.raw)

    def wait(self, event: Event) -> None:
        assert isinstance(event, _Event)
        with _translated():
            self.raw.wait_for_event(event.raw)

    def synchronise(self) -> None:
        with _translated():
            self.raw.synchronize()

    def begin_capture(self) -> None:
        raise CudaError("pycuda has no CUDA graphs", "install cuda-bindings: pip install cuda-bindings")

    def end_capture(self) -> Graph:
        raise CudaError("pycuda has no CUDA graphs", "install cuda-bindings: pip install cuda-bindings")

    def close(self) -> None:
        self.raw = None


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except driver.Error as error:
        try:
            # pycuda hides the error's code. One that has broken the context comes back from any call.
            driver.Context.synchronize()
        except driver.LogicError as again:
            if "invalid device context" not in str(again):
                raise DeviceLostError(str(error)) from error
        except driver.Error:
            raise DeviceLostError(str(error)) from error
        raise CudaError(f"CUDA failed: {error}", "try another backend") from error
