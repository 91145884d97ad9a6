"""Builds one file: made aside, checked, and only then put where it belongs; one build at a time."""

import errno
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from models.alone import alone
from models.build.gate import Checked, check_agreement
from models.build.half import to_half_ir, to_half_onnx
from models.build.origin import Origin, record_origin
from models.build.plan import Build, Format, Precision, Target, check_build
from models.build.quantise import to_int8_onnx
from models.build.quantise_ir import to_int8_ir
from models.build.speed import WORTH, speeds
from models.disk import disk_errors
from models.entries import Tolerance
from models.errors import ModelError, RealtimeError
from models.runtime.container import check_container
from models.verified import digest

__all__ = ["make"]

LOCK_TIMEOUT_S = 3600.0
"""Another process builds: the calibration of a heavy network takes its time on a CPU."""
WORK_PREFIX = ".building-"
_ROOM = 4
"""Free space asked for before the start, in sizes of the original: the folded graph, the graph with every
tensor an output for calibration, the result, and one to spare."""

Feeds = dict[str, Any]
Timed = Callable[[Path, Path, Feeds], Mapping[str, float]]
"""Backend -> how many times as fast as the first file it runs the second."""


def make(
    build: Build,
    calibration: Sequence[Feeds],
    trial: Sequence[Feeds],
    tolerance: Tolerance,
    output_range: tuple[float, float] | None = None,
    meanings: Mapping[str, str] | None = None,
    timed: Timed = speeds,
) -> tuple[Checked, ...]:
    """Make `build.path`; returns how it compares with the original on the inputs of `trial`.

    The build says which file it was made of and on which backends it is faster (`models.build.origin`).

    `calibration` is used for INT8 only; `meanings`: see `check_agreement`. A file that was there is replaced
    in one step, and stays when the build fails or is interrupted. Raises ModelError when the build cannot be
    made, is forbidden or is outside the tolerance, and BackendError when a package is missing.
    """
    check_build(build, tolerance.forbid)
    check_container(build.source)
    folder = build.path.parent
    with (
        disk_errors(folder, "the build", "put the model into a folder", ModelError),
        alone(
            folder / ".building.lock",
            f"building models in {folder}",
            left=f"{WORK_PREFIX}*",
            timeout_s=LOCK_TIMEOUT_S,
            error=ModelError,
        ),
        _work_folder(folder) as work,
    ):
        _check_room(build.source, folder)
        made = work / build.path.name
        try:
            made_of = digest(build.source)
            _convert(build, made, calibration, tolerance.keep_fp32)
            found = {} if build.target is Target.TENSORRT else timed(build.source, made, trial[0])
            worth = tuple(backend for backend, times in found.items() if times >= WORTH)
            record_origin(made, Origin(made_of, worth))
        except (RealtimeError, OSError):
            raise
        except Exception as error:  # the converters have no exception class of their own
            _raise_if_full(folder, build.source)
            raise ModelError(
                f"{build.source.name} cannot be converted to {build.precision}: {_reason(error)}",
                "build another precision or format, or stay with FP32",
            ) from error
        checked = tuple(
            replace(one, times_as_fast=found.get(one.backend))
            for one in check_agreement(build.source, made, trial, tolerance, output_range, meanings)
        )
        _move_in(made, build.path)
    return checked


def _convert(build: Build, made: Path, calibration: Sequence[Feeds], keep_fp32: Sequence[str]) -> None:
    if build.precision is Precision.FP16:
        if build.format is Format.IR:
            to_half_ir(build.source, made)
        else:
            to_half_onnx(build.source, made, keep_fp32)
    elif build.format is Format.IR:
        to_int8_ir(build.source, made, calibration, keep_fp32)
    else:
        to_int8_onnx(build.source, made, build.target, calibration, keep_fp32)


def _move_in(made: Path, place: Path) -> None:
    if place.suffix == ".xml":
        # Two files cannot be replaced in one step. Without its .xml an IR is not there at all, which is
        # better than one whose halves belong to two builds.
        place.unlink(missing_ok=True)
        os.replace(made.with_suffix(".bin"), place.with_suffix(".bin"))
    os.replace(made, place)


@contextmanager
def _work_folder(folder: Path) -> Iterator[Path]:
    work = Path(tempfile.mkdtemp(prefix=WORK_PREFIX, dir=folder))
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _check_room(source: Path, folder: Path) -> None:
    wanted = _ROOM * source.stat().st_size
    free = shutil.disk_usage(folder).free
    if free < wanted:
        raise ModelError(
            f"a build of {source.name} needs {wanted / 1e6:.0f} MB in {folder}; {free / 1e6:.0f} are free",
            "free some, or put the model into a folder elsewhere",
        )


def _raise_if_full(folder: Path, source: Path) -> None:
    """Libraries report a full disk in words of their own."""
    if shutil.disk_usage(folder).free < source.stat().st_size:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _reason(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines or [type(error).__name__])[-1].rstrip(".")
