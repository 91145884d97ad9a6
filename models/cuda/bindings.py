"""CUDA through NVIDIA's cuda-bindings: `cuda.bindings.runtime`, and `driver` for kernels, in one context.

Not run on a GPU: names and signatures were checked against cuda-bindings 13.5 without a driver, the order of
calls against a stand-in.
"""

import ctypes
import weakref
from typing import Any

import numpy as np
from cuda.bindings import driver, runtime
from numpy.typing import NDArray

from models.cuda.base import CudaError, DeviceInfo, DeviceLostError, Event, Graph, Module, Stream

__all__ = ["BindingsCuda"]

_LOST = frozenset(
    {
        "cudaErrorECCUncorrectable",
        "cudaErrorNvlinkUncorrectable",
        "cudaErrorContained",
        "cudaErrorIllegalAddress",
        "cudaErrorLaunchTimeout",
        "cudaErrorContextIsDestroyed",
        "cudaErrorAssert",
        "cudaErrorHardwareStackError",
        "cudaErrorIllegalInstruction",
        "cudaErrorMisalignedAddress",
        "cudaErrorInvalidAddressSpace",
        "cudaErrorInvalidPc",
        "cudaErrorLaunchFailure",
        "cudaErrorTensorMemoryLeak",
    }
)
"""After these the process must be started again: those of which CUDA's reference (cudaError_t) says so, and
uncorrectable errors of the memory and of NVLink."""


class BindingsCuda:
    """One device through the runtime's primary context, which other users of CUDA in the process share."""

    def __init__(self, index: int = 0) -> None:
        count = _call(runtime.cudaGetDeviceCount)
        if index >= count:
            raise CudaError(
                f"there is no GPU {index}: CUDA finds {count}", "choose another device, or another backend"
            )
        _call(runtime.cudaSetDevice, index)
        properties = _call(runtime.cudaGetDeviceProperties, index)
        self._device = DeviceInfo(
            index,
            bytes(properties.name).split(b"\0")[0].decode("ascii", "replace"),
            (int(properties.major), int(properties.minor)),
            int(_call(runtime.cudaDriverGetVersion)),
        )

    @property
    def device(self) -> DeviceInfo:
        return self._device

    def use(self) -> None:
        _call(runtime.cudaSetDevice, self._device.index)

    def allocate(self, size_bytes: int) -> int:
        return int(_call(runtime.cudaMalloc, size_bytes))

    def free(self, address: int) -> None:
        _call(runtime.cudaFree, address)

    def pinned(self, size_bytes: int) -> NDArray[np.uint8]:
        address = int(_call(runtime.cudaHostAlloc, size_bytes, runtime.cudaHostAllocDefault))
        block = (ctypes.c_uint8 * size_bytes).from_address(address)
        # Not a call that checks: it runs when an array dies, where nobody could catch what it raises.
        weakref.finalize(block, runtime.cudaFreeHost, address).atexit = False
        return np.ctypeslib.as_array(block)

    def stream(self) -> "_Stream":
        return _Stream()

    def event(self, *, timed: bool = False) -> "_Event":
        return _Event(timed)

    def module(self, image: bytes) -> Module:
        return _Module(image)

    def close(self) -> None:
        """The primary context stays: other users of CUDA in the process have it too."""


class _Event:
    def __init__(self, timed: bool) -> None:
        flags = runtime.cudaEventBlockingSync | (0 if timed else runtime.cudaEventDisableTiming)
        self.raw: Any = _call(runtime.cudaEventCreateWithFlags, flags)

    def synchronise(self) -> None:
        _call(runtime.cudaEventSynchronize, self.raw)

    def elapsed_ms(self, earlier: Event) -> float:
        assert isinstance(earlier, _Event)
        return float(_call(runtime.cudaEventElapsedTime, earlier.raw, self.raw))

    def close(self) -> None:
        if self.raw is not None:
            raw, self.raw = self.raw, None
            _call(runtime.cudaEventDestroy, raw)


class _Graph:
    def __init__(self, executable: Any) -> None:
        self._executable: Any = executable

    def launch(self, stream: Stream) -> None:
        assert isinstance(stream, _Stream)
        _call(runtime.cudaGraphLaunch, self._executable, stream.raw)

    def close(self) -> None:
        if self._executable is not None:
            executable, self._executable = self._executable, None
            _call(runtime.cudaGraphExecDestroy, executable)


