"""pycuda's `driver` module on top of the CUDA runtime that has no GPU."""

import struct
import weakref
from types import SimpleNamespace

import numpy as np

from tests.fakes.cudart import Event, FakeCudart

__all__ = ["pycuda_driver"]


def pycuda_driver(cudart: FakeCudart) -> SimpleNamespace:
    """What `from pycuda import driver` gets. `cudart.calls` holds the calls that matter."""

    class Error(Exception):
        pass

    class LogicError(Error):
        pass

    def note(name, *arguments):
        cudart.calls.append((name, *arguments))
        if cudart.lost is not None:
            raise LogicError(f"{name} failed: an illegal memory access was encountered")
        if cudart.failing.pop(name, None) is not None:
            raise LogicError(f"{name} failed: invalid value")

    class Allocation:
        def __init__(self, address):
            self.address = address

        def __int__(self):
            return self.address

        def free(self):
            cudart.free(self.address)

    class DriverStream:
        def __init__(self, flags=0):
            if flags != 1:
                cudart.problems.append("a stream that waits for the default stream")
            self.raw = cudart.new_stream()
            self.handle = self.raw.handle

        def synchronize(self):
            note("Stream.synchronize")
            cudart.finish_stream(self.raw)

        def wait_for_event(self, event):
            note("Stream.wait_for_event")
            cudart.wait(self.raw, event.raw)

    class DriverEvent:
        def __init__(self, flags=0):
            self.raw = Event()

        def record(self, stream):
            note("Event.record")
            cudart.record(self.raw, stream.raw)

        def synchronize(self):
            note("Event.synchronize")
            cudart.finish(self.raw.operation)

        def time_since(self, earlier):
            return self.raw.operation.ended_ms - earlier.raw.operation.ended_ms

    class Context:
        def push(self):
            note("Context.push")

        @staticmethod
        def pop():
            note("Context.pop")

        @staticmethod
        def synchronize():
            note("Context.synchronize")

    class Device:
        def __init__(self, index):
            self.index = index

        @staticmethod
        def count():
            return cudart.devices

        def name(self):
            return "Fake RTX 7000"

        def compute_capability(self):
            return (8, 9)

        def retain_primary_context(self):
            note("Device.retain_primary_context")
            return Context()

    class Function:
        def __init__(self, name):
            self.name = name

        def prepare(self, formats):
            self.format = "".join(formats)

        def prepared_async_call(self, grid, block, stream, *arguments):
            parameters = struct.pack(self.format, *arguments)
            if len(parameters) != cudart.parameter_bytes[self.name]:
                cudart.problems.append(f"{self.name} with {len(parameters)} bytes of parameters")
            cudart.launch_kernel(self.name, grid, block, parameters, stream.raw)

    class Module:
        def __init__(self, image):
            self.handle = cudart.load(image)
            weakref.finalize(self, cudart.modules.pop, self.handle)

        def get_function(self, name):
            note("Module.get_function", name)
            if name not in cudart.parameter_bytes:
                raise LogicError("cuModuleGetFunction failed: named symbol not found")
            return Function(name)

    def module_from_buffer(image):
        note("module_from_buffer", image)
        return Module(image)

    def mem_alloc(size):
        note("mem_alloc", size)
        return Allocation(cudart.allocate(size))

    def pagelocked_empty(shape, dtype):
        return np.ctypeslib.as_array(cudart.pinned_memory[cudart.pin(shape)]).view(dtype)

    def memcpy_htod_async(to, source, stream):
        note("memcpy_htod_async")
        cudart.copy(stream.raw, "upload", to, source.ctypes.data, source.nbytes)

    def memcpy_dtoh_async(to, source, stream):
        note("memcpy_dtoh_async")
        cudart.copy(stream.raw, "download", to.ctypes.data, source, to.nbytes)

    return SimpleNamespace(
        Error=Error,
        LogicError=LogicError,
        Device=Device,
        Context=Context,
        Stream=DriverStream,
        Event=DriverEvent,
        event_flags=SimpleNamespace(BLOCKING_SYNC=1, DISABLE_TIMING=2),
        init=lambda: note("init"),
        get_driver_version=lambda: 13010,
        module_from_buffer=module_from_buffer,
        mem_alloc=mem_alloc,
        pagelocked_empty=pagelocked_empty,
        memcpy_htod_async=memcpy_htod_async,
        memcpy_dtoh_async=memcpy_dtoh_async,
    )
