"""The part of CUDA that inference needs: memory, streams, events, graphs, kernels, whatever brings them."""

import ctypes
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from models.errors import BackendError

__all__ = ["Cuda", "CudaError", "DeviceInfo", "DeviceLostError", "Event", "Graph", "Module", "Stream"]


class CudaError(BackendError):
    """A call into CUDA failed; the device can still be used."""


class DeviceLostError(CudaError):
    """The CUDA context of this process is beyond repair.

    After such an error every further call fails with it too, in every session of the process. Nothing that
    is built anew in the same process will work, so there is no use in trying again.
    """

    final = True

    def __init__(self, what: str) -> None:
        super().__init__(
            f"the GPU can no longer be used by this program: {what}",
            "start the program again; if it comes back, look at the driver's log (dmesg, nvidia-smi -q) "
            "or choose another backend",
        )


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """A GPU, as far as an engine that was built for it cares."""

    index: int
    name: str
    capability: tuple[int, int]
    """Compute capability, major and minor."""
    driver: int
    """The CUDA version that the driver supports: 1000 * major + 10 * minor."""

    @property
    def driver_major(self) -> int:
        return self.driver // 1000


class Event(Protocol):
    """A point in a stream."""

    def synchronise(self) -> None:
        """Wait until the point is reached; the caller's thread sleeps meanwhile."""
        ...

    def elapsed_ms(self, earlier: "Event") -> float:
        """From `earlier` to this one, both timed and reached."""
        ...

    def close(self) -> None: ...


class Graph(Protocol):
    """Captured work, launched as a whole."""

    def launch(self, stream: "Stream") -> None: ...

    def close(self) -> None: ...


class Stream(Protocol):
    """A queue of work, non-blocking: it never waits for the default stream."""

    @property
    def handle(self) -> int:
        """The address of the CUstream, for libraries that enqueue into it."""
        ...

    def upload(self, address: int, host: NDArray[Any]) -> None:
        """Copy `host`, contiguous and pinned, to device memory; returns at once."""
        ...

    def download(self, host: NDArray[Any], address: int) -> None:
        """Copy device memory into `host`, contiguous and pinned; returns at once."""
        ...

    def record(self, event: Event) -> None: ...

    def wait(self, event: Event) -> None:
        """What is enqueued from now on starts after `event`."""
        ...

    def synchronise(self) -> None: ...

    def begin_capture(self) -> None:
        """Work of this thread is noted down from now on instead of done."""
        ...

    def end_capture(self) -> Graph:
        """Stop noting down. Raises CudaError when what was noted down makes no graph."""
        ...

    def close(self) -> None: ...


class Module(Protocol):
    """Compiled kernels on the device. Each takes one structure by value."""

    def launch(
        self,
        name: str,
        grid: tuple[int, int, int],
        block: tuple[int, int, int],
        parameters: ctypes.Structure,
        stream: Stream,
    ) -> None:
        """Put the kernel `name` into `stream`; returns at once, and `parameters` may be written anew then."""
        ...

    def close(self) -> None:
        """Once nothing in flight uses it. Idempotent."""
        ...


class Cuda(Protocol):
    """One device. All methods raise CudaError, or DeviceLostError when nothing will work any more."""

    @property
    def device(self) -> DeviceInfo: ...

    def use(self) -> None:
        """Make the device the calling thread's own. Once per thread, before anything else."""
        ...

    def allocate(self, size_bytes: int) -> int:
        """Device memory; its address. Belongs to the caller, who frees it."""
        ...

    def free(self, address: int) -> None: ...

    def pinned(self, size_bytes: int) -> NDArray[np.uint8]:
        """Host memory that the GPU copies from and to while the CPU goes on.

        Freed with the last array that looks into it, so a result that somebody still reads stays readable.
        """
        ...

    def stream(self) -> Stream: ...

    def event(self, *, timed: bool = False) -> Event: ...

    def module(self, image: bytes) -> Module:
        """Load what `models.cuda.kernels.compile` made: a cubin, or PTX that the driver compiles on."""
        ...

    def close(self) -> None:
        """Let go of the device. Idempotent, never raises."""
        ...
