"""Where a network is to run: a backend and a device of it, as one string names them."""

from dataclasses import dataclass

from models.runtime.providers import PROVIDERS

__all__ = ["AUTO", "Place", "parse_place"]

AUTO = "auto"
"""The backend's name for: the best one that works."""
_OWN_BACKENDS = frozenset({"openvino", "tensorrt", "cpu"})
"""Providers whose name alone means something else: the native backends, and a device."""


@dataclass(frozen=True, slots=True)
class Place:
    """A backend and a device; an empty device is the backend's first."""

    backend: str
    device: str = ""

    def __str__(self) -> str:
        return f"{self.backend}/{self.device}" if self.device else self.backend


def parse_place(backend: str, device: str = "") -> Place:
    """Read "openvino", "openvino/GPU", "onnx/CUDA:1" or "cuda".

    `device` counts when `backend` names none. A name that is only a provider's of ONNX Runtime stands for the
    backend "onnx" on it: "cuda" is "onnx/CUDA", and "cuda" with the device "1" is "onnx/CUDA:1".
    """
    name, _, own = backend.partition("/")
    chosen = own or device
    provider, mark, options = name.partition("?")
    if provider.lower() in _OWN_BACKENDS or provider.lower() not in PROVIDERS:
        return Place(name, chosen)
    first = provider.upper()
    unit = "" if chosen.upper().partition(":")[0] in ("", first, "CPU") else f":{chosen}"
    if chosen.upper().startswith(f"{first}:"):
        unit = chosen[len(first) :]
    return Place("onnx", f"{first}{unit}{mark}{options}")