class _Module:
    def __init__(self, image: bytes) -> None:
        self._raw: Any = _call_driver(driver.cuModuleLoadData, image)
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
        function = self._functions.get(name)
        if function is None:
            function = _call_driver(driver.cuModuleGetFunction, self._raw, name.encode())
            self._functions[name] = function
        # The driver copies the structure before it returns.
        pointers = (ctypes.c_void_p * 1)(ctypes.addressof(parameters))
        _call_driver(
            driver.cuLaunchKernel, function, *grid, *block, 0, stream.raw, ctypes.addressof(pointers), 0
        )

    def close(self) -> None:
        if self._raw is not None:
            raw, self._raw = self._raw, None
            self._functions.clear()
            _call_driver(driver.cuModuleUnload, raw)


class _Stream:
    def __init__(self) -> None:
        self.raw: Any = _call(runtime.cudaStreamCreateWithFlags, runtime.cudaStreamNonBlocking)

    @property
    def handle(self) -> int:
        return int(self.raw)

    def upload(self, address: int, host: NDArray[Any]) -> None:
        kind = runtime.cudaMemcpyKind.cudaMemcpyHostToDevice
        _call(runtime.cudaMemcpyAsync, address, host.ctypes.data, host.nbytes, kind, self.raw)

    def download(self, host: NDArray[Any], address: int) -> None:
        kind = runtime.cudaMemcpyKind.cudaMemcpyDeviceToHost
        _call(runtime.cudaMemcpyAsync, host.ctypes.data, address, host.nbytes, kind, self.raw)

    def record(self, event: Event) -> None:
        assert isinstance(event, _Event)
        _call(runtime.cudaEventRecord, event.raw, self.raw)

    def wait(self, event: Event) -> None:
        assert isinstance(event, _Event)
        _call(runtime.cudaStreamWaitEvent, self.raw, event.raw, 0)

    def synchronise(self) -> None:
        _call(runtime.cudaStreamSynchronize, self.raw)

    def begin_capture(self) -> None:
        # Thread-local: what other threads of the program do on their own streams does not spoil it.
        _call(
            runtime.cudaStreamBeginCapture,
            self.raw,
            runtime.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal,
        )

    def end_capture(self) -> Graph:
        graph = _call(runtime.cudaStreamEndCapture, self.raw)
        try:
            return _Graph(_call(runtime.cudaGraphInstantiate, graph, 0))
        finally:
            _call(runtime.cudaGraphDestroy, graph)

    def close(self) -> None:
        if self.raw is not None:
            raw, self.raw = self.raw, None
            _call(runtime.cudaStreamDestroy, raw)


def _call(function: Any, *arguments: Any) -> Any:
    """The result of a runtime function, whose error code becomes an exception."""
    try:
        code, *results = function(*arguments)
    except RuntimeError as error:  # the bindings' own, when the driver's library is not there
        raise CudaError(f"CUDA cannot be used: {error}", "install NVIDIA's driver") from error
    if int(code) != 0:
        raise _error(function.__name__, code)
    return results[0] if results else None


def _call_driver(function: Any, *arguments: Any) -> Any:
    """As `_call`, of a driver function: its error codes are the runtime's numbers, otherwise named."""
    try:
        code, *results = function(*arguments)
    except RuntimeError as error:
        raise CudaError(f"CUDA cannot be used: {error}", "install NVIDIA's driver") from error
    if int(code) != 0:
        try:
            known = runtime.cudaError_t(int(code))
        except ValueError:  # a few are the driver's alone, none of which loses the device
            raise CudaError(f"{function.__name__} failed with {code.name}", "try another backend") from None
        raise _error(function.__name__, known)
    return results[0] if results else None


def _error(function: str, code: Any) -> CudaError:
    name = code.name
    said = runtime.cudaGetErrorString(code)[1]
    reason = said.decode() if isinstance(said, bytes) else name
    if name in _LOST:
        return DeviceLostError(f"{function} met {name} ({reason})")
    # The error stays as the thread's last one otherwise, and is laid at the door of whoever asks next.
    runtime.cudaGetLastError()
    hint = {
        "cudaErrorInsufficientDriver": "install an NVIDIA driver, 580 or newer for CUDA 13",
        "cudaErrorNoDevice": "choose another backend: there is no NVIDIA GPU here",
        "cudaErrorMemoryAllocation": "free GPU memory (nvidia-smi lists who holds it), or use depth 1",
    }.get(name, "try another backend")
    return CudaError(f"{function} failed with {name} ({reason})", hint)
