"""Which file of a model is run: the one of the catalogue, or a build of another precision beside it."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from models.build.origin import read_origin
from models.build.plan import Build, Format, Precision, Target
from models.entries import Model
from models.errors import ModelError
from models.onnx_file import read_onnx
from models.runtime.place import AUTO, Place
from models.verified import known_digest

__all__ = ["AUTO_PRECISION", "FP32", "PRECISIONS", "ChosenFile", "chosen_file"]

_log = logging.getLogger(__name__)

AUTO_PRECISION = "auto"
"""A build that is there, where its backend is faster with it; else the file of the catalogue."""
FP32 = "fp32"
"""The file of the catalogue, in whatever precision its maker published it."""
PRECISIONS = (AUTO_PRECISION, FP32, *map(str, Precision))

_FASTER: dict[tuple[str, str], tuple[Precision, ...]] = {
    ("tensorrt", "GPU"): (Precision.INT8, Precision.FP16),
    ("onnx", "CUDA"): (Precision.FP16,),
    ("onnx", "TENSORRT"): (Precision.INT8, Precision.FP16),
    ("openvino", "GPU"): (Precision.INT8, Precision.FP16),
    ("openvino", "NPU"): (Precision.INT8, Precision.FP16),
    ("openvino", "CPU"): (Precision.INT8,),
    ("onnx", "CPU"): (Precision.INT8,),
}
"""Best first. A CPU reckons in FP32 whatever precision the weights have, but for INT8; and there the build
itself has to say that it was faster. Where nothing was measured, nothing is claimed."""


@dataclass(frozen=True, slots=True)
class ChosenFile:
    """What is opened, and what it is."""

    path: Path
    precision: str
    """"fp32", "fp16" or "int8", for the report."""
    passed_over: tuple[str, ...] = ()
    """Builds that are there and were not taken, each with the reason."""


def chosen_file(model: Model, folder: Path, place: Place, precision: str = AUTO_PRECISION) -> ChosenFile:
    """The file of `model` in `folder` to open on `place`, in `precision`, one of PRECISIONS.

    A build that was made of another file than the one that is there now is not taken, and said in the log.
    Of "auto" as a backend the first that can be there counts. Raises ModelError, with the command that makes
    it, when a precision other than "auto" is asked for and its build is not there, or the catalogue forbids
    it.
    """
    if precision not in PRECISIONS:
        raise ModelError(f"{precision!r} is no precision", f"choose one of: {', '.join(PRECISIONS)}")
    source = folder / model.file
    if precision == FP32:
        return ChosenFile(source, _own_precision(source))
    by_hand = precision != AUTO_PRECISION
    if by_hand and precision in model.tolerance.forbid:
        raise ModelError(
            f"{precision} is known to break {model.name}: the catalogue forbids it",
            "use --precision auto, fp32 or another",
        )
    real = _first_place(place)
    wanted = (Precision(precision),) if by_hand else _FASTER.get(_kind(real), ())
    stale: list[str] = []
    slow: list[str] = []
    for each in wanted:
        if each in model.tolerance.forbid:
            continue
        for build in _builds(source, each, real, portable=place.backend == AUTO):
            if not build.path.is_file():
                continue
            origin = read_origin(build.path)
            if not source.is_file() or origin.source_sha256 != known_digest(source):
                stale.append(f"{build.path.name} was not made of the {model.file} that is here now")
            elif by_hand or _kind(real)[1] != "CPU" or real.backend in origin.faster_on:
                return ChosenFile(build.path, str(each), (*stale, *slow))
            else:
                slow.append(f"{build.path.name} was no faster than {model.file} when it was made")
    if by_hand:
        reason = "; ".join(stale)
        raise ModelError(
            f"{model.name} has no build in {precision} that {place} can use{f': {reason}' if reason else ''}",
            f"run: {_command(model, Precision(precision), real)}",
        )
    for reason in stale:
        _log.warning(
            "%s: %s runs as it is. Build it anew: %s", reason, model.name, _told(model, wanted, real)
        )
    return ChosenFile(source, _own_precision(source), (*stale, *slow))


def _first_place(place: Place) -> Place:
    """Where it will most likely run."""
    from models.runtime.choice import ORDER, absence
    from models.runtime.registry import resolve

    if place.backend != AUTO:
        return resolve(place.backend, place.device)
    there = (each for each in ORDER if place.device.upper() in ("", each.device) and not absence(each))
    return next(there, Place("onnx", "CPU"))


def _kind(place: Place) -> tuple[str, str]:
    """The place without the number of its device and its options: "GPU.1", "CUDA:0?option=1"."""
    device = place.device.upper()
    for mark in "?:.":
        device = device.partition(mark)[0]
    return place.backend, device


def _builds(source: Path, precision: Precision, place: Place, *, portable: bool) -> Iterator[Build]:
    """Those that the place takes, the best first; `portable`: only what other backends read, too."""
    target = Target.TENSORRT if "TENSORRT" in (place.backend.upper(), _kind(place)[1]) else Target.CPU
    if source.suffix.lower() != ".onnx":
        portable = False
    if place.backend == "openvino" and not portable:
        yield Build(source, precision, target, Format.IR)
    if source.suffix.lower() == ".onnx":
        yield Build(source, precision, target, Format.ONNX)


def _command(model: Model, precision: Precision, place: Place) -> str:
    parts = ["realtime models build", model.name, "--precision", str(precision)]
    if precision is Precision.INT8:
        parts.append("--calibration FOLDER")
        if "TENSORRT" in (place.backend.upper(), _kind(place)[1]):
            parts.append("--for tensorrt")
    return " ".join(parts)


def _told(model: Model, wanted: tuple[Precision, ...], place: Place) -> str:
    return " or ".join(_command(model, each, place) for each in wanted)


def _own_precision(source: Path) -> str:
    """Of most of the weights in an ONNX file; other kinds are taken for FP32, and so is what is not there."""
    if source.suffix.lower() not in (".onnx", ".dfm") or not source.is_file():
        return FP32
    sizes: dict[str, int] = {}
    for each in read_onnx(source).initialisers:
        sizes[each.dtype] = sizes.get(each.dtype, 0) + max(each.size_bytes, 0)
    most = max(sizes, key=lambda dtype: sizes[dtype], default="float32")
    return {"float16": str(Precision.FP16), "int8": str(Precision.INT8), "uint8": str(Precision.INT8)}.get(
        most, FP32
    )
