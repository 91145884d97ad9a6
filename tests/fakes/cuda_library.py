"""Lets a CUDA library be installed that is not."""

import importlib.machinery
import sys
from types import ModuleType

import pytest

from tests.fakes.cudart import FakeCudart
from tests.fakes.pycuda import pycuda_driver

__all__ = ["pretend_library"]


def pretend_library(library: str, cudart: FakeCudart, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until the test ends, `library` ("cuda-bindings" or "pycuda") is there and `cudart` is behind it."""
    if library == "pycuda":
        package, attribute, value = "pycuda", "driver", pycuda_driver(cudart)
        module = "models.cuda.pycuda"
    else:
        package, attribute, value = "cuda", "bindings", ModuleType("cuda.bindings")
        value.runtime, value.driver = cudart.runtime(), cudart.driver()
        monkeypatch.setitem(sys.modules, "cuda.bindings", value)
        module = "models.cuda.bindings"
    outer = ModuleType(package)
    outer.__spec__ = importlib.machinery.ModuleSpec(package, None)
    setattr(outer, attribute, value)
    monkeypatch.setitem(sys.modules, package, outer)
    # Noted down, so that the module that has bound the stand-in is gone when the test is.
    monkeypatch.setitem(sys.modules, module, outer)
    del sys.modules[module]
