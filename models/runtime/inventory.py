"""Every backend and device that networks can run on: there, proven by a run, or why not and what to do."""

import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources
from pathlib import Path

from models.errors import RealtimeError
from models.runtime.place import Place
from models.runtime.proof import prove
from models.runtime.providers import PROVIDERS, Provider
from models.runtime.registry import BACKENDS, installed, open_session

__all__ = ["Standing", "State", "survey"]


class State(StrEnum):
    """FAILS: its software is installed, but it does not run a network here."""

    WORKS = "works"
    UNTRIED = "there, not tried"
    FAILS = "fails"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether networks run on a place."""

    place: Place
    state: State
    about: str
    """What the device is; else why it is not there, or does not work."""
    cure: str = ""
    """What to do; empty when it works."""


def survey() -> Iterator[Standing]:
    """Each place, the native backends first. Never raises for a place that fails.

    A small network of ours runs on each that is there, except on the backend tensorrt.
    """
    yield from _openvino()
    yield _tensorrt()
    yield from _onnx()


def _openvino() -> Iterator[Standing]:
    backend = BACKENDS["openvino"]
    if not installed(backend):
        yield Standing(Place("openvino"), State.ABSENT, "not installed", backend.install)
        return
    try:
        from models.runtime.openvino import DRIVERS, device_names
    except Exception as error:  # a shared library that does not load raises what it likes
        yield Standing(
            Place("openvino"),
            State.FAILS,
            f"cannot be loaded: {error}",
            f"{backend.install} --force-reinstall",
        )
        return
    names = device_names()
    for device, name in names.items():
        yield _tried(Place("openvino", device), name)
    for kind, need in DRIVERS.items():
        if not any(device.partition(".")[0] == kind for device in names):
            yield Standing(Place("openvino", kind), State.ABSENT, "not found", f"it takes {need}")


def _tensorrt() -> Standing:
    backend, place = BACKENDS["tensorrt"], Place("tensorrt", "GPU")
    if not installed(backend):
        return Standing(place, State.ABSENT, "not installed", f"run: {backend.install}")
    try:
        import tensorrt
    except Exception as error:  # its libraries are another package, with an index of its own
        return Standing(place, State.FAILS, f"cannot be loaded: {error}", f"run: {backend.install}")
    return Standing(place, State.UNTRIED, f"TensorRT {tensorrt.__version__} would build an engine first")


def _onnx() -> Iterator[Standing]:
    backend = BACKENDS["onnx"]
    if not installed(backend):
        yield Standing(Place("onnx"), State.ABSENT, "not installed", f"run: {backend.install}")
        return
    try:
        import onnxruntime
    except Exception as error:  # as above
        yield Standing(
            Place("onnx"), State.FAILS, f"cannot be loaded: {error}", f"{backend.install} --force-reinstall"
        )
        return
    listed = onnxruntime.get_available_providers()
    for provider in PROVIDERS.values():
        place = Place("onnx", provider.name.upper())
        if provider.ort_name not in listed and not _plugin_there(provider):
            yield Standing(place, State.ABSENT, "not in the installed onnxruntime", provider.install)
        else:
            yield _tried(place, f"onnxruntime {onnxruntime.__version__}")


def _tried(place: Place, about: str) -> Standing:
    with resources.as_file(resources.files("models") / "occlusion.onnx") as network:
        try:
            session = open_session(Path(network), place.backend, device=place.device)
            try:
                prove(session, str(place))
            finally:
                session.close()
        except RealtimeError as error:
            return Standing(place, State.FAILS, error.message, error.hint)
        except Exception as error:  # one driver that fails in a way of its own must not hide the others
            return Standing(place, State.FAILS, f"{type(error).__name__}: {error}", "please report it")
    return Standing(place, State.WORKS, about)


def _plugin_there(provider: Provider) -> bool:
    return bool(provider.plugin) and importlib.util.find_spec(provider.plugin) is not None
