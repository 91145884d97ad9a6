"""face.cu run by the CPU, thread after thread, as a C++ compiler takes it."""

import ctypes
import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

from models.cuda.kernels.compile import source
from models.cuda.kernels.parameters import PARAMETERS
from tests.fakes.cudart import FakeCudart

__all__ = ["HostKernels", "HostModule", "compiled_for_host"]

_HEADER = Path(__file__).with_name("cuda_on_host.h")


def compiled_for_host(folder: Path) -> "HostKernels":
    """Compile face.cu into `folder`. Skips the test where there is no C++ compiler that can."""
    compiler = next(filter(None, map(shutil.which, ("g++", "clang++", "c++"))), None)
    if compiler is None:
        pytest.skip("no C++ compiler here to run the kernels on the CPU with")
    exported = "\n".join(f"ON_HOST({name}, {kind.__name__})" for name, kind in PARAMETERS.items())
    # `extern "C"` of the kernels would clash with `static`, which stands for __global__.
    code = source().replace('extern "C" __global__', "__global__")
    code = f'#include "{_HEADER.as_posix()}"\n{code}\n{exported}\n'
    folder.mkdir(parents=True, exist_ok=True)
    library = folder / f"face-{hashlib.sha256(code.encode()).hexdigest()[:16]}.so"
    if not library.exists():
        written = library.with_suffix(".cpp")
        written.write_text(code, "utf-8")
        # As the device rounds it but for fused multiplies and adds: the tolerances have room for those.
        options = ["-std=c++17", "-O2", "-ffp-contract=off", "-shared", "-fPIC"]
        done = subprocess.run(
            [compiler, *options, "-o", library, written], capture_output=True, text=True, timeout=100
        )
        if done.returncode and "_Float16" in done.stderr:
            pytest.skip(f"{compiler} knows no _Float16")
        assert done.returncode == 0, done.stderr
    return HostKernels(ctypes.CDLL(str(library)))


class HostKernels:
    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library

    def size_of(self, name: str) -> int:
        """Bytes of the kernel's structure as C++ lays it out."""
        function = getattr(self._library, f"size_of_{name}")
        function.restype = ctypes.c_ulong
        return int(function())

    def run(self, name: str, grid, block, parameters: bytes) -> None:
        assert len(parameters) == self.size_of(name), name
        three = ctypes.c_uint * 3
        getattr(self._library, f"run_{name}")(three(*grid), three(*block), parameters)

    def behind(self, cudart: FakeCudart) -> None:
        """Let the runtime without a GPU run them, each when its turn in its stream comes."""
        cudart.parameter_bytes = {name: self.size_of(name) for name in PARAMETERS}
        cudart.run_kernel = self.run


class HostModule:
    """`models.cuda.base.Module` that runs a kernel at once, on the host's memory."""

    def __init__(self, kernels: HostKernels) -> None:
        self._kernels = kernels

    def launch(self, name, grid, block, parameters, stream) -> None:
        self._kernels.run(name, grid, block, bytes(parameters))

    def close(self) -> None:
        pass
