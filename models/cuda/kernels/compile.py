"""face.cu compiled for a GPU where the program runs, and kept for the next start.

By NVRTC through cuda-bindings, which the device's library is already (cuda-core would wrap the same calls,
with a device and streams of its own beside ours), or by nvcc through `pycuda.compiler` where only pycuda is
installed. NVRTC takes half a second a GPU.

Not run on a GPU: what NVRTC 13.5 made for sm_75, 86, 89 and 90 was looked at, not loaded; nvcc through pycuda
was checked against pycuda's sources.
"""

import hashlib
import importlib.util
import logging
import os
import tempfile
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Protocol

from models.cuda.base import CudaError
from models.runtime.kept import kept_folder

__all__ = ["Compiler", "Nvcc", "Nvrtc", "find_compiler", "image", "source"]

_log = logging.getLogger(__name__)

OLDEST = (7, 5)
"""Turing: the oldest that TensorRT 11 and CUDA 13 know."""
FORMAT_VERSION = "1"
"""Of a kept file: the SHA-256 of the rest in hexadecimals, a line's end, the image."""
_DIGEST_LENGTH = 64
_OPTIONS = ("--std=c++17",)
_NAME = "face.cu"


class Compiler(Protocol):
    @property
    def version(self) -> str:
        """Of what compiles: another version may make another image."""
        ...

    def architectures(self) -> Sequence[int]:
        """What it compiles for, 10 * major + minor; empty when it does not say."""
        ...

    def compile(self, code: str, target: str) -> bytes:
        """A cubin for "sm_89", PTX for "compute_89". Raises CudaError with what the compiler said."""
        ...


def source() -> str:
    """face.cu."""
    return (files("models.cuda.kernels") / _NAME).read_text("utf-8")


def find_compiler() -> Compiler:
    """NVRTC if cuda-bindings are installed, else nvcc. Raises CudaError when there is neither."""
    if importlib.util.find_spec("cuda") is not None:
        return Nvrtc()
    if importlib.util.find_spec("pycuda") is not None:
        return Nvcc()
    raise CudaError(
        "there is nothing to compile CUDA kernels with",
        "run: pip install cuda-bindings nvidia-cuda-nvrtc",
    )


def image(capability: tuple[int, int], compiler: Compiler, folder: Path | None = None) -> bytes:
    """The kernels for a GPU of that compute capability, from `folder` if they are there.

    A cubin where the compiler knows the GPU; for a newer one PTX of the newest it knows, which the driver
    compiles on. Raises CudaError when the GPU is too old or the source does not compile. A folder that cannot
    be written costs time at the next start, no more.
    """
    if capability < OLDEST:
        raise CudaError(
            "the GPU's compute capability is {}.{}; 7.5 is the least".format(*capability),
            "use another backend",
        )
    code, target = source(), _target(capability, compiler)
    text = "\n".join((compiler.version, target, *_OPTIONS, code))
    name = f"{target}-{hashlib.sha256(text.encode()).hexdigest()[:32]}"
    path = (kept_folder("kernels", FORMAT_VERSION) if folder is None else folder) / name
    held = _read(path)
    if held is None:
        held = compiler.compile(code, target)
        _write(path, held)
    return held


def _target(capability: tuple[int, int], compiler: Compiler) -> str:
    number = 10 * capability[0] + capability[1]
    known = compiler.architectures()
    if not known or number in known:
        return f"sm_{number}"
    older = [each for each in known if each < number]
    if not older:
        raise CudaError(
            f"{compiler.version} compiles for compute capability {min(known) / 10:.1f} and newer only",
            "install an older nvidia-cuda-nvrtc",
        )
    return f"compute_{max(older)}"


def _read(path: Path) -> bytes | None:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        _log.warning("the compiled kernels %s cannot be read: %s", path, error.strerror or error)
        return None
    digest, held = content[:_DIGEST_LENGTH], content[_DIGEST_LENGTH + 1 :]
    if hashlib.sha256(held).hexdigest().encode() == digest and held:
        return held
    _log.warning("the compiled kernels %s are damaged: compiling them anew", path)
    return None


