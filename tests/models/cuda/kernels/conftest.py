import pytest

from tests.fakes.host_kernels import compiled_for_host
from tests.fakes.kernel_memory import HostMemory


@pytest.fixture(scope="session")
def host_kernels(tmp_path_factory):
    """face.cu compiled for the CPU; skips where there is no C++ compiler."""
    return compiled_for_host(tmp_path_factory.mktemp("kernels"))


@pytest.fixture
def memory(host_kernels):
    return HostMemory(host_kernels)
