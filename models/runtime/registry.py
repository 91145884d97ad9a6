"""Inference backends by name, each imported when it is used."""

import importlib
import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import cast

from models.errors import BackendError
from models.runtime.base import EACH, InputSpec, PictureOut, Session
from models.runtime.container import check_container
from models.runtime.place import AUTO, Place, parse_place
from models.runtime.providers import PROVIDERS

__all__ = ["BACKENDS", "Backend", "available", "installed", "open_session", "resolve"]


@dataclass(frozen=True, slots=True)
class Backend:
    """Where a backend lives and what it needs."""

    target: str
    """"module:class"; the class is called with (path, device=, picture=, picture_out=, threads=)."""
    package: str
    """The import that must be there."""
    install: str
    """What to tell pip."""
    suffixes: tuple[str, ...]
    """The model files that it reads."""
    device: str
    """The device that an empty one stands for."""
    overlapping: str = ""
    """As `target`, for several frames in flight; called with depth= too. Empty where it has no such class."""


BACKENDS: Mapping[str, Backend] = MappingProxyType(
    {
        "openvino": Backend(
            target="models.runtime.openvino:OpenVinoSession",
            package="openvino",
            install="pip install openvino",
            suffixes=(".tflite", ".onnx", ".xml"),
            device="CPU",
            overlapping="models.runtime.openvino_overlap:OverlappingOpenVinoSession",
        ),
        "onnx": Backend(
            target="models.runtime.onnx:OnnxSession",
            package="onnxruntime",
            install='pip install "realtime-face[cpu]"',
            suffixes=(".onnx",),
            device="CPU",
        ),
        "tensorrt": Backend(
            target="models.runtime.tensorrt:TensorRTSession",
            package="tensorrt",
            install='pip install "realtime-face[tensorrt]" (with NVIDIA\'s own package index)',
            suffixes=(".onnx",),
            device="GPU",
            overlapping="models.runtime.tensorrt:TensorRTSession",
        ),
    }
)


def available() -> tuple[str, ...]:
    """The backends whose package is installed, without importing any of them."""
    return tuple(name for name, backend in BACKENDS.items() if installed(backend))


def open_session(
    path: Path,
    backend: str = "openvino",
    *,
    device: str = "",
    picture: InputSpec | None = None,
    picture_out: PictureOut | None = None,
    threads: int | None = None,
    depth: int = 1,
) -> Session:
    """Load the network in `path` and make it ready to run.

    With `picture`, the network's picture input takes uint8 NHWC BGR of that size and the session prepares it;
    with `picture_out`, an output is given as uint8 NHWC BGR, and a run where it is not finite fails.
    With `depth` 2 or more the session is `overlap.Overlapping` where the backend can; a single frame may then
    take longer. `threads` is for the CPU; None leaves it to the backend. `backend` may name the device too
    ("openvino/GPU"), be a provider of ONNX Runtime ("cuda"), or "auto": the best that works, see `choice`.

    Any other backend than "auto" is that backend, or an error.
    Raises BackendError when the backend is unknown, not installed, does not read this kind of file or has no
    such device, and ModelError when the file is missing or damaged.
    """
    place = parse_place(backend, device)
    if place.backend == AUTO:
        from models.runtime.choice import open_best

        return open_best(
            path, place.device, picture=picture, picture_out=picture_out, threads=threads, depth=depth
        )
    chosen = _known(place.backend)
    backend, device = place.backend, place.device or chosen.device
    if not installed(chosen):
        raise BackendError(
            f"the backend {backend!r} needs the package {chosen.package}, which is not installed",
            f"run: {chosen.install}",
        )
    if path.suffix.lower() not in chosen.suffixes:
        able = [name for name, other in BACKENDS.items() if path.suffix.lower() in other.suffixes]
        raise BackendError(
            f"the backend {backend!r} cannot read {path.name}: it takes {', '.join(chosen.suffixes)}",
            f"use the backend {' or '.join(able)}" if able else "give it a model file of another kind",
        )
    check_container(path)
    overlapping = depth > 1 and bool(chosen.overlapping)
    module_name, _, attribute = (chosen.overlapping if overlapping else chosen.target).partition(":")
    try:
        module = importlib.import_module(module_name)
    except (ImportError, OSError) as error:  # OSError: a shared library that does not load
        raise BackendError(
            f"the backend {backend!r} is installed but cannot be loaded: {error}",
            f"install it again: {chosen.install} --force-reinstall",
        ) from error
    factory = cast(Callable[..., Session], getattr(module, attribute))
    several = {"depth": depth} if overlapping else {}
    on_cpu = (backend, device.upper()) == ("openvino", "CPU") and not overlapping
    if picture is not None and picture.batch == EACH and on_cpu:
        from models.runtime.host_pictures import take_on_host

        bare = factory(path, device=device, picture=None, picture_out=None, threads=threads)
        if (session := take_on_host(bare, picture, picture_out, path.name)) is not None:
            return session
    return factory(path, device=device, picture=picture, picture_out=picture_out, threads=threads, **several)


def resolve(backend: str, device: str = "") -> Place:
    """The place that a name stands for, with its device. An unknown backend is `open_session`'s to refuse."""
    place = parse_place(backend, device)
    known = BACKENDS.get(place.backend)
    return place if place.device or known is None else Place(place.backend, known.device)


def _known(backend: str) -> Backend:
    chosen = BACKENDS.get(backend)
    if chosen is None:
        names = (AUTO, *BACKENDS, *PROVIDERS)
        nearest = get_close_matches(backend, names, n=1)
        raise BackendError(
            f"there is no inference backend named {backend!r}",
            f"did you mean {nearest[0]!r}?"
            if nearest
            else f"choose one of: {', '.join(dict.fromkeys(names))}",
        )
    return chosen


def installed(backend: Backend) -> bool:
    """Whether its package is there; it is not imported."""
    return importlib.util.find_spec(backend.package) is not None