def _write(path: Path, held: bytes) -> None:
    """Whole or not at all; who writes the same at the same time writes the same."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, work = tempfile.mkstemp(prefix=".", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(hashlib.sha256(held).hexdigest().encode() + b"\n" + held)
            os.replace(work, path)
        except BaseException:
            os.unlink(work)
            raise
    except OSError as error:
        _log.warning("the compiled kernels cannot be kept in %s: %s", path.parent, error.strerror or error)


class Nvrtc:
    """NVIDIA's runtime compiler, from the package nvidia-cuda-nvrtc or from a CUDA toolkit."""

    def __init__(self) -> None:
        """Raises CudaError when its library is not there."""
        try:
            from cuda.bindings import nvrtc
        except (ImportError, OSError) as error:
            raise CudaError(
                f"NVRTC cannot be loaded: {error}", "run: pip install cuda-bindings nvidia-cuda-nvrtc"
            ) from error
        self._nvrtc: Any = nvrtc
        major, minor = self._call("nvrtcVersion")
        self._version = f"nvrtc {major}.{minor}"

    @property
    def version(self) -> str:
        return self._version

    def architectures(self) -> Sequence[int]:
        return [int(each) for each in self._call("nvrtcGetSupportedArchs")[0]]

    def compile(self, code: str, target: str) -> bytes:
        options = [option.encode() for option in (f"--gpu-architecture={target}", *_OPTIONS)]
        (program,) = self._call("nvrtcCreateProgram", code.encode(), _NAME.encode(), 0, [], [])
        try:
            result = self._nvrtc.nvrtcCompileProgram(program, len(options), options)[0]
            if int(result) != 0:
                said = self._taken("nvrtcGetProgramLog", program).rstrip(b"\0 \n").decode("utf-8", "replace")
                raise CudaError(
                    f"NVRTC does not compile the kernels ({result.name}): {said}",
                    "report it with the version of nvidia-cuda-nvrtc, and use another backend meanwhile",
                )
            return self._taken("nvrtcGetCUBIN" if target.startswith("sm_") else "nvrtcGetPTX", program)
        finally:
            self._call("nvrtcDestroyProgram", program)

    def _taken(self, function: str, program: Any) -> bytes:
        (size,) = self._call(f"{function}Size", program)
        content = b" " * int(size)
        self._call(function, program, content)  # fills it in place
        return content

    def _call(self, name: str, *arguments: Any) -> tuple[Any, ...]:
        try:
            code, *results = getattr(self._nvrtc, name)(*arguments)
        except RuntimeError as error:  # the bindings' own, when the library is not there
            raise CudaError(f"NVRTC cannot be used: {error}", "run: pip install nvidia-cuda-nvrtc") from error
        if int(code) != 0:
            raise CudaError(f"{name} failed with {code.name}", "use another backend")
        return tuple(results)


class Nvcc:
    """The CUDA toolkit's compiler, through pycuda; it needs a C++ compiler beside it."""

    def __init__(self) -> None:
        """Raises CudaError when pycuda does not load or nvcc is not there."""
        try:
            from pycuda import compiler

            said: str = compiler.get_nvcc_version("nvcc")
        except (ImportError, OSError) as error:
            raise CudaError(
                f"the kernels cannot be compiled: {error}",
                "run: pip install cuda-bindings nvidia-cuda-nvrtc; or install the CUDA toolkit",
            ) from error
        self._compiler: Any = compiler
        self._version = said.strip().splitlines()[-1]

    @property
    def version(self) -> str:
        return self._version

    def architectures(self) -> Sequence[int]:
        return ()

    def compile(self, code: str, target: str) -> bytes:
        from pycuda.driver import CompileError

        try:
            made: bytes = self._compiler.compile(code, options=list(_OPTIONS), no_extern_c=True, arch=target)
        except CompileError as error:
            raise CudaError(f"nvcc does not compile the kernels: {error}", "use another backend") from error
        return made
