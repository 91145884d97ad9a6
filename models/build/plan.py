"""What is to be built from which file, and what the result is called."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from models.errors import ModelError

__all__ = ["Build", "Format", "Precision", "Target", "check_build", "default_format", "variants"]


class Precision(StrEnum):
    """Of the numbers that the network reckons with."""

    FP16 = "fp16"
    INT8 = "int8"


class Target(StrEnum):
    """Who runs the result. TensorRT takes symmetric INT8 only, a CPU is fast with unsigned only."""

    CPU = "cpu"
    TENSORRT = "tensorrt"


class Format(StrEnum):
    """ONNX is read by every backend, OpenVINO's IR by OpenVINO alone."""

    ONNX = "onnx"
    IR = "ir"


@dataclass(frozen=True, slots=True)
class Build:
    """One file to be made from another, beside it."""

    source: Path
    precision: Precision
    target: Target
    format: Format

    @property
    def path(self) -> Path:
        """Where the result goes: `x.onnx` becomes `x.int8.onnx`, `x.int8.xml` or `x.int8-tensorrt.onnx`."""
        special = self.target is Target.TENSORRT and self.precision is Precision.INT8
        precision = f"{self.precision}-{self.target}" if special else str(self.precision)
        suffix = ".xml" if self.format is Format.IR else ".onnx"
        return self.source.with_name(f"{self.source.stem}.{precision}{suffix}")


def default_format(source: Path) -> Format:
    """ONNX for ONNX, whose INT8 serves ONNX Runtime and OpenVINO alike; IR for what only OpenVINO reads."""
    return Format.ONNX if source.suffix.lower() == ".onnx" else Format.IR


def check_build(build: Build, forbidden: Sequence[str]) -> None:
    """Raise ModelError when this build cannot be made, or is known to break the network."""
    name = build.source.name
    if build.precision in forbidden:
        raise ModelError(
            f"{build.precision} is known to break {name}: the catalogue forbids it",
            "use it in FP32, or build another precision",
        )
    if any(f".{precision}" in build.source.stem for precision in Precision):
        raise ModelError(f"{name} is a build itself", "build from the FP32 file")
    if build.format is Format.IR and build.target is Target.TENSORRT:
        raise ModelError(
            "TensorRT does not read OpenVINO's format", "leave out --format, or use --format onnx"
        )
    if build.format is Format.ONNX and build.source.suffix.lower() != ".onnx":
        raise ModelError(
            f"{name} cannot be made into an ONNX file: it is none",
            "leave out --format and --for, or use --format ir",
        )


def variants(source: Path) -> tuple[Path, ...]:
    """The builds of `source` that are there, in a fixed order."""
    possible = (
        Build(source, precision, target, format_).path
        for precision in Precision
        for target in Target
        for format_ in Format
        if not (target is Target.TENSORRT and format_ is Format.IR)
    )
    return tuple(path for path in dict.fromkeys(possible) if path.is_file())
