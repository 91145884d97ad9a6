"""Our calls against TensorRT's real Python bindings, which a stub library lets in without a GPU.

Needs the package tensorrt-cu13-bindings and gcc; skips by name without them.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import tests.fakes

STUB = Path(tests.fakes.__file__).parent / "nvinfer_stub.c"
LIBRARIES = ("libnvinfer.so.11", "libnvinfer_plugin.so.11", "libnvonnxparser.so.11")

PROGRAM = """
import json, sys, threading
import tensorrt_bindings as trt
sys.modules["tensorrt"] = trt

names = {
    trt: "Runtime Builder OnnxParser ILogger Logger IProgressMonitor TensorIOMode "
    "NetworkDefinitionCreationFlag",
    trt.ICudaEngine: "num_io_tensors get_tensor_name get_tensor_mode get_tensor_dtype get_tensor_shape",
    trt.Runtime: "deserialize_cuda_engine",
    trt.IExecutionContext: "set_optimization_profile_async set_input_shape infer_shapes get_tensor_shape "
    "set_tensor_address execute_async_v3",
    trt.Builder: "create_network create_builder_config create_optimization_profile build_serialized_network",
    trt.IBuilderConfig: "set_memory_pool_limit builder_optimization_level set_flag clear_flag "
    "add_optimization_profile create_timing_cache set_timing_cache get_timing_cache progress_monitor",
    trt.ITimingCache: "serialize",
    trt.IOptimizationProfile: "set_shape",
    trt.OnnxParser: "parse_from_file num_errors get_error",
    trt.ParserError: "desc",
    trt.TensorIOMode: "INPUT OUTPUT",
    trt.BuilderFlag: "TF32",
    trt.MemoryPoolType: "WORKSPACE",
    trt.ILogger.Severity: "INTERNAL_ERROR ERROR WARNING",
}
for owner, wanted in names.items():
    for name in wanted.split():
        assert hasattr(owner, name), (owner, name)
assert hasattr(trt.ICudaEngine, "create_execution_context")

from models.engines import builder
from models.engines.tensorrt import Logger
from models.errors import BackendError
import models.runtime.tensorrt

logger = Logger()
logger.log(trt.ILogger.Severity.ERROR, "first line.\\nsecond line")
assert logger.last == "first line", logger.last
monitor = builder._monitor(trt, print)
monitor.phase_start("all", None, 2)
assert monitor.step_complete("all", 0) is True
monitor.phase_finish("all")
try:
    builder.build({"model": "toy.onnx", "device": 0}, trt, print)
except BackendError as error:
    assert "finds no GPU" in error.message
else:
    raise AssertionError("the stub makes no builder")
print("names are right")
"""


@pytest.fixture(scope="module")
def stubs(tmp_path_factory):
    if importlib.util.find_spec("tensorrt_bindings") is None:
        pytest.skip("tensorrt-cu13-bindings is not installed")
    if shutil.which("gcc") is None:
        pytest.skip("there is no gcc to make the stub library with")
    folder = tmp_path_factory.mktemp("stubs")
    for name in LIBRARIES:
        command = ["gcc", "-shared", "-fPIC", f"-Wl,-soname,{name}", str(STUB), "-o", str(folder / name)]
        subprocess.run(command, check=True, timeout=60)
    return folder


def test_every_name_that_is_used_is_there(stubs):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=Path(__file__).parents[3],
        env=os.environ | {"LD_LIBRARY_PATH": str(stubs)},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("names are right\n")
