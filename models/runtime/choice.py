"""Picks the backend for each network: the best one that really runs it, tried and not taken from a list.

A TensorRT engine takes minutes to build. Where it is not in the cache, the best of the other places serves
until it is.
"""

import importlib.util
import logging
from pathlib import Path

from models.engines.cache import EngineMissingError
from models.errors import BackendError, RealtimeError
from models.runtime.base import InputSpec, PictureOut, Session
from models.runtime.container import check_container
from models.runtime.outcome import Asked, Outcome, asked, claimed, forget, settle, settled
from models.runtime.place import AUTO, Place
from models.runtime.proof import prove
from models.runtime.registry import BACKENDS, installed, open_session
from models.runtime.upgrade import Opening, open_built, serve_meanwhile

__all__ = ["ORDER", "Outcome", "absence", "forget", "may_take_minutes", "open_best", "outcome"]

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
_BUILDING_PROVIDERS = ("TENSORRT", "TENSORRT-RTX", "MIGRAPHX")
"""Of ONNX Runtime: they compile a network when it is opened."""


def open_best(
    path: Path,
    device: str = "",
    *,
    picture: InputSpec | None = None,
    picture_out: PictureOut | None = None,
    threads: int | None = None,
    depth: int = 1,
) -> Session:
    """A session on the best place that runs this network; the next one of the same file goes there at once.

    `device`: "GPU", "CPU" or "NPU" to have only those tried; empty for all but the NPU.
    A place that is there but fails is told in the log and in the outcome. One that is not there is not.
    While a TensorRT engine is built in the background the session runs elsewhere, and the outcome says how
    far it is; it is waited for only where nothing else runs the network. A session that changes its place so
    runs one frame after the other, whatever `depth` says.
    Raises ModelError when the file is missing or damaged, else what the last place raised.
    """
    check_container(path)
    of = asked(path, device)
    opening = Opening(path, picture, picture_out, threads, depth)
    known = settled(of)
    if known is not None and not claimed(of):
        try:
            return _open(opening, known.place)
        except RealtimeError as error:
            _log.warning("%s no longer runs on %s: %s", path.name, known.place, error.message)
    passed_over: list[str] = []
    absent: list[str] = []
    last: RealtimeError | None = None
    to_build: Outcome | None = None
    for place in _candidates(device):
        missing = absence(place)
        if missing:
            absent.append(missing)
            continue
        try:
            session = _proven(opening, place)
        except EngineMissingError:
            to_build = Outcome(place, tuple(passed_over))
            continue
        except RealtimeError as error:
            last = error
            passed_over.append(f"not {place}: {error.message}")
            continue
        found = Outcome(place, tuple(passed_over))
        if to_build is not None:
            if passed_over:
                _log.warning("%s for now runs on %s", path.name, found)
            return serve_meanwhile(of, opening, session, found, to_build)
        return _settled(of, found, session)
    if to_build is not None:
        _log.warning("nothing else here runs %s: waiting for its TensorRT engine", path.name)
        return _settled(of, to_build, _proven(opening, to_build.place, wait=True))
    raise last or BackendError(
        f"nothing here runs networks on {device!r}: {', '.join(absent) or 'there is no such kind'}",
        "use CPU, GPU or NPU; `realtime devices` lists what there is and what the rest needs",
    )


def outcome(path: Path, device: str = "") -> Outcome | None:
    """What `open_best` found for this network in this process, as it is now; None before it did."""
    return settled(asked(path, device))


def may_take_minutes(place: Place) -> bool:
    """Whether opening a session there may have to wait for a build: at most
    `models.engines.child.TIME_LIMIT_S` for each network.

    `AUTO` serves from elsewhere meanwhile, and waits only when a GPU is asked for and nothing but TensorRT
    uses it.
    """
    if place.backend == AUTO:
        there = [each for each in _candidates(place.device) if not absence(each)]
        return bool(there) and all(each.backend == "tensorrt" for each in there)
    if place.backend == "onnx":
        return place.device.upper().partition("?")[0].partition(":")[0] in _BUILDING_PROVIDERS
    return place.backend == "tensorrt"


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


def _settled(of: Asked, found: Outcome, session: Session) -> Session:
    settle(of, found)
    level = logging.WARNING if found.passed_over else logging.INFO
    _log.log(level, "%s runs on %s", of[0].name, found)
    return session


def _proven(opening: Opening, place: Place, *, wait: bool = False) -> Session:
    session = _open(opening, place, wait=wait)
    try:
        prove(session, f"{opening.path.name} on {place}")
    except BaseException as error:
        session.close()
        if isinstance(error, RealtimeError) or not isinstance(error, Exception):
            raise
        raise _unforeseen(place, error) from error
    return session


def _open(opening: Opening, place: Place, *, wait: bool = False) -> Session:
    """`wait`: for a TensorRT engine that is not built yet. Else raises EngineMissingError."""
    try:
        # A file that TensorRT cannot read is for `open_session` to refuse.
        readable = opening.path.suffix.lower() in BACKENDS[place.backend].suffixes
        if place.backend == "tensorrt" and readable and not wait:
            return open_built(opening, place.device)
        return open_session(
            opening.path,
            place.backend,
            device=place.device,
            picture=opening.picture,
            picture_out=opening.picture_out,
            threads=opening.threads,
            depth=opening.depth,
        )
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
