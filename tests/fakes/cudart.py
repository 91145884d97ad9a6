"""A CUDA runtime without a GPU, as late as CUDA may be.

Work that is put into a stream is done only when somebody waits for it, in the order that streams and events
demand and no other, on real memory: whoever forgets to wait, or writes where a copy still reads, gets wrong
numbers. Each operation takes simulated time, so that what overlaps can be seen. `FakeCudart.runtime()` stands
in for `cuda.bindings.runtime`, `driver()` for `cuda.bindings.driver`; `tests.fakes.pycuda` puts pycuda's face
on it. Kernels do nothing unless `run_kernel` is set.
"""

import ctypes
from collections.abc import Callable
from enum import IntEnum
from types import SimpleNamespace
from typing import Any

__all__ = ["FakeCudart"]


class Code(IntEnum):
    cudaSuccess = 0
    cudaErrorInvalidValue = 1
    cudaErrorMemoryAllocation = 2
    cudaErrorInsufficientDriver = 35
    cudaErrorSymbolNotFound = 500
    cudaErrorIllegalAddress = 700
    cudaErrorLaunchFailure = 719
    cudaErrorStreamCaptureInvalidated = 901


class Operation:
    """One entry of a stream."""

    def __init__(self, stream, kind, work=None, after=None, duration_ms=0.0):
        self.stream = stream
        self.kind = kind
        self.work = work
        self.after = after
        self.duration_ms = duration_ms
        self.issued_ms = 0.0
        self.began_ms = self.ended_ms = None


class Stream:
    def __init__(self, handle):
        self.handle = handle
        self.operations: list[Operation] = []
        self.captured: list[Operation] | None = None
        self.capture_spoiled = False
        self.destroyed = False

    def __int__(self):
        return self.handle


class Event:
    def __init__(self):
        self.operation: Operation | None = None
        self.destroyed = False


