"""Every name that models/cuda uses of cuda-bindings, against the real ones where they are installed."""

import ctypes
import re
from pathlib import Path

import pytest

import models.cuda

FOLDER = Path(models.cuda.__file__).parent
SOURCE = (FOLDER / "bindings.py").read_text("utf-8")
COMPILE = (FOLDER / "kernels" / "compile.py").read_text("utf-8")


@pytest.fixture(scope="module")
def runtime():
    return pytest.importorskip("cuda.bindings.runtime", reason="cuda-bindings is not installed")


@pytest.mark.parametrize("name", sorted(set(re.findall(r"\bruntime\.(\w+)", SOURCE))))
def test_the_runtime_has_it(runtime, name):
    assert hasattr(runtime, name)


def test_the_errors_that_lose_a_device_exist(runtime):
    lost = set(re.findall(r'^        "(cudaError\w+)",$', SOURCE, re.M))
    assert len(lost) > 10
    assert lost <= {member.name for member in runtime.cudaError_t}


@pytest.fixture(scope="module")
def driver():
    return pytest.importorskip("cuda.bindings.driver", reason="cuda-bindings is not installed")


@pytest.mark.parametrize("name", sorted(set(re.findall(r"\bdriver\.(\w+)", SOURCE))))
def test_the_driver_has_it(driver, name):
    assert name.startswith("cu")
    assert hasattr(driver, name)


def test_the_drivers_errors_are_the_runtimes_numbers(runtime, driver):
    ours = {member.name: member.value for member in runtime.cudaError_t}
    theirs = {member.name: member.value for member in driver.CUresult}
    assert theirs["CUDA_ERROR_OUT_OF_MEMORY"] == ours["cudaErrorMemoryAllocation"]
    assert theirs["CUDA_ERROR_ILLEGAL_ADDRESS"] == ours["cudaErrorIllegalAddress"]
    assert theirs["CUDA_ERROR_LAUNCH_FAILED"] == ours["cudaErrorLaunchFailure"]
    lost = {ours[name] for name in re.findall(r'^        "(cudaError\w+)",$', SOURCE, re.M)}
    assert lost <= set(theirs.values())
    assert runtime.cudaError_t(theirs["CUDA_ERROR_ILLEGAL_ADDRESS"]).name == "cudaErrorIllegalAddress"
    alone = set(theirs.values()) - set(ours.values())
    for number in alone:
        with pytest.raises(ValueError, match=str(number)):
            runtime.cudaError_t(number)


def test_a_launchs_arguments_are_of_the_types_that_the_bindings_take(driver, runtime):
    """They are converted before the driver's library is looked for, which is missing where no GPU is."""
    if runtime.cudaGetDeviceCount()[0] == 0:
        pytest.skip("there is a driver here: tests/gpu launches")
    pointers = (ctypes.c_void_p * 1)(0)
    function, stream = driver.CUfunction(0), runtime.cudaStream_t(0)
    with pytest.raises(RuntimeError, match="driver"):
        driver.cuLaunchKernel(function, 1, 1, 1, 32, 8, 1, 0, stream, ctypes.addressof(pointers), 0)
    with pytest.raises(TypeError):
        driver.cuLaunchKernel(function, 1, 1, 1, 32, 8, 1, 0, stream, "pointers", 0)


@pytest.mark.parametrize("name", sorted(set(re.findall(r'"(nvrtc[A-Z]\w+)"', COMPILE))))
def test_nvrtc_has_it(name):
    nvrtc = pytest.importorskip("cuda.bindings.nvrtc", reason="cuda-bindings is not installed")
    assert hasattr(nvrtc, name)
    if name in ("nvrtcGetCUBIN", "nvrtcGetPTX", "nvrtcGetProgramLog"):
        assert hasattr(nvrtc, f"{name}Size")
