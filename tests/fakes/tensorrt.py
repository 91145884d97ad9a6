"""TensorRT on the CUDA runtime without a GPU, for networks that negate their input or that a test runs.

Its plans are JSON. What the real library refuses by returning None or False, it refuses so too.
"""

import importlib.machinery
import json
import sys
from collections.abc import Callable
from enum import IntEnum
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from models.onnx_file import read_onnx
from tests.fakes.cudart import FakeCudart

__all__ = ["FakeTensorRT", "pretend_tensorrt"]


class Severity(IntEnum):
    INTERNAL_ERROR = 0
    ERROR = 1
    WARNING = 2


class ILogger:
    INTERNAL_ERROR, ERROR, WARNING = Severity
    Severity = Severity

    def __init__(self, least=Severity.WARNING):
        self.least = least

    def log(self, severity, msg):
        pass


class IProgressMonitor:
    def __init__(self):
        pass


class TensorIOMode(IntEnum):
    INPUT = 1
    OUTPUT = 2


class DataType(IntEnum):
    FLOAT = 0
    BF16 = 1


class FakeTensorRT:
    """`broken` names steps that fail from now on: "runtime", "context", "enqueue", "build", "parse"."""

    def __init__(self, cudart: FakeCudart, version: str = "11.4.0.106") -> None:
        self.cudart = cudart
        self.version = version
        self.broken: set[str] = set()
        self.built: list[dict] = []
        self.timings_given: list[bytes] = []
        self.output_type = DataType.FLOAT
        self.data_dependent = False
        self.run: Callable[[Path, dict[str, np.ndarray]], dict[str, np.ndarray]] | None = None
        """What a network does with its inputs, by its file; None: it negates its only one."""
        self.module = self._module()

    def note(self, *what) -> None:
        self.cudart.calls.append(what)

    def _module(self) -> ModuleType:
        module = ModuleType("tensorrt")
        module.__spec__ = importlib.machinery.ModuleSpec("tensorrt", None)
        module.__version__ = self.version
        module.ILogger = module.Logger = ILogger
        module.IProgressMonitor = IProgressMonitor
        module.TensorIOMode = TensorIOMode
        module.DataType = DataType
        module.nptype = self._nptype
        module.Runtime = lambda logger: self._started(logger, Runtime)
        module.Builder = lambda logger: self._started(logger, Builder)
        module.OnnxParser = lambda network, logger: Parser(self, network)
        module.NetworkDefinitionCreationFlag = SimpleNamespace(STRONGLY_TYPED=1)
        module.MemoryPoolType = SimpleNamespace(WORKSPACE="workspace")
        module.BuilderFlag = SimpleNamespace(TF32="tf32")
        return module

    def _started(self, logger, kind):
        if "runtime" in self.broken:
            raise TypeError("pybind11::init(): factory function returned nullptr")
        return kind(self, logger)

    def _nptype(self, kind):
        if kind is DataType.BF16:
            raise TypeError("Could not resolve TensorRT datatype to an equivalent numpy datatype.")
        return np.float32


class Builder:
    def __init__(self, trt, logger):
        self.trt = trt

    def create_network(self, flags):
        self.trt.note("create_network", flags)
        return {}

    def create_builder_config(self):
        return Config(self.trt)

    def create_optimization_profile(self):
        shapes = {}
        return SimpleNamespace(
            shapes=shapes, set_shape=lambda name, *three: shapes.__setitem__(name, [list(s) for s in three])
        )

    def build_serialized_network(self, network, config):
        monitor = config.progress_monitor
        monitor.phase_start("Building Engine", None, 2)
        monitor.phase_start("Tactics", "Building Engine", 4)
        for step in range(4):
            monitor.step_complete("Tactics", step)
        monitor.phase_finish("Tactics")
        monitor.step_complete("Building Engine", 0)
        monitor.step_complete("Building Engine", 1)
        monitor.phase_finish("Building Engine")
        if "build" in self.trt.broken:
            return None
        plan = {**network, "profiles": config.profiles, "settings": config.settings}
        self.trt.built.append(plan)
        return json.dumps(plan).encode()


class Config:
    def __init__(self, trt):
        self.trt = trt
        self.profiles = []
        self.settings = {}
        self.timing = None

    def set_memory_pool_limit(self, pool, size):
        self.settings[pool] = size

    def set_flag(self, flag):
        self.settings[flag] = True

    def clear_flag(self, flag):
        self.settings[flag] = False

    def add_optimization_profile(self, profile):
        self.profiles.append(profile.shapes)

    def create_timing_cache(self, data):
        return None if data == b"of another version" else bytes(data)

    def set_timing_cache(self, cache, ignore_mismatch):
        self.trt.timings_given.append(cache)
        self.timing = cache
        return True

    def get_timing_cache(self):
        return SimpleNamespace(serialize=lambda: self.timing + b"+")


