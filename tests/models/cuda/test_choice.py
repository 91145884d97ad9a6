import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from models.cuda.base import CudaError
from models.cuda.choice import LIBRARIES, device_index, open_cuda


def test_each_library_finds_the_same_gpu(library):
    cuda = open_cuda(0, library)
    assert cuda.device.name == "Fake RTX 7000"
    assert cuda.device.capability == (8, 9)
    assert (cuda.device.driver, cuda.device.driver_major) == (13010, 13)
    cuda.close()


def test_bindings_come_before_pycuda():
    assert next(iter(LIBRARIES)) == "cuda-bindings"


def test_one_that_is_there_is_taken_without_asking(library, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name == LIBRARIES[library][0] or None)
    assert type(open_cuda()).__module__ == LIBRARIES[library][1].partition(":")[0]


@pytest.mark.parametrize("wanted", [None, "cuda-bindings", "pycuda"])
def test_none_installed(wanted, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(CudaError, match="is not installed") as caught:
        open_cuda(0, wanted)
    assert f"pip install {wanted or 'cuda-bindings'}" in caught.value.hint


def test_an_unknown_library():
    with pytest.raises(CudaError, match="'cupy'") as caught:
        open_cuda(0, "cupy")
    assert "pycuda" in caught.value.hint


def test_a_gpu_that_is_not_there(library):
    with pytest.raises(CudaError, match="no GPU 1: CUDA finds 1"):
        open_cuda(1, library)


@pytest.mark.parametrize(
    ("device", "index"), [("GPU", 0), ("cuda", 0), ("AUTO", 0), ("GPU:1", 1), ("CUDA:12", 12), ("GPU.2", 2)]
)
def test_names_of_gpus(device, index):
    assert device_index(device) == index


@pytest.mark.parametrize("device", ["CPU", "NPU7", "GPU:x", "", "GPU:-1"])
def test_names_of_no_gpu(device):
    with pytest.raises(CudaError, match="no NVIDIA GPU") as caught:
        device_index(device)
    assert "CPU" in caught.value.hint


def test_importing_the_choice_imports_no_library():
    code = (
        "import sys\n"
        "import models.cuda.choice, models.cuda.lanes\n"
        "assert not {'cuda', 'pycuda', 'tensorrt'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[3], check=True, timeout=60)
