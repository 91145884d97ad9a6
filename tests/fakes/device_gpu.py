"""A GPU without a GPU, for swappers whose pictures stay there: kernels on the CPU, networks by OpenVINO."""

import importlib
import json
from pathlib import Path
from types import MappingProxyType

import numpy as np

from models.catalog import load_catalog
from models.engines import builder
from models.neural.source_feed import SourceFeed
from models.runtime.registry import open_session
from tests.fakes.cuda_library import pretend_library
from tests.fakes.cudart import FakeCudart
from tests.fakes.host_kernels import compiled_for_host
from tests.fakes.networks_swap import swapper_network
from tests.fakes.tensorrt import FakeTensorRT, pretend_tensorrt

__all__ = ["SWAPPER", "DeviceGpu", "Pretended", "coloured"]

SWAPPER = "alphaface_256"
"""Fed by a vector as it is, 0..1 in and out, without a mask: `networks_swap.painted` tells its answer."""


def coloured(colour, **more) -> SourceFeed:
    """What the swappers are fed with to add `colour`, RGB, in their own units."""
    vector = np.zeros((1, 512), np.float32)
    vector[0, :3], vector[0, 3] = colour, 1
    return SourceFeed(MappingProxyType({"embedding": vector, **more}), wearer_unit=True)


class Pretended:
    """A compiler that the runtime without a GPU believes."""

    version = "none"

    def architectures(self):
        return (89,)

    def compile(self, code, target):
        return b"face.cu, compiled"


class DeviceGpu:
    def __init__(self, monkeypatch, folder: Path, kernels: Path, library: str = "cuda-bindings") -> None:
        """`folder`: for models and what is kept of them; `kernels`: where face.cu is compiled once."""
        host = compiled_for_host(kernels)
        monkeypatch.setenv("REALTIME_CACHE", str(folder / "kept"))
        self.folder, self.library = folder, library
        self.cudart = FakeCudart()
        pretend_library(library, self.cudart, monkeypatch)
        self.trt = FakeTensorRT(self.cudart)
        pretend_tensorrt(self.trt, monkeypatch)
        self.trt.run = self._run
        host.behind(self.cudart)
        self._sessions = {}
        self.runs: list[int] = []
        """How many pictures each run of a network had."""

    def network(self, name: str = SWAPPER, **options):
        """A swapper of the catalogue with a computable answer; its model."""
        model = load_catalog()[name]
        swapper_network(self.folder / model.file, **{"side": 256, "batch": "faces", **options})
        return model

    def open(self, model, now_ns=lambda: 0, **options):
        module = importlib.import_module("models.neural.open_device_faces")
        given = {"compiler": Pretended, "build": self.build, "library": self.library, **options}
        return module.open_device_faces(model, self.folder, "GPU", now_ns, **given)

    def build(self, request, paths, progress, stop):
        """In the place of a process of its own."""
        builder.build(json.loads(request.line(paths)), self.trt.module, progress)

    def steps(self) -> list[str]:
        """What was asked of the device since `forget`, by what it is."""
        spoken = {
            "memcpy_htod_async": "up",
            "memcpy_dtoh_async": "down",
            "Event.synchronize": "wait",
            "cudaEventSynchronize": "wait",
            "Stream.synchronize": "wait",
            "cudaStreamSynchronize": "wait",
            "compute": "network",
        }
        found = []
        for call in self.cudart.calls:
            if call[0] == "cudaMemcpyAsync":
                found.append("up" if call[4] == "upload" else "down")
            elif call[0] == "kernel":
                found.append(call[1])
            elif call[0] in spoken:
                found.append(spoken[call[0]])
        return found

    def forget(self) -> None:
        self.cudart.calls.clear()

    def check_all_is_freed(self) -> None:
        assert self.cudart.problems == []
        assert self.cudart.device_memory == {}
        assert self.cudart.modules == {}

    def _run(self, path, values):
        self.runs.append(len(next(iter(values.values()))))
        if path not in self._sessions:
            self._sessions[path] = open_session(path, "openvino")
        return self._sessions[path].run(values)
