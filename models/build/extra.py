"""The packages that builds need and the running program does not."""

import importlib
from types import ModuleType

from models.errors import BackendError

__all__ = ["needed", "needed_openvino"]

_EXTRA_OF = {"onnxruntime": "build,cpu"}
"""Where it is not the extra `build`: ONNX Runtime comes in two packages that exclude each other."""


def needed(module: str, purpose: str) -> ModuleType:
    """Import `module`. Raises BackendError that names the extra to install when it is not there."""
    package = module.partition(".")[0]
    try:
        return importlib.import_module(module)
    except (ImportError, OSError) as error:  # OSError: a shared library that does not load
        extra = _EXTRA_OF.get(package, "build")
        raise BackendError(
            f"{purpose} needs the package {package}, which is not installed or cannot be loaded: {error}",
            f'run: pip install "realtime-face[{extra}]"',
        ) from error


def needed_openvino(purpose: str) -> ModuleType:
    """OpenVINO, imported our way: by itself it, and NNCF after it, would report its use to its makers."""
    needed("models.runtime.openvino", purpose)
    return needed("openvino", purpose)
