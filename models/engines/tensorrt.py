"""TensorRT engines from the cache, built where they are missing.

Not run on a GPU: names were checked against the bindings of 11.4.0.106.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import tensorrt

from models.cuda.base import Cuda
from models.cuda.choice import device_index, open_cuda
from models.engines.cache import BuildPaths, EngineCache, EngineMissingError
from models.engines.child import BuildRequest
from models.engines.digest import model_digest
from models.engines.in_use import InUse
from models.engines.key import EngineKey
from models.engines.profile import Range, profile_for
from models.engines.progress import BuildProgress, Milestones, ReportProgress
from models.errors import BackendError
from models.onnx_file import read_onnx
from models.runtime.base import EACH, InputSpec
from models.runtime.pictures import find_input, network_shape

__all__ = [
    "AS_IN_THE_FILE",
    "Build",
    "Engine",
    "EngineOrder",
    "Logger",
    "dtype_of",
    "is_built",
    "load",
    "order",
]

_log = logging.getLogger(__name__)

_OLDEST, _TOO_NEW = (10, 12), (12, 0)
AS_IN_THE_FILE = "as in the file"
MOST_PICTURES = 16
"""A run, where as many as are fed is asked for: a 128 px swapper makes 512 px out of 16 pictures."""
Build = Callable[[BuildRequest, BuildPaths, ReportProgress, threading.Event], None]
"""Writes the plan of a request; `models.engines.child.build_in_child`."""


@dataclass(frozen=True, slots=True)
class EngineOrder:
    """What engine is wanted, and the GPU that it is for."""

    cuda: Cuda
    key: EngineKey
    request: BuildRequest
    picture_input: str | None


def order(
    path: Path,
    device: str,
    picture: InputSpec | None,
    shapes: Mapping[str, Range] | None,
    library: str | None = None,
    precision: str = AS_IN_THE_FILE,
    digest: Callable[[Path], str] = model_digest,
) -> EngineOrder:
    """Look at the file and at the GPU, and put both together. `digest`: what the model is, for the key.

    Raises BackendError when there is no such GPU or TensorRT is too old or too new, ModelError when the file
    is not a model or takes no such picture.
    """
    version = str(tensorrt.__version__)
    if not _OLDEST <= _major_minor(version) < _TOO_NEW:
        raise BackendError(
            f"TensorRT {version} is installed; this program speaks to 10.12 and newer, and not yet to 12",
            'run: pip install "tensorrt-cu13>=10.13,<12"',
        )
    index = device_index(device)
    specs = read_onnx(path).inputs
    inputs = {spec.name: spec.shape for spec in specs}
    wanted: dict[str, Range] = {}
    picture_input = None
    if picture is not None:
        port, batch = find_input(specs, picture, path.name)
        picture_input = specs[port].name
        shape = network_shape(replace(picture, batch=max(batch, 1)))
        wanted[picture_input] = Range.fixed(shape)
        if batch == EACH:
            wanted |= _batches({**inputs, picture_input: (EACH, *shape[1:])})
    ranges = profile_for(inputs, wanted | dict(shapes or {}))
    request = BuildRequest(path, ranges, index)
    content = digest(path)
    cuda = open_cuda(index, library)
    key = EngineKey.of(
        content, ranges, f"tensorrt {version}", cuda.device, precision=precision, options=request.options()
    )
    return EngineOrder(cuda, key, request, picture_input)


def _batches(inputs: Mapping[str, tuple[int, ...]]) -> dict[str, Range]:
    """From one to `MOST_PICTURES` for each input of which only the first dimension is free."""
    return {
        name: Range((1, *own[1:]), (1, *own[1:]), (MOST_PICTURES, *own[1:]))
        for name, own in inputs.items()
        if own and own[0] == EACH and EACH not in own[1:]
    }


def _major_minor(version: str) -> tuple[int, int]:
    parts = [int(part) if part.isdecimal() else 0 for part in version.split(".")]
    return (*parts, 0, 0)[0], (*parts, 0, 0)[1]


@dataclass(slots=True)
class Engine:
    """What a session holds of TensorRT; let go of `engine` before `runtime`."""

    logger: "Logger"
    runtime: Any
    engine: Any
    in_use: InUse
    """Keeps the engine's file from being cleared away."""


