"""Nothing that was built is kept before it has shown that it agrees with FP32 on real inputs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from models.build.agreement import Agreement, Comparison, complaints
from models.entries import Tolerance
from models.errors import BackendError, ModelError
from models.runtime.base import Session
from models.runtime.registry import BACKENDS, available, open_session

__all__ = ["Checked", "check_agreement", "judges", "open_reference"]

_JUDGES = ("onnx", "openvino")
"""The backends that run on any machine, so that a file is judged alike wherever it is built."""


@dataclass(frozen=True, slots=True)
class Checked:
    """How one backend ran the build."""

    backend: str
    agreements: tuple[Agreement, ...]
    times_as_fast: float | None = None
    """As FP32, on the CPU here; None where it was not timed."""


def judges(path: Path) -> tuple[str, ...]:
    """The backends here that can judge this file; ONNX Runtime first."""
    here = available()
    return tuple(name for name in _JUDGES if name in here and path.suffix.lower() in BACKENDS[name].suffixes)


def open_reference(source: Path) -> Session:
    """The original in FP32. Raises BackendError and ModelError."""
    names = judges(source)
    if not names:
        raise BackendError(
            f"no backend that is installed here can run {source.name} to compare with",
            'run: pip install "realtime-face[cpu]"',
        )
    return open_session(source, names[0])


def check_agreement(
    source: Path,
    made: Path,
    samples: Sequence[dict[str, Any]],
    tolerance: Tolerance,
    output_range: tuple[float, float] | None = None,
    meanings: Mapping[str, str] | None = None,
) -> tuple[Checked, ...]:
    """Compare `made` with `source` on every backend that can judge it.

    `meanings`: name of an output of `source` -> its meaning, for the limits that `tolerance` has by those.
    Raises ModelError, with the figures, when it is outside the tolerance or fails to run.
    """
    reference = open_reference(source)
    try:
        wanted = [
            {name: np.array(array) for name, array in reference.run(feeds).items()} for feeds in samples
        ]
    finally:
        reference.close()
    limits = {name: tolerance.outputs.get(meaning) for name, meaning in (meanings or {}).items()}
    logits = {name for name, own in limits.items() if own is not None and own.sigmoid}
    checked = []
    for backend in judges(made):
        comparison = Comparison(output_range, logits)
        try:
            session = open_session(made, backend)
            try:
                names = [spec.name for spec in session.inputs]
                for feeds, outputs in zip(samples, wanted, strict=True):
                    comparison.add(outputs, session.run(dict(zip(names, feeds.values(), strict=True))))
            finally:
                session.close()
        except (BackendError, ModelError) as error:
            raise ModelError(
                f"the build of {source.name} is refused: {backend} cannot run it: {error.message}",
                "build another precision or format",
            ) from error
        checked.append(Checked(backend, comparison.results()))
    if not checked:
        raise BackendError(
            f"no backend that is installed here can judge {made.name}",
            'run: pip install "realtime-face[cpu]"',
        )
    faults = [
        f"{one.backend}: {fault}"
        for one in checked
        for fault in complaints(one.agreements, tolerance, meanings)
    ]
    if faults:
        raise ModelError(
            f"the build of {source.name} is refused, for it is too far from FP32: {'; '.join(faults)}",
            "calibrate with more pictures like those it will see, build another precision or format, "
            "or stay with FP32",
        )
    return tuple(checked)
