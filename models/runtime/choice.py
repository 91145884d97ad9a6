"""Picks the backend for each network: the best one that really runs it, tried and not taken from a list."""

import importlib.util
import logging
from dataclasses import dataclass
from pathlib import Path

from models.errors import BackendError, RealtimeError
from models.runtime.base import InputSpec, Session
from models.runtime.container import check_container
from models.runtime.place import Place
from models.runtime.proof import prove
from models.runtime.registry import BACKENDS, installed, open_session

__all__ = ["ORDER", "Outcome", "absence", "forget", "open_best", "outcome"]

_log = logging.getLogger(__name__)

ORDER = (
    Place("tensorrt", "GPU"),
    Place("onnx", "CUDA"),
    Place("openvino", "GPU"),
    Place("openvino", "CPU"),
    Place("onnx", "CPU"),
)
"""Best first."""
_KINDS = {"CUDA": "GPU", "NPU": "NPU"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where a network runs, and why on nothing better."""

    place: Place
    passed_over: tuple[str, ...] = ()
    """Of each better place that is there but does not run this network: what it is, and why."""

    def __str__(self) -> str:
        return f"{self.place} ({'; '.join(self.passed_over)})" if self.passed_over else str(self.place)


_settled: dict[tuple[Path, str], Outcome] = {}
"""What the proofs of this process have shown, by file and asked device."""


def open_best(
    path: Path, device: str = "", *, picture: InputSpec | None = None, threads: int | None = None
) -> Session:
    """A session on the best place that runs this network; the next one of the same file goes there at once.

    `device`: "GPU", "CPU" or "NPU" to have only those tried; empty for all but the NPU.
    A place that is there but fails is told in the log and in the outcome. One that is not there is not.
    Raises ModelError when the file is missing or damaged, else what the last place raised.
    """
    check_container(path)
    key = _key(path, device)
    known = _settled.get(key)
    if known is not None:
        try:
            return _open(path, known.place, picture, threads)
        except RealtimeError as error:
            _log.warning("%s no longer runs on %s: %s", path.name, known.place, error.message)
    passed_over: list[str] = []
    absent: list[str] = []
    last: RealtimeError | None = None
    for place in _candidates(device):
        missing = absence(place)
        if missing:
            absent.append(missing)
            continue
        try:
            session = _proven(path, place, picture, threads)
        except RealtimeError as error:
            last = error
            passed_over.append(f"not {place}: {error.message}")
            continue
        found = _settled[key] = Outcome(place, tuple(passed_over))
        _log.log(logging.WARNING if passed_over else logging.INFO, "%s runs on %s", path.name, found)
        return session
    raise last or BackendError(
        f"nothing here runs networks on {device!r}: {', '.join(absent) or 'there is no such kind'}",
        "use CPU, GPU or NPU; `realtime devices` lists what there is and what the rest needs",
    )


def outcome(path: Path, device: str = "") -> Outcome | None:
    """What `open_best` found for this network in this process; None before it did."""
    return _settled.get(_key(path, device))


def forget() -> None:
    """Prove everything anew, after a driver or a device has come or gone."""
    _settled.clear()


def absence(place: Place) -> str:
    """Why a place cannot be there at all, found without loading more than is there; empty when it may be."""
    backend = BACKENDS[place.backend]
    if not installed(backend):
        return f"{backend.package} is not installed"
    if place == Place("onnx", "CUDA") and not _has_cuda_build():
        return "the installed onnxruntime has no CUDA"
    if place.backend == "openvino" and place.device != "CPU":
        from models.runtime.openvino import devices

        if not any(name.partition(".")[0] == place.device for name in devices()):
            return f"OpenVINO finds no {place.device}"
    return ""


def _candidates(device: str) -> tuple[Place, ...]:
    if not device:
        return ORDER
    every = (*ORDER, Place("openvino", "NPU"))
    return tuple(place for place in every if _KINDS.get(place.device, place.device) == device.upper())


def _proven(path: Path, place: Place, picture: InputSpec | None, threads: int | None) -> Session:
    session = _open(path, place, picture, threads)
    try:
        prove(session, f"{path.name} on {place}")
    except BaseException as error:
        session.close()
        if isinstance(error, RealtimeError) or not isinstance(error, Exception):
            raise
        raise _unforeseen(place, error) from error
    return session


def _open(path: Path, place: Place, picture: InputSpec | None, threads: int | None) -> Session:
    try:
        return open_session(path, place.backend, device=place.device, picture=picture, threads=threads)
    except RealtimeError:
        raise
    except Exception as error:  # a driver's bindings raise what they like; the next place must get its turn
        raise _unforeseen(place, error) from error


def _unforeseen(place: Place, error: Exception) -> BackendError:
    return BackendError(
        f"{place} failed: {type(error).__name__}: {error}", "use another backend, and please report it"
    )


def _has_cuda_build() -> bool:
    """Told by the file, because importing onnxruntime takes a quarter of a second."""
    package = importlib.util.find_spec("onnxruntime")
    if package is None or package.origin is None:
        return False
    return any((Path(package.origin).parent / "capi").glob("*onnxruntime_providers_cuda*"))


def _key(path: Path, device: str) -> tuple[Path, str]:
    return path.resolve(), device.upper()
