"""A TensorRT network whose pictures never leave the GPU: kernels feed it and read it, in a caller's stream.

`models.runtime.tensorrt` uploads and downloads each frame; here the inputs and outputs are device memory that
`models.cuda.device_chain` writes and reads. Small inputs that come from the host (an embedding, a weight) are
sent when they change.

Not run on a GPU: names were checked against the bindings of 11.4.0.106, the order of calls against a CUDA
runtime without a GPU (tests/fakes). `tests/gpu` holds the checks for a machine that has one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np
import tensorrt
from numpy.typing import NDArray

from models.cuda.base import Cuda, Stream
from models.cuda.device_memory import quietly
from models.cuda.kernels.face import DeviceTensor
from models.engines.tensorrt import Engine, dtype_of
from models.errors import BackendError

__all__ = ["TensorRTOnDevice"]


class TensorRTOnDevice:
    """One execution context with fixed shapes. Belongs to one thread at a time."""

    def __init__(
        self, cuda: Cuda, held: Engine, name: str, shapes: Mapping[str, tuple[int, ...]] | None = None
    ) -> None:
        """`held`: what `models.engines.tensorrt.load` gave, from now on this object's; `name`: for errors.

        `shapes`: of the inputs that the engine leaves free, the largest that will be asked for. Raises
        BackendError when a shape does not fit, an input or output has a type that numpy does not know, or
        there is no memory for it.
        """
        self._cuda = cuda
        self._name = name
        self._held: Engine | None = held
        self._context: Any = None
        self._tensors: dict[str, DeviceTensor] = {}
        self._staged: dict[str, NDArray[np.uint8]] = {}
        self._room: dict[str, int] = {}
        self._told = True
        """Whether the context has the shapes of `_tensors`."""
        try:
            self._sent = cuda.event()
            self._prepare(held.engine, shapes or {})
        except BaseException:
            self.close()
            raise

    def _prepare(self, engine: Any, shapes: Mapping[str, tuple[int, ...]]) -> None:
        context = self._context = engine.create_execution_context()
        if context is None:
            raise self._failed("making a context, most likely for want of GPU memory")
        stream = self._cuda.stream()
        try:
            context.set_optimization_profile_async(0, stream.handle)
            stream.synchronise()
        finally:
            quietly(stream.close)
        names = [engine.get_tensor_name(index) for index in range(engine.num_io_tensors)]
        self._inputs = tuple(
            name for name in names if engine.get_tensor_mode(name) == tensorrt.TensorIOMode.INPUT
        )
        fed = {name: tuple(shapes.get(name, engine.get_tensor_shape(name))) for name in self._inputs}
        for name, shape in self._resolved(fed, names).items():
            dtype = dtype_of(engine, name, self._name)
            self._room[name] = max(1, prod(shape) * dtype.itemsize)
            address = self._cuda.allocate(self._room[name])
            self._tensors[name] = DeviceTensor(address, shape, dtype.name)
            if not context.set_tensor_address(name, address):
                raise self._failed(f"being told where {name!r} lies")

    def _resolved(
        self, fed: Mapping[str, tuple[int, ...]], names: Iterable[str]
    ) -> dict[str, tuple[int, ...]]:
        """The shapes of the inputs and outputs `names`, once the inputs have the shapes `fed`."""
        context = self._context
        for name, shape in fed.items():
            if not context.set_input_shape(name, shape):
                raise self._failed(f"being told the shape {shape} of {name!r}")
        if missing := context.infer_shapes():
            raise self._failed(f"working out the shapes of {', '.join(missing)}")
        found = {}
        for name in names:
            found[name] = tuple(int(size) for size in context.get_tensor_shape(name))
            if -1 in found[name]:
                raise BackendError(
                    f"the output {name!r} of {self._name} has a size that depends on what it is fed",
                    "use another backend for this model",
                )
        return found

    @property
    def inputs(self) -> tuple[str, ...]:
        return self._inputs

    def tensor(self, name: str) -> DeviceTensor:
        """Where an input or output lies on the device; it never moves. Raises KeyError."""
        return self._tensors[name]

    def reshape(self, fed: Mapping[str, tuple[int, ...]]) -> None:
        """Other shapes of inputs for the next runs, none larger than at the start; nothing is allocated.

        What was enqueued before must have been waited for. Raises BackendError for a shape that does not fit.
        """
        if self._context is None:
            raise BackendError(f"the network {self._name} is closed", "open it again")
        if self._told and all(self._tensors[name].shape == shape for name, shape in fed.items()):
            return
        # Before TensorRT is told: it would write beyond what there is.
        self._check_room(fed)
        self._told = False
        found = self._resolved(fed, tuple(self._tensors))
        self._check_room(found)
        self._told = True
        for name, shape in found.items():
            self._tensors[name] = replace(self._tensors[name], shape=shape)

    def _check_room(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        for name, shape in shapes.items():
            if prod(shape) * np.dtype(self._tensors[name].dtype).itemsize > self._room[name]:
                raise BackendError(
                    f"{self._name} was opened for less than {name!r} of {shape}",
                    "feed fewer at a time, or open it for more",
                )

    def feed(self, name: str, array: NDArray[Any], stream: Stream) -> None:
        """Send a small input from the host, for this and all later runs in `stream`.

        Raises BackendError when it is of another shape.
        """
        tensor = self._tensors[name]
        if array.shape != tensor.shape:
            raise BackendError(
                f"{self._name} takes {name!r} as {tensor.shape}, not {array.shape}", "feed what it takes"
            )
        dtype = np.dtype(tensor.dtype)
        staged = self._staged.get(name)
        if staged is None:
            staged = self._staged[name] = self._cuda.pinned(self._room[name])
        else:
            self._sent.synchronise()  # the copy before may still read it
        sent = staged[: array.size * dtype.itemsize]
        np.copyto(sent.view(dtype).reshape(tensor.shape), array, casting="unsafe")
        stream.upload(tensor.address, sent)
        stream.record(self._sent)

    def enqueue(self, stream: Stream) -> None:
        """Put a run into `stream`; returns at once. Raises BackendError when TensorRT refuses."""
        if self._context is None:
            raise BackendError(f"the network {self._name} is closed", "open it again")
        if not self._told:
            raise BackendError(f"{self._name} was told shapes that do not fit", "tell it others")
        if not self._context.execute_async_v3(stream.handle):
            raise self._failed("enqueueing a frame")

    def close(self) -> None:
        """Once what was enqueued has been waited for. Idempotent, never raises; the device stays open."""
        # In this order: TensorRT frees device memory with each of them.
        self._context = None
        if self._held is not None:
            self._held.engine = None
            self._held.in_use.close()
            self._held = None
        while self._tensors:
            quietly(self._cuda.free, self._tensors.popitem()[1].address)
        self._staged.clear()
        if hasattr(self, "_sent"):
            quietly(self._sent.close)
            del self._sent

    def _failed(self, doing: str) -> BackendError:
        last = "" if self._held is None else self._held.logger.last
        said = f": {last}" if last else ""
        return BackendError(f"TensorRT failed at {doing} ({self._name}){said}", "use another backend")
