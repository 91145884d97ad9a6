"""What to tell about a model file that a backend's reader refuses."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from models.errors import ModelError

__all__ = ["unreadable"]

_CURES: Mapping[str, str] = MappingProxyType(
    {
        "opset": "update the backend's package, or export the model again for an older operator set",
        "no op registered": "use another backend, or export the model without that operator",
        "could not find an implementation": "use another backend, or export the model without that operator",
        "no conversion rule": "use another backend, or export the model without that operator",
        "external data": "put the file with the weights beside the model, or export the model as one file",
    }
)
"""By what the readers say, in lower case: ONNX Runtime 1.31 and OpenVINO 2026.4."""


def unreadable(path: Path, reason: str) -> ModelError:
    """The error for a file that is whole, as far as `check_container` sees, but not understood."""
    said = reason.lower()
    cure = next((cure for sign, cure in _CURES.items() if sign in said), None)
    return ModelError(
        f"{path.name} cannot be read as a model: {reason}",
        cure or f"delete {path} and fetch it again: realtime models fetch {path.stem}",
    )