class Parser:
    def __init__(self, trt, network):
        self.trt, self.network = trt, network
        self.num_errors = 1

    def parse_from_file(self, path):
        if "parse" in self.trt.broken:
            return False
        head = read_onnx(Path(path))
        self.network["input"], self.network["output"] = head.inputs[0].name, head.outputs[0].name
        self.network["shape"] = list(head.inputs[0].shape)
        self.network["path"] = str(path)
        self.network["inputs"] = [spec.name for spec in head.inputs]
        self.network["outputs"] = {spec.name: list(spec.shape) for spec in head.outputs}
        return True

    def get_error(self, index):
        return SimpleNamespace(desc=lambda: "In node 0: UNSUPPORTED_NODE")


class Runtime:
    def __init__(self, trt, logger):
        self.trt, self.logger = trt, logger

    def deserialize_cuda_engine(self, plan):
        try:
            return Engine(self.trt, self.logger, json.loads(plan))
        except ValueError:
            self.logger.log(Severity.ERROR, "Version tag does not match.")
            return None


class Engine:
    def __init__(self, trt, logger, plan):
        self.trt, self.logger, self.plan = trt, logger, plan
        self.fed = plan.get("inputs", [plan["input"]])
        self.names = [*self.fed, *plan.get("outputs", [plan["output"]])]
        self.num_io_tensors = len(self.names)

    def __del__(self):
        self.trt.note("engine freed")

    def get_tensor_name(self, index):
        return self.names[index]

    def get_tensor_mode(self, name):
        return TensorIOMode.INPUT if name in self.fed else TensorIOMode.OUTPUT

    def get_tensor_dtype(self, name):
        return DataType.FLOAT if name in self.fed else self.trt.output_type

    def get_tensor_shape(self, name):
        if name not in self.fed and self.trt.run is not None:
            return tuple(self.plan["outputs"][name])
        least, _, most = self.plan["profiles"][0][name if name in self.fed else self.fed[0]]
        return tuple(low if low == high else -1 for low, high in zip(least, most, strict=True))

    def create_execution_context(self):
        return None if "context" in self.trt.broken else Context(self)


class Context:
    def __init__(self, engine):
        self.engine = engine
        self.trt = engine.trt
        self.addresses = {}
        self.shapes = {}

    def __del__(self):
        self.trt.note("context freed")

    def set_optimization_profile_async(self, index, handle):
        return True

    def set_input_shape(self, name, shape):
        least, _, most = self.engine.plan["profiles"][0][name]
        fits = all(low <= size <= high for low, size, high in zip(least, shape, most, strict=True))
        self.shapes[name] = tuple(shape) if fits else None
        return fits

    def infer_shapes(self):
        return [name for name in self.engine.fed if self.shapes.get(name) is None]

    def get_tensor_shape(self, name):
        if name in self.engine.fed:
            shape = self.shapes[name]
        elif self.trt.run is None:
            shape = self.shapes[self.engine.fed[0]]
        else:
            count = self.shapes[self.engine.fed[0]][0]
            shape = tuple(count if size == -1 else size for size in self.engine.plan["outputs"][name])
        return (-1, *shape[1:]) if self.trt.data_dependent else shape

    def set_tensor_address(self, name, address):
        self.addresses[name] = address
        return True

    def execute_async_v3(self, handle):
        if "enqueue" in self.trt.broken:
            self.engine.logger.log(Severity.ERROR, "[executionContext] Cuda Runtime (an error)")
            return False
        memory, run, path = (
            self.trt.cudart.device_memory,
            self.trt.run,
            Path(self.engine.plan.get("path", "")),
        )
        places = {name: (self.addresses[name], self.get_tensor_shape(name)) for name in self.engine.names}
        fed = list(self.engine.fed)

        def kernel():  # holds no context: the runtime keeps what it has done
            def view(name):
                address, shape = places[name]
                size = 4 * int(np.prod(shape))
                return np.ctypeslib.as_array(memory[address])[:size].view(np.float32).reshape(shape)

            values = {name: view(name).copy() for name in fed}
            answers = {name: -values[fed[0]] for name in places if name not in fed}
            for name, answer in (answers if run is None else run(path, values)).items():
                view(name)[:] = answer

        self.trt.cudart.compute(handle, kernel)
        return True


def pretend_tensorrt(trt: FakeTensorRT, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let TensorRT be installed until the test ends."""
    monkeypatch.setitem(sys.modules, "tensorrt", trt.module)
    for module in ("models.engines.tensorrt", "models.runtime.tensorrt", "models.runtime.tensorrt_device"):
        monkeypatch.setitem(sys.modules, module, trt.module)
        del sys.modules[module]
