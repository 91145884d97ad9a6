"""Checks of this machine, each with its cure."""

import importlib.metadata
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from models.errors import RealtimeError

__all__ = ["CHECKS", "Finding", "Verdict", "examine"]

_ONNX_RUNTIMES = ("onnxruntime", "onnxruntime-gpu", "onnxruntime-directml", "onnxruntime-openvino")
PORT = 8080
_DEFAULT_PLACE = "openvino/CPU"


class Verdict(StrEnum):
    """WARN: the program runs, with less. FAIL: the main job does not run."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of one check."""

    name: str
    verdict: Verdict
    message: str
    cure: str = ""
    """What to do; empty when all is well."""


def check_models() -> Finding:
    """The default chain is there and whole."""
    from models.catalog import DEFAULT_CHAIN, lookup
    from models.fetch import State, cache_folder, state

    folder = cache_folder()
    bad = [model.name for model in lookup(DEFAULT_CHAIN) if state(model, folder) is not State.PRESENT]
    if bad:
        cure = "realtime models fetch (about 35 MB, once; `realtime run` does it by itself)"
        return Finding("models", Verdict.WARN, f"{', '.join(bad)} not fetched yet", cure)
    return Finding("models", Verdict.OK, f"the default chain is in {folder}")


def check_inference() -> Finding:
    """The default backend runs a network, and so does all that is installed beside it."""
    from models.runtime.inventory import State, survey

    found = tuple(survey())
    names = {state: [str(one.place) for one in found if one.state is state] for state in State}
    message = f"works: {', '.join(names[State.WORKS]) or 'nothing'}"
    if _DEFAULT_PLACE not in names[State.WORKS]:
        default = next((one for one in found if str(one.place) == _DEFAULT_PLACE), found[0])
        return Finding(
            "inference", Verdict.FAIL, f"{message}; {default.place}: {default.about}", default.cure
        )
    if names[State.UNTRIED]:
        message += f"; not tried: {', '.join(names[State.UNTRIED])}"
    if names[State.ABSENT]:
        message += f"; not here: {', '.join(names[State.ABSENT])} (`realtime devices` says what they need)"
    failing = [one for one in found if one.state is State.FAILS]
    if failing:
        reasons = "; ".join(f"{one.place}: {one.about}" for one in failing)
        cures = "; ".join(dict.fromkeys(one.cure for one in failing))
        return Finding("inference", Verdict.WARN, f"fails: {reasons}; {message}", cures)
    return Finding("inference", Verdict.OK, message)


def check_onnxruntimes() -> Finding:
    """The packages of ONNX Runtime overwrite each other's files."""
    found = [name for name in _ONNX_RUNTIMES if _installed(name)]
    if len(found) > 1:
        cure = f"pip uninstall {' '.join(found)}, then install the one you want"
        return Finding("onnxruntime", Verdict.FAIL, f"{' and '.join(found)} are both installed", cure)
    return Finding("onnxruntime", Verdict.OK, found[0] if found else "not installed (not needed)")


def check_camera() -> Finding:
    """A camera opens."""
    from realtime.capture.camera import first_working_camera

    index = first_working_camera()
    if index is None:
        cure = "plug one in, or close the program that uses it; --source still: works without"
        return Finding("camera", Verdict.WARN, "none opens", cure)
    return Finding("camera", Verdict.OK, f"camera:{index} opens")


def check_virtual_camera() -> Finding:
    """There is a virtual camera to show the picture on."""
    from realtime.sinks.remedy import virtual_camera_remedy
    from realtime.sinks.virtualcam import find_virtual_camera

    device = find_virtual_camera()
    if device is None:
        return Finding("virtual camera", Verdict.WARN, "none is installed", virtual_camera_remedy())
    return Finding("virtual camera", Verdict.OK, device)


def check_encoders() -> Finding:
    """Recordings and browsers get their video."""
    import av

    missing = [name for name in ("libx264", "libvpx") if name not in av.codecs_available]
    if missing:
        return Finding(
            "video encoders", Verdict.FAIL, f"no {' and '.join(missing)}", "pip install --force av"
        )
    return Finding("video encoders", Verdict.OK, "H.264 and VP8")


def check_port() -> Finding:
    """The page's port is free."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", PORT))
        except OSError:
            return Finding("page", Verdict.WARN, f"port {PORT} is in use", "realtime run --port 8081")
    return Finding("page", Verdict.OK, f"port {PORT} is free")


CHECKS: tuple[Callable[[], Finding], ...] = (
    check_inference,
    check_models,
    check_onnxruntimes,
    check_camera,
    check_virtual_camera,
    check_encoders,
    check_port,
)


def examine(checks: tuple[Callable[[], Finding], ...] = CHECKS) -> Iterator[Finding]:
    """Run each check; one that raises has failed, and the others still run."""
    for check in checks:
        try:
            yield check()
        except RealtimeError as error:
            yield Finding(_name(check), Verdict.FAIL, error.message, error.hint)
        except Exception as error:
            yield Finding(_name(check), Verdict.FAIL, f"{type(error).__name__}: {error}", "please report it")


def _name(check: Callable[[], Finding]) -> str:
    return check.__name__.removeprefix("check_").replace("_", " ")


def _installed(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True
