"""Tests on a real GPU. Each skips, saying what is missing, where there is none."""

import pytest

from models.cuda.base import CudaError
from models.cuda.choice import open_cuda
from models.engines.cache import EngineCache
from tests.fakes.onnx_file import negating_network


@pytest.fixture(params=["cuda-bindings", "pycuda"])
def library(request):
    """The name of a CUDA library that works here."""
    try:
        open_cuda(0, request.param).close()
    except CudaError as error:
        pytest.skip(f"no GPU through {request.param}: {error.message}")
    return request.param


@pytest.fixture
def load(library, tmp_path):
    """Open a TensorRT session of a negating network; closed after the test."""
    try:
        from models.runtime.tensorrt import TensorRTSession
    except (ImportError, OSError) as error:
        pytest.skip(f"no TensorRT: {error}")
    opened = []

    def load(shape=(1, 3, 256, 256), **options):
        path = tmp_path / "toy.onnx"
        path.write_bytes(negating_network(shape))
        options.setdefault("cache", EngineCache(tmp_path / "engines"))
        opened.append(TensorRTSession(path, library=library, **options))
        return opened[-1]

    yield load
    for session in opened:
        session.close()
