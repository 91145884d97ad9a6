"""Which library speaks to CUDA: cuda-bindings, or pycuda."""

import importlib
import importlib.util
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import cast

from models.cuda.base import Cuda, CudaError

__all__ = ["LIBRARIES", "device_index", "open_cuda"]

LIBRARIES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "cuda-bindings": ("cuda", "models.cuda.bindings:BindingsCuda"),
        "pycuda": ("pycuda", "models.cuda.pycuda:PyCuda"),
    }
)
"""Name of the package to the import that must be there and "module:class", the first choice first."""


def open_cuda(index: int = 0, library: str | None = None) -> Cuda:
    """The GPU `index` through `library`, or through the first of `LIBRARIES` that is installed.

    Raises CudaError when none is installed, when it cannot be loaded (no driver) or has no such GPU.
    """
    if library is not None and library not in LIBRARIES:
        raise CudaError(
            f"there is no CUDA library named {library!r}", f"choose one of: {', '.join(LIBRARIES)}"
        )
    for name in LIBRARIES if library is None else (library,):
        package, target = LIBRARIES[name]
        if importlib.util.find_spec(package) is None:
            continue
        module_name, _, attribute = target.partition(":")
        try:
            module = importlib.import_module(module_name)
        except (ImportError, OSError) as error:  # both: a shared library that does not load
            raise CudaError(
                f"{name} is installed but cannot be loaded: {error}",
                "install NVIDIA's driver, 580 or newer for CUDA 13",
            ) from error
        return cast(Callable[[int], Cuda], getattr(module, attribute))(index)
    wanted = library or "cuda-bindings"
    raise CudaError(f"{wanted} is not installed", f"run: pip install {wanted}")


def device_index(device: str) -> int:
    """The number of the GPU that "GPU", "CUDA", "GPU:1", "CUDA:1" or "AUTO" names.

    Raises CudaError for any other device.
    """
    kind, _, number = device.upper().replace(".", ":").partition(":")
    if kind in {"GPU", "CUDA", "AUTO"} and (number.isdecimal() or number == ""):
        return int(number or 0)
    raise CudaError(f"{device!r} is no NVIDIA GPU", "use the device GPU or GPU:1, or a backend for the CPU")
