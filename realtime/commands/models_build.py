"""`realtime models build NAME|FILE --precision fp16|int8`."""

import argparse
from pathlib import Path

from models.build.gate import open_reference
from models.build.make import make
from models.build.plan import Build, Format, Precision, Target, check_build, default_format
from models.build.samples import Samples
from models.build.speed import WORTH
from models.contract import bind
from models.entries import Contract, Tolerance
from models.runtime.base import Session
from models.store import cache_folder
from realtime.calibration import calibration_pictures, faces_of, split, still_pictures
from realtime.commands.model_files import named_file

__all__ = ["models_build"]

STILL_COUNT = 32
"""Frames of the built-in still, where no folder is given: it shows one drawn face, more adds nothing."""


def models_build(args: argparse.Namespace) -> int:
    """Build, check, and say how near it is to FP32. Raises ConfigError, ModelError and BackendError."""
    named = named_file(args.model)
    target = Target(args.target)
    format_ = Format(args.format) if args.format else _format(named.path, target)
    build = Build(named.path, Precision(args.precision), target, format_)
    tolerance = named.model.tolerance if named.model is not None else Tolerance()
    check_build(build, tolerance.forbid)
    if args.calibration is None:
        pictures = still_pictures(STILL_COUNT)
    else:
        pictures = calibration_pictures(Path(args.calibration), args.samples)
    pictures = faces_of(pictures, named.model, cache_folder())
    contract = named.model.contract if named.model is not None else None
    reference = open_reference(named.path)
    try:
        wanted = contract.inputs if contract is not None else ()
        calibration, trial = (Samples(reference.inputs, wanted, part) for part in split(pictures))
        meanings = {} if contract is None else _meanings(contract, reference, named.path.name)
    finally:
        reference.close()
    print(f"{named.path.name}: {build.precision} for {target}, {_origin(args, calibration, trial)}")
    output_range = contract.output_range if contract is not None else None
    for checked in make(build, calibration, trial, tolerance, output_range, meanings):
        for agreement in checked.agreements:
            print(f"  {checked.backend}: {agreement.told()}")
        if checked.times_as_fast is not None:
            used = "" if checked.times_as_fast >= WORTH else ": used only by --precision"
            print(f"  {checked.backend}: {checked.times_as_fast:.2f} times as fast as FP32 on this CPU{used}")
    print(build.path)
    return 0


def _meanings(contract: Contract, reference: Session, file: str) -> dict[str, str]:
    """The network's name of an output -> what it is."""
    names = bind(contract, reference.inputs, reference.outputs, what=f"{file} is not what the catalogue says")
    mark = "output:"
    return {name: key.removeprefix(mark) for key, name in names.items() if key.startswith(mark)}


def _format(source: Path, target: Target) -> Format:
    return Format.ONNX if target is Target.TENSORRT else default_format(source)


def _origin(args: argparse.Namespace, calibration: Samples, trial: Samples) -> str:
    where = "the built-in still" if args.calibration is None else args.calibration
    if args.precision == Precision.INT8:
        return f"calibrated with {len(calibration)} and tried on {len(trial)} pictures of {where}"
    return f"tried on {len(trial)} pictures of {where}"