def load(
    wanted: EngineOrder,
    cache: EngineCache,
    build: Build | None,
    progress: ReportProgress | None = None,
    stop: threading.Event | None = None,
) -> Engine:
    """The engine, from the cache if it is there; a plan that TensorRT does not take is built anew.

    The log says each tenth of a build; `progress` is told every step. `build` None builds nothing: then
    EngineMissingError is raised where there is no engine that TensorRT takes.
    Raises BackendError when TensorRT finds no GPU, the build fails or `stop` ends it.
    """
    name = wanted.request.model.name
    stop = stop or threading.Event()
    milestones = Milestones()

    def report(now: BuildProgress) -> None:
        if milestones.passes(now):
            _log.info(
                "building the TensorRT engine of %s: %.0f %% (%s)", name, 100 * now.share, now.phase.strip()
            )
        if progress is not None:
            progress(now)

    def make(paths: BuildPaths) -> None:
        assert build is not None
        _log.info("building the TensorRT engine of %s: this takes minutes, once", name)
        build(wanted.request, paths, report, stop)

    def plan() -> bytes:
        if build is not None:
            return cache.ensure(wanted.key, make, stop)
        kept = cache.read(wanted.key)
        if kept is None:
            raise EngineMissingError(
                f"there is no TensorRT engine of {name} yet", "let it be built: --backend tensorrt"
            )
        return kept

    logger = Logger()
    try:
        runtime = tensorrt.Runtime(logger)
    except TypeError as error:  # how its bindings say that the library made none
        raise BackendError(
            "TensorRT cannot start: it finds no GPU that it can use",
            "update NVIDIA's driver, or use another backend",
        ) from error
    engine = runtime.deserialize_cuda_engine(plan())
    if engine is None:
        _log.warning("TensorRT does not take the engine of %s: building it anew", name)
        cache.discard(wanted.key)
        engine = runtime.deserialize_cuda_engine(plan())
    if engine is None:
        cache.discard(wanted.key)
        raise BackendError(
            f"TensorRT does not take the engine of {name} that it has just built: {logger.last}",
            "use another backend",
        )
    return Engine(logger, runtime, engine, cache.claim(wanted.key))


def dtype_of(engine: Any, name: str, model: str) -> np.dtype[Any]:
    """Of the tensor `name`. Raises BackendError, with the file's name `model`, for one that numpy lacks."""
    kind = engine.get_tensor_dtype(name)
    try:
        dtype: np.dtype[Any] = np.dtype(tensorrt.nptype(kind))
    except TypeError as error:
        raise BackendError(
            f"{name!r} of {model} is {kind}, which numpy does not know",
            "build the model with float16 or float32 inputs and outputs",
        ) from error
    return dtype


def is_built(
    path: Path,
    *,
    device: str = "GPU",
    picture: InputSpec | None = None,
    shapes: Mapping[str, Range] | None = None,
    cache: EngineCache | None = None,
) -> bool:
    """Whether opening a session loads an engine and builds none. Raises as opening it does."""
    cache = cache or EngineCache()
    wanted = order(path, device, picture, shapes, digest=cache.digest)
    try:
        return cache.read(wanted.key) is not None
    finally:
        wanted.cuda.close()


class Logger(tensorrt.ILogger):  # type: ignore[misc]
    """TensorRT's messages into the program's log; the last error is kept for ours."""

    def __init__(self) -> None:
        tensorrt.ILogger.__init__(self)
        self.last = ""

    def log(self, severity: Any, msg: str) -> None:
        levels = tensorrt.ILogger.Severity
        if severity in (levels.INTERNAL_ERROR, levels.ERROR):
            self.last = msg.strip().splitlines()[0].rstrip(".") if msg.strip() else ""
            _log.error("TensorRT: %s", msg)
        elif severity == levels.WARNING:
            _log.warning("TensorRT: %s", msg)