class FakeCudart:
    """`calls` holds what was asked for, in order; `problems` what a real device would have suffered from."""

    def __init__(self, devices: int = 1) -> None:
        self.devices = devices
        self.calls: list[tuple[Any, ...]] = []
        self.problems: list[str] = []
        self.failing: dict[str, Code] = {}
        """Function name to the error that its next call meets."""
        self.lost: Code | None = None
        """Set: every call meets it, as after an illegal access."""
        self.graphs_work = True
        self.upload_ms, self.compute_ms, self.download_ms = 2.0, 5.0, 2.0
        self.host_ms = 0.0
        self.done: list[Operation] = []
        self.streams: dict[int, Stream] = {}
        self.device_memory: dict[int, Any] = {}
        self.pinned_memory: dict[int, Any] = {}
        self.freed: list[int] = []
        self.modules: dict[int, bytes] = {}
        """Handle to image, of those that are loaded."""
        self.parameter_bytes: dict[str, int] = {}
        """Name of a kernel to the size of its structure, as the image would say."""
        self.run_kernel: Callable[[str, tuple[int, ...], tuple[int, ...], bytes], None] | None = None
        """What a launch does once its turn comes: name, grid, block, parameters as they were then."""

    def names(self) -> list[str]:
        """The functions that were called, in order."""
        return [call[0] for call in self.calls]

    # What both faces are made of.

    def allocate(self, size: int) -> int:
        block = (ctypes.c_uint8 * size)()
        self.device_memory[ctypes.addressof(block)] = block
        return ctypes.addressof(block)

    def free(self, address: int) -> None:
        self.freed.append(address)
        if address not in self.device_memory:
            self.problems.append(f"freed what is not allocated: {address:#x}")
        self.device_memory.pop(address, None)

    def pin(self, size: int) -> int:
        block = (ctypes.c_uint8 * size)()
        self.pinned_memory[ctypes.addressof(block)] = block
        return ctypes.addressof(block)

    def unpin(self, address: int) -> None:
        self.freed.append(address)
        if address not in self.pinned_memory:
            self.problems.append(f"freed what is not pinned: {address:#x}")
        self.pinned_memory.pop(address, None)

    def new_stream(self) -> Stream:
        stream = Stream(0x1000 + len(self.streams))
        self.streams[stream.handle] = stream
        return stream

    def put(self, stream: Stream, operation: Operation) -> Operation:
        self.host_ms += 0.01
        operation.issued_ms = self.host_ms
        if stream.destroyed:
            self.problems.append(f"{operation.kind} in a stream that is gone")
        (stream.operations if stream.captured is None else stream.captured).append(operation)
        return operation

    def copy(self, stream: Stream, kind: str, to: int, source: int, size: int) -> None:
        def work() -> None:
            device, host = (to, source) if kind == "upload" else (source, to)
            if not self._inside(self.device_memory, device, size):
                self.problems.append(f"{kind} meets device memory that is not there")
            elif not self._inside(self.pinned_memory, host, size):
                self.problems.append(f"{kind} meets host memory that is not pinned")
            else:
                ctypes.memmove(to, source, size)

        duration = self.upload_ms if kind == "upload" else self.download_ms
        self.put(stream, Operation(stream, kind, work, duration_ms=duration))

    def compute(self, handle: int, work: Callable[[], None]) -> None:
        """A kernel, as TensorRT enqueues it."""
        self.calls.append(("compute", handle))
        stream = self.streams[handle]
        if stream.captured is not None and not self.graphs_work:
            stream.capture_spoiled = True
        self.put(stream, Operation(stream, "compute", work, duration_ms=self.compute_ms))

    def load(self, image: bytes) -> int:
        handle = 0x5000 + len(self.calls)
        self.modules[handle] = image
        return handle

    def launch_kernel(
        self, name: str, grid: tuple[int, ...], block: tuple[int, ...], parameters: bytes, stream: Stream
    ) -> None:
        self.calls.append(("kernel", name, grid, block, parameters, stream))
        limits = (2**31 - 1, 65535, 65535)
        if not all(0 < size <= limit for size, limit in zip(grid, limits, strict=True)):
            self.problems.append(f"{name} with a grid of {grid}")
        if block[0] * block[1] * block[2] > 1024:
            self.problems.append(f"{name} with a block of {block}")

        def work() -> None:
            if not self.modules:
                self.problems.append(f"{name} ran after its module was unloaded")
            elif self.run_kernel is not None:
                self.run_kernel(name, grid, block, parameters)

        self.put(stream, Operation(stream, "kernel", work))

    def record(self, event: Event, stream: Stream) -> None:
        event.operation = self.put(stream, Operation(stream, "record"))

    def wait(self, stream: Stream, event: Event) -> None:
        self.put(stream, Operation(stream, "wait", after=event.operation))

    def finish(self, operation: Operation | None) -> None:
        """Wait for an operation: all that it depends on is done now, and nothing else."""
        if operation is None:
            return
        self._do(operation)
        self.host_ms = max(self.host_ms, operation.ended_ms)

    def finish_stream(self, stream: Stream) -> None:
        if stream.operations:
            self.finish(stream.operations[-1])

    def begin_capture(self, stream: Stream) -> None:
        stream.captured, stream.capture_spoiled = [], False

    def end_capture(self, stream: Stream) -> list[Operation] | None:
        captured, stream.captured = stream.captured, None
        return None if stream.capture_spoiled else captured

    def launch(self, graph: list[Operation], stream: Stream) -> None:
        for noted in graph:
            self.put(stream, Operation(stream, noted.kind, noted.work, duration_ms=noted.duration_ms))

    def spans(self, kind: str) -> list[tuple[float, float]]:
        """Begin and end of all operations of a kind that are done, in simulated ms."""
        return [(each.began_ms, each.ended_ms) for each in self.done if each.kind == kind]

    def _do(self, operation: Operation) -> None:
        before = operation.stream.operations
        ready_ms = 0.0
        for each in before[: before.index(operation) + 1]:
            if each.ended_ms is None:
                if each.after is not None:
                    self._do(each.after)
                    ready_ms = max(ready_ms, each.after.ended_ms)
                each.began_ms = max(ready_ms, each.issued_ms)
                each.ended_ms = each.began_ms + each.duration_ms
                if each.work is not None:
                    each.work()
                self.done.append(each)
            ready_ms = each.ended_ms

    @staticmethod
    def _inside(memory: dict[int, Any], address: int, size: int) -> bool:
        return any(
            start <= address and address + size <= start + len(block) for start, block in memory.items()
        )

    # The face of cuda.bindings.runtime: functions that return (code, results...).

    def runtime(self) -> SimpleNamespace:
        """What `from cuda.bindings import runtime` gets."""
        functions = {
            name.removeprefix("_rt_"): self._function(name.removeprefix("_rt_"), getattr(self, name))
            for name in dir(self)
            if name.startswith("_rt_")
        }
        return SimpleNamespace(
            **functions,
            cudaError_t=Code,
            cudaHostAllocDefault=0,
            cudaStreamNonBlocking=1,
            cudaEventBlockingSync=1,
            cudaEventDisableTiming=2,
            cudaMemcpyKind=SimpleNamespace(
                cudaMemcpyHostToDevice="upload", cudaMemcpyDeviceToHost="download"
            ),
            cudaStreamCaptureMode=SimpleNamespace(cudaStreamCaptureModeThreadLocal="thread local"),
            cudaGetErrorString=lambda code: (Code.cudaSuccess, f"told: {code.name}".encode()),
            cudaGetLastError=lambda: (Code.cudaSuccess,),
        )

    def driver(self) -> SimpleNamespace:
        """What `from cuda.bindings import driver` gets."""
        return SimpleNamespace(
            **{
                name.removeprefix("_cu_"): self._function(name.removeprefix("_cu_"), getattr(self, name))
                for name in dir(self)
                if name.startswith("_cu_")
            }
        )

    def _cu_cuModuleLoadData(self, image):
        return self.load(image)

    def _cu_cuModuleGetFunction(self, module, name):
        return name.decode() if name.decode() in self.parameter_bytes else Code.cudaErrorSymbolNotFound

    def _cu_cuLaunchKernel(self, function, gx, gy, gz, bx, by, bz, shared, stream, pointers, extra):
        first = ctypes.c_void_p.from_address(pointers).value
        parameters = ctypes.string_at(first, self.parameter_bytes[function])
        self.launch_kernel(function, (gx, gy, gz), (bx, by, bz), parameters, stream)

    def _cu_cuModuleUnload(self, module):
        del self.modules[module]

    def _function(self, name: str, function: Callable[..., Any]) -> Callable[..., tuple[Any, ...]]:
        def called(*arguments: Any) -> tuple[Any, ...]:
            self.calls.append((name, *arguments))
            if self.lost is not None:
                return (self.lost, None)
            if (code := self.failing.pop(name, None)) is not None:
                return (code, None)
            result = function(*arguments)
            if isinstance(result, Code):
                return (result, None)
            return (Code.cudaSuccess,) if result is None else (Code.cudaSuccess, result)

        called.__name__ = name
        return called

    def _rt_cudaGetDeviceCount(self):
        return self.devices

    def _rt_cudaSetDevice(self, index):
        return None

    def _rt_cudaGetDeviceProperties(self, index):
        return SimpleNamespace(name=b"Fake RTX 7000\0\0\0", major=8, minor=9)

    def _rt_cudaDriverGetVersion(self):
        return 13010

    def _rt_cudaMalloc(self, size):
        return self.allocate(size)

    def _rt_cudaFree(self, address):
        self.free(address)

    def _rt_cudaHostAlloc(self, size, flags):
        return self.pin(size)

    def _rt_cudaFreeHost(self, address):
        self.unpin(address)

    def _rt_cudaStreamCreateWithFlags(self, flags):
        if flags != 1:
            self.problems.append("a stream that waits for the default stream")
        return self.new_stream()

    def _rt_cudaStreamDestroy(self, stream):
        stream.destroyed = True

    def _rt_cudaStreamSynchronize(self, stream):
        self.finish_stream(stream)

    def _rt_cudaStreamWaitEvent(self, stream, event, flags):
        self.wait(stream, event)

    def _rt_cudaEventCreateWithFlags(self, flags):
        return Event()

    def _rt_cudaEventRecord(self, event, stream):
        self.record(event, stream)

    def _rt_cudaEventSynchronize(self, event):
        self.finish(event.operation)

    def _rt_cudaEventElapsedTime(self, start, end):
        return end.operation.ended_ms - start.operation.ended_ms

    def _rt_cudaEventDestroy(self, event):
        if event.destroyed:
            self.problems.append("an event destroyed twice")
        event.destroyed = True

    def _rt_cudaMemcpyAsync(self, to, source, size, kind, stream):
        self.copy(stream, kind, to, source, size)

    def _rt_cudaStreamBeginCapture(self, stream, mode):
        self.begin_capture(stream)

    def _rt_cudaStreamEndCapture(self, stream):
        graph = self.end_capture(stream)
        return Code.cudaErrorStreamCaptureInvalidated if graph is None else graph

    def _rt_cudaGraphInstantiate(self, graph, flags):
        return list(graph)

    def _rt_cudaGraphDestroy(self, graph):
        return None

    def _rt_cudaGraphLaunch(self, graph, stream):
        self.launch(graph, stream)

    def _rt_cudaGraphExecDestroy(self, graph):
        return None
