"""TensorRT engines from the cache, built where they are missing.

Not run on a GPU: names were checked against the bindings of 11.4.0.106.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tensorrt

from models.cuda.base import Cuda
from models.cuda.choice import device_index, open_cuda
from models.engines.cache import BuildPaths, EngineCache
from models.engines.child import BuildRequest
from models.engines.key import EngineKey
from models.engines.profile import Range, profile_for
from models.engines.progress import BuildProgress, ReportProgress
from models.errors import BackendError, ModelError
from models.onnx_file import read_onnx
from models.runtime.base import InputSpec

__all__ = ["AS_IN_THE_FILE", "Build", "Engine", "EngineOrder", "Logger", "is_built", "load", "order"]

_log = logging.getLogger(__name__)

_OLDEST, _TOO_NEW = (10, 12), (12, 0)
AS_IN_THE_FILE = "as in the file"
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
) -> EngineOrder:
    """Look at the file and at the GPU, and put both together.

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
    inputs = {spec.name: spec.shape for spec in read_onnx(path).inputs}
    wanted = dict(shapes or {})
    picture_input = None
    if picture is not None:
        picture_input, shape = _picture_port(path.name, inputs, picture)
        wanted[picture_input] = Range.fixed(shape)
    ranges = profile_for(inputs, wanted)
    cuda = open_cuda(index, library)
    request = BuildRequest(path, ranges, index)
    key = EngineKey.of(
        path, ranges, f"tensorrt {version}", cuda.device, precision=precision, options=request.options()
    )
    return EngineOrder(cuda, key, request, picture_input)


def _picture_port(
    name: str, inputs: Mapping[str, tuple[int, ...]], picture: InputSpec
) -> tuple[str, tuple[int, ...]]:
    size = (picture.height, picture.width)
    shape = (1, *size, 3) if picture.layout == "nhwc" else (1, 3, *size)
    for port, own in inputs.items():
        if len(own) == 4:
            if all(each in (-1, wanted) for each, wanted in zip(own, shape, strict=True)):
                return port, shape
            break
    raise ModelError(
        f"{name} has no picture input of the shape {shape}",
        "use the file that the catalogue names: realtime models fetch",
    )


def _major_minor(version: str) -> tuple[int, int]:
    parts = [int(part) if part.isdecimal() else 0 for part in version.split(".")]
    return (*parts, 0, 0)[0], (*parts, 0, 0)[1]


@dataclass(slots=True)
class Engine:
    """What a session holds of TensorRT; let go of `engine` before `runtime`."""

    logger: "Logger"
    runtime: Any
    engine: Any


def load(
    wanted: EngineOrder,
    cache: EngineCache,
    build: Build,
    progress: ReportProgress | None = None,
    stop: threading.Event | None = None,
) -> Engine:
    """The engine, from the cache if it is there; a plan that TensorRT does not take is built anew.

    Raises BackendError when TensorRT finds no GPU or the build fails.
    """
    name = wanted.request.model.name

    def make(paths: BuildPaths) -> None:
        _log.info("building the TensorRT engine of %s: this takes minutes, once", name)
        build(wanted.request, paths, progress or _logged, stop or threading.Event())

    logger = Logger()
    try:
        runtime = tensorrt.Runtime(logger)
    except TypeError as error:  # how its bindings say that the library made none
        raise BackendError(
            "TensorRT cannot start: it finds no GPU that it can use",
            "update NVIDIA's driver, or use another backend",
        ) from error
    engine = runtime.deserialize_cuda_engine(cache.ensure(wanted.key, make))
    if engine is None:
        _log.warning("TensorRT does not take the engine of %s: building it anew", name)
        cache.discard(wanted.key)
        engine = runtime.deserialize_cuda_engine(cache.ensure(wanted.key, make))
    if engine is None:
        cache.discard(wanted.key)
        raise BackendError(
            f"TensorRT does not take the engine of {name} that it has just built: {logger.last}",
            "use another backend",
        )
    return Engine(logger, runtime, engine)


def is_built(
    path: Path,
    *,
    device: str = "GPU",
    picture: InputSpec | None = None,
    shapes: Mapping[str, Range] | None = None,
    cache: EngineCache | None = None,
) -> bool:
    """Whether opening a session loads an engine and builds none. Raises as opening it does."""
    wanted = order(path, device, picture, shapes)
    try:
        return (cache or EngineCache()).read(wanted.key) is not None
    finally:
        wanted.cuda.close()


def _logged(now: BuildProgress) -> None:
    _log.debug("building: %.0f %% (%s)", 100 * now.share, now.phase)


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
