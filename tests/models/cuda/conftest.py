import pytest

from tests.fakes.cuda_library import pretend_library
from tests.fakes.cudart import FakeCudart


@pytest.fixture
def cudart():
    return FakeCudart()


@pytest.fixture(params=["cuda-bindings", "pycuda"])
def library(request, cudart, monkeypatch):
    """The name of a CUDA library whose place `cudart` has taken."""
    pretend_library(request.param, cudart, monkeypatch)
    return request.param


@pytest.fixture
def bindings(cudart, monkeypatch):
    """As `library`, cuda-bindings alone."""
    pretend_library("cuda-bindings", cudart, monkeypatch)
    return "cuda-bindings"
