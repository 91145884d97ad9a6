"""How far a build is from the network it was made of, and whether that is near enough."""

import math
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.entries import Limits, Tolerance

__all__ = ["MIN_COSINE", "MIN_PSNR_DB", "Agreement", "Comparison", "complaints"]

MIN_PSNR_DB = 35.0
"""Asked of an output that is a picture when the catalogue asks nothing: an error of 4.5 levels of 255, as
strong as the noise of a webcam in room light."""
MIN_COSINE = 0.99
"""Asked of any other output when the catalogue asks nothing."""
_TINY = 1e-12


@dataclass(frozen=True, slots=True)
class Agreement:
    """One output over all inputs that were tried."""

    output: str
    max_abs: float
    """Largest difference, in the unit of the output; infinite where the build gave no finite number."""
    rms: float
    """Root of the mean square of the difference, in the same unit."""
    psnr_db: float
    """Range of the output over `rms`."""
    cosine: float
    """Between the outputs taken as vectors: the worst of all inputs."""
    picture: bool
    """Whether the output is a picture, (1, 3, H, W) or (1, H, W, 3)."""

    def told(self) -> str:
        """The figures on one line."""
        if self.max_abs == 0:
            return f"{self.output}: equal to the last bit"
        return (
            f"{self.output}: max {self.max_abs:.4g}, RMS {self.rms:.4g}, PSNR {self.psnr_db:.1f} dB, "
            f"cosine {self.cosine:.5f}"
        )


@dataclass(slots=True)
class _Sums:
    squares: float = 0.0
    count: int = 0
    max_abs: float = 0.0
    low: float = math.inf
    high: float = -math.inf
    cosine: float = 1.0
    picture: bool = False


class Comparison:
    """Takes the outputs of both networks for one input after the other."""

    def __init__(self, output_range: tuple[float, float] | None = None, logits: Container[str] = ()) -> None:
        """`output_range` is that of the pictures; None takes the range that the FP32 network shows. `logits`:
        outputs, by FP32's names, that are compared as the probabilities they stand for."""
        self._range = output_range
        self._logits = logits
        self._sums: dict[str, _Sums] = {}

    def add(self, reference: Mapping[str, NDArray[Any]], candidate: Mapping[str, NDArray[Any]]) -> None:
        """The outputs for one input, in the same order; names may differ, as a converter hands on its own."""
        for (name, wanted), given in zip(reference.items(), candidate.values(), strict=True):
            values = wanted, candidate.get(name, given)
            if name in self._logits:
                values = _probability(values[0]), _probability(values[1])
            self._add(self._sums.setdefault(name, _Sums()), *values)

    def _add(self, sums: _Sums, wanted: NDArray[Any], given: NDArray[Any]) -> None:
        one, other = wanted.astype(np.float64).ravel(), given.astype(np.float64).ravel()
        if one.size == 0 and other.size == 0:
            return
        if one.size != other.size or not np.isfinite(other).all():
            sums.max_abs, sums.squares, sums.cosine = math.inf, math.inf, -1.0
            sums.count += 1
            return
        difference = np.abs(one - other)
        sums.squares += float(difference @ difference)
        sums.count += one.size
        sums.max_abs = max(sums.max_abs, float(difference.max()))
        sums.low, sums.high = min(sums.low, float(one.min())), max(sums.high, float(one.max()))
        sums.cosine = min(sums.cosine, _cosine(one, other))
        sums.picture = wanted.ndim == 4 and 3 in (wanted.shape[1], wanted.shape[3])

    def results(self) -> tuple[Agreement, ...]:
        """One for each output."""
        return tuple(self._result(name, sums) for name, sums in self._sums.items())

    def _result(self, name: str, sums: _Sums) -> Agreement:
        rms = math.sqrt(sums.squares / max(sums.count, 1))
        low, high = self._range if self._range is not None and sums.picture else (sums.low, sums.high)
        span = high - low if high > low else 1.0
        psnr_db = 20 * math.log10(span / max(rms, _TINY * span)) if math.isfinite(rms) else -math.inf
        return Agreement(name, sums.max_abs, rms, psnr_db, sums.cosine, sums.picture)


def complaints(
    agreements: Sequence[Agreement], tolerance: Tolerance, meanings: Mapping[str, str] | None = None
) -> tuple[str, ...]:
    """What is outside the tolerance, each with the figure and the limit; none when all is well.

    `meanings`: FP32's name of an output -> what it is, by which the tolerance may have limits of its own.
    """
    known = meanings or {}
    found: list[str] = []
    for one in agreements:
        own = tolerance.outputs.get(known.get(one.output, ""))
        found += _outside(one, own or _general(one, agreements, tolerance))
    return tuple(found)


def _general(one: Agreement, agreements: Sequence[Agreement], tolerance: Tolerance) -> Limits:
    """What the tolerance asks of an output that has no limits of its own."""
    unsaid = (tolerance.max_abs, tolerance.rms, tolerance.psnr_db, tolerance.cosine) == (None,) * 4
    psnr_db, cosine = tolerance.psnr_db, tolerance.cosine
    if unsaid:
        psnr_db, cosine = (MIN_PSNR_DB, None) if one.picture else (None, MIN_COSINE)
    elif not one.picture and psnr_db is not None and any(other.picture for other in agreements):
        psnr_db = None  # it is meant for the picture
    return Limits(tolerance.max_abs, tolerance.rms, psnr_db, cosine)


def _outside(one: Agreement, limits: Limits) -> list[str]:
    told = f"{one.output}: "
    if not math.isfinite(one.max_abs):
        return [told + "values that are not finite, or another number of them"]
    found = []
    if limits.max_abs is not None and one.max_abs > limits.max_abs:
        found.append(f"{told}max error {one.max_abs:.4g}, at most {limits.max_abs:g} is allowed")
    if limits.rms is not None and one.rms > limits.rms:
        found.append(f"{told}RMS error {one.rms:.4g}, at most {limits.rms:g} is allowed")
    if limits.psnr_db is not None and one.psnr_db < limits.psnr_db:
        found.append(f"{told}PSNR {one.psnr_db:.1f} dB, at least {limits.psnr_db:g} is asked")
    if limits.cosine is not None and one.cosine < limits.cosine:
        found.append(f"{told}cosine {one.cosine:.5f}, at least {limits.cosine:g} is asked")
    return found


def _probability(logits: NDArray[Any]) -> NDArray[np.float64]:
    """By the logistic function. Infinities do not pass for probabilities: they become NaN."""
    values = logits.astype(np.float64)
    probable = 0.5 * (1 + np.tanh(values / 2))
    return np.where(np.isfinite(values), probable, np.nan)


def _cosine(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    lengths = float(np.linalg.norm(one) * np.linalg.norm(other))
    if lengths < _TINY:
        return 1.0 if np.allclose(one, other, atol=_TINY) else 0.0
    return float(one @ other) / lengths
