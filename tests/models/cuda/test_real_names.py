"""Every name that models/cuda/bindings.py uses, against the real cuda-bindings where they are installed."""

import re
from pathlib import Path

import pytest

import models.cuda

SOURCE = (Path(models.cuda.__file__).parent / "bindings.py").read_text("utf-8")


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
