"""Networks run by TensorRT, from .onnx, on an NVIDIA GPU.

For TensorRT 10.12 to 11. Precision is in the file: build the model in fp16 or int8 for another one.
The engine comes from the cache, or is built in a process of its own first, which takes minutes.

Not run on a GPU: names were checked against the bindings of 11.4.0.106, the order of calls against a CUDA
runtime without a GPU (tests/fakes). `tests/gpu` holds the checks for a machine that has one.
"""

import threading
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import tensorrt
from numpy.typing import NDArray

from models.cuda.base import DeviceLostError
from models.cuda.lanes import Lanes, Spans
from models.engines.cache import EngineCache
from models.engines.child import build_in_child
from models.engines.profile import Range
from models.engines.progress import ReportProgress
from models.engines.tensorrt import AS_IN_THE_FILE, Build, Engine, dtype_of, load, order
from models.errors import BackendError
from models.runtime.base import EACH, InputSpec, PictureOut, TensorSpec
from models.runtime.decode import PictureDecoder, not_finite
from models.runtime.encode import PictureEncoder
from models.runtime.overlap import Result
from models.runtime.pictures import find_output, given_shape
from models.runtime.proof import blank

__all__ = ["Result", "TensorRTSession"]


class TensorRTSession:
    """One network on one GPU, `depth` frames in flight at most.

    `run` takes a frame through. `submit` and `collect` let the upload of a frame go on while the one before
    is computed; results come in the order of submission. Belongs to one thread at a time.
    """

    def __init__(
        self,
        path: Path,
        *,
        device: str = "GPU",
        picture: InputSpec | None = None,
        picture_out: PictureOut | None = None,
        threads: int | None = None,
        shapes: Mapping[str, Range] | None = None,
        depth: int = 1,
        graphs: bool = True,
        timed: bool = False,
        library: str | None = None,
        precision: str = AS_IN_THE_FILE,
        cache: EngineCache | None = None,
        build: Build | None = build_in_child,
        progress: ReportProgress | None = None,
        stop: threading.Event | None = None,
    ) -> None:
        """`shapes`: how large an input with free dimensions can be; a free batch is 1 without it.

        `threads` means nothing here. `library`: "cuda-bindings" or "pycuda"; None takes what is installed.
        `stop` ends a build; `build` None takes an engine that is there or raises EngineMissingError.
        Raises BackendError when there is no such GPU, TensorRT is too old or too new, or
        the engine cannot be built; ModelError when the file is not a model or takes no such picture.
        """
        del threads
        cache = cache or EngineCache()
        wanted = order(path, device, picture, shapes, library, precision, cache.digest)
        self._name = path.name
        self._cuda = wanted.cuda
        self._thread = threading.get_ident()
        self._ranges = dict(wanted.key.shapes)
        self._picture_input = wanted.picture_input
        self._picture = picture
        self._encoder = None if picture is None else PictureEncoder(picture)
        self._picture_out = picture_out
        self._picture_output: str | None = None
        self._decoders: list[PictureDecoder] = []
        self._lanes: Lanes | None = None
        self._lost: DeviceLostError | None = None
        self._contexts: list[Any] = []
        self._held: Engine | None = None
        try:
            self._held = load(wanted, cache, build, progress, stop)
            self._prepare(depth, graphs, timed)
        except BaseException:
            self.close()
            raise

    def _prepare(self, depth: int, graphs: bool, timed: bool) -> None:
        """Contexts, memory and addresses: made once, for the largest shapes."""
        assert self._held is not None
        picture = self._picture
        engine = self._held.engine
        names = [engine.get_tensor_name(index) for index in range(engine.num_io_tensors)]
        inputs = [name for name in names if engine.get_tensor_mode(name) == tensorrt.TensorIOMode.INPUT]
        outputs = [name for name in names if name not in inputs]
        self._dtypes = {name: dtype_of(engine, name, self._name) for name in names}
        self._fed = tuple(inputs)
        self._inputs = tuple(
            TensorSpec(name, (self._ranges[name].free[0], picture.height, picture.width, 3), "uint8")
            if picture is not None and name == self._picture_input
            else TensorSpec(name, self._ranges[name].free, self._dtypes[name].name)
            for name in inputs
        )
        self._outputs = tuple(
            TensorSpec(name, tuple(engine.get_tensor_shape(name)), self._dtypes[name].name)
            for name in outputs
        )
        if self._picture_out is not None:
            index = find_output(self._outputs, self._picture_out, self._name)
            own = self._outputs[index]
            self._picture_output = own.name
            given = TensorSpec(own.name, given_shape(own.shape, self._picture_out), "uint8")
            self._outputs = (*self._outputs[:index], given, *self._outputs[index + 1 :])
            self._decoders = [PictureDecoder(self._picture_out) for _ in range(depth)]
        for _ in range(depth):  # a graph holds its context's state: each slot has its own
            context = engine.create_execution_context()
            if context is None:
                raise self._failed("making a context, most likely for want of GPU memory")
            self._contexts.append(context)
        stream = self._cuda.stream()
        for context in self._contexts:
            context.set_optimization_profile_async(0, stream.handle)
        stream.synchronise()
        stream.close()
        most = {name: self._ranges[name].most for name in inputs}
        self._shapes = [self._resolve(context, most) for context in self._contexts]
        sizes = self._shapes[0]
        self._lanes = Lanes(
            self._cuda,
            {name: self._bytes(name, sizes[name]) for name in inputs},
            {name: self._bytes(name, sizes[name]) for name in outputs},
            depth=depth,
            graphs=graphs,
            timed=timed,
        )
        for slot, context in enumerate(self._contexts):
            for name in names:
                if not context.set_tensor_address(name, self._lanes.address(slot, name)):
                    raise self._failed(f"being told where {name!r} lies")

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        return self._inputs

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        return self._outputs

    @property
    def depth(self) -> int:
        """Frames that can be in flight."""
        return len(self._contexts)

    @property
    def in_flight(self) -> int:
        return 0 if self._lanes is None else self._lanes.in_flight

    @property
    def uses_graphs(self) -> bool:
        return self._lanes is not None and self._lanes.uses_graphs

    def warmup(self) -> None:
        """Fill every slot often enough that its graph is captured."""
        assert self._lanes is not None
        for _ in range(2 * self._lanes.depth):
            self.submit(blank(self._inputs))
            self._collected(zeros=True)

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """As the protocol says. Raises RuntimeError while frames are in flight."""
        if self.in_flight:
            raise RuntimeError(f"{self.in_flight} frames are in flight: collect them first")
        self.submit(feeds)
        return self.collect().outputs

    def submit(self, feeds: Mapping[str, NDArray[Any]]) -> int:
        """Send a frame on its way; its sequence number. The arrays are read before this returns.

        Raises RuntimeError when `depth` frames are in flight, BackendError when it fails.
        """
        lanes = self._ready()
        slot = lanes.next_slot()
        try:
            shapes = {name: self._shape_of(name, feeds[name]) for name in self._fed}
        except KeyError as error:
            raise BackendError(f"{self._name} was not fed its input {error}", "feed every input") from error
        if any(self._shapes[slot][name] != shape for name, shape in shapes.items()):
            self._reshape(slot, shapes)
        for name in self._fed:
            self._fill(self._view(slot, name), name, feeds[name])
        context = self._contexts[slot]

        def enqueue(handle: int) -> None:
            if not context.execute_async_v3(handle):
                raise self._failed("enqueueing a frame")

        try:
            return lanes.submit(enqueue)
        except DeviceLostError as error:
            self._lost = error
            raise

    def collect(self) -> Result:
        """The oldest frame in flight, waited for. Raises RuntimeError when there is none."""
        return self._collected(zeros=False)

    def _collected(self, *, zeros: bool) -> Result:
        """`zeros`: that is what it was fed, to which a network may have no answer."""
        lanes = self._ready()
        try:
            done = lanes.collect()
        except DeviceLostError as error:
            self._lost = error
            raise
        outputs = {spec.name: self._view(done.slot, spec.name) for spec in self._outputs}
        if self._picture_output is not None:
            pictures, finite = self._decoders[done.slot].decode(outputs[self._picture_output])
            if not zeros and not all(finite):
                raise not_finite(self._name, self._picture_output, finite)
            outputs[self._picture_output] = pictures
        return Result(done.sequence, outputs)

    def spans(self, sequence: int) -> Spans:
        """When the stages of a collected frame ran; only of the last `depth`, and only if opened `timed`."""
        lanes = self._ready()
        return lanes.spans(sequence % lanes.depth)

    def close(self) -> None:
        lanes, self._lanes = self._lanes, None
        if lanes is not None:
            lanes.drain()
        # In this order: TensorRT frees device memory with each of them.
        self._contexts.clear()
        if self._held is not None:
            self._held.engine = None
            self._held.in_use.close()
            self._held = None
        if lanes is not None:
            lanes.close()
        self._cuda.close()

    def _ready(self) -> Lanes:
        if self._lanes is None:
            raise BackendError(f"the session of {self._name} is closed", "open it again")
        if self._lost is not None:
            raise self._lost
        if self._thread != threading.get_ident():
            self._cuda.use()
            self._thread = threading.get_ident()
        return self._lanes

    def _shape_of(self, name: str, array: NDArray[Any]) -> tuple[int, ...]:
        """The shape that the network is fed for `array`."""
        held = self._ranges[name]
        if name == self._picture_input:
            wanted = next(spec.shape for spec in self._inputs if spec.name == name)
            count = len(array) if wanted[0] == EACH and array.ndim else wanted[0]
            fed = (count, *held.most[1:])
            if array.shape != (count, *wanted[1:]) or array.dtype != np.uint8 or not held.holds(fed):
                raise BackendError(
                    f"{self._name} takes {wanted} uint8, not {array.shape} {array.dtype}"
                    + (f": {held.most[0]} pictures at most" if wanted[0] == EACH else ""),
                    "feed a picture of that size",
                )
            return fed
        if not held.holds(array.shape):
            raise BackendError(
                f"the engine of {self._name} takes {name!r} from {held.least} to {held.most}, "
                f"not {array.shape}",
                "feed what it was built for, or open it with other shapes",
            )
        return array.shape

    def _reshape(self, slot: int, shapes: Mapping[str, tuple[int, ...]]) -> None:
        assert self._lanes is not None
        self._shapes[slot] = self._resolve(self._contexts[slot], shapes)
        self._lanes.resize(
            slot, {name: self._bytes(name, shape) for name, shape in self._shapes[slot].items()}
        )

    def _resolve(self, context: Any, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
        """Every input's and output's shape, once the inputs have these."""
        for name, shape in shapes.items():
            if not context.set_input_shape(name, shape):
                raise self._failed(f"being told the shape {shape} of {name!r}")
        if missing := context.infer_shapes():
            raise self._failed(f"working out the shapes of {', '.join(missing)}")
        found = dict(shapes)
        for spec in self._outputs:
            found[spec.name] = tuple(context.get_tensor_shape(spec.name))
            if -1 in found[spec.name]:
                raise BackendError(
                    f"the output {spec.name!r} of {self._name} has a size that depends on what it is fed",
                    "use another backend for this model",
                )
        return found

    def _fill(self, pinned: NDArray[Any], name: str, array: NDArray[Any]) -> None:
        if name != self._picture_input or self._encoder is None:
            np.copyto(pinned, array, casting="unsafe")
        elif pinned.dtype == np.float32:
            self._encoder.encode(array, pinned)
        else:
            blob = np.empty(pinned.shape, np.float32)
            self._encoder.encode(array, blob)
            np.copyto(pinned, blob, casting="unsafe")

    def _view(self, slot: int, name: str) -> NDArray[Any]:
        assert self._lanes is not None
        return self._lanes.host(slot, name).view(self._dtypes[name]).reshape(self._shapes[slot][name])

    def _bytes(self, name: str, shape: tuple[int, ...]) -> int:
        return prod(shape) * self._dtypes[name].itemsize

    def _failed(self, doing: str) -> BackendError:
        last = "" if self._held is None else self._held.logger.last
        said = f": {last}" if last else ""
        return BackendError(f"TensorRT failed at {doing} ({self._name}){said}", "use another backend")
