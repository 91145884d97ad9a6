"""Networks timed against each other: each runs once in every round, so that a busy moment hits them all."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.build.agreement import Agreement, Comparison
from models.build.plan import Precision
from models.errors import RealtimeError
from models.runtime.base import Session
from models.runtime.registry import open_session

__all__ = ["Figures", "Side", "measure", "precision_of"]

WARM_UP_RUNS = 2
"""The first run allocates; the second of some backends still chooses kernels."""
MIN_RUNS, MAX_RUNS = 5, 50
BUDGET_S = 6.0
"""For each side, when the number of runs is not given."""

Feeds = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Side:
    """One file on one backend."""

    file: Path
    backend: str
    device: str | None = None
    """None: what the backend takes by itself."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What one side did. Without runs there is a reason instead."""

    side: Side
    runs_ms: tuple[float, ...] = ()
    memory_mb: float = 0.0
    """Growth of the process's resident memory from before the file was opened to after the warm-up. What
    other networks freed before is used again and does not count."""
    agreements: tuple[Agreement, ...] = ()
    """Against FP32; none for the FP32 side that the others are compared with."""
    reason: str = ""

    @property
    def p50_ms(self) -> float:
        return statistics.median(self.runs_ms)

    @property
    def p95_ms(self) -> float:
        return float(np.percentile(self.runs_ms, 95))


@dataclass(slots=True)
class _Running:
    side: Side
    session: Session
    memory_mb: float
    feeds: dict[str, NDArray[Any]]
    warm_s: float
    outputs: dict[str, NDArray[Any]]
    runs_ms: list[float] = field(default_factory=list)


def precision_of(file: Path) -> str:
    """By the name that a build is given: "fp16", "int8", else "fp32"."""
    words = file.stem.replace("-", ".").split(".")[1:]
    return next((str(precision) for precision in Precision if precision in words), "fp32")


def measure(
    sides: Sequence[Side],
    feeds: Feeds,
    *,
    rss_mb: Callable[[], float],
    runs: int | None = None,
    clock_s: Callable[[], float] = time.perf_counter,
) -> tuple[Figures, ...]:
    """Time builds of one network; `feeds` are in the order of its inputs, for converters rename them.

    One answer for each side, in the order of `sides`; a side that does not run has the reason. The first FP32
    side that runs is what the others are compared with.
    """
    running: list[_Running] = []
    reasons: dict[int, str] = {}
    try:
        for number, side in enumerate(sides):
            try:
                running.append(_opened(side, feeds, rss_mb, clock_s))
            except RealtimeError as error:
                reasons[number] = error.message
        if not running:
            return tuple(Figures(side, reason=reasons[number]) for number, side in enumerate(sides))
        count = runs or _affordable(max(each.warm_s for each in running))
        for number in range(count):
            # There and back: what runs after a side that leaves the machine busy is not always the same.
            for each in running if number % 2 == 0 else reversed(running):
                started = clock_s()
                each.session.run(each.feeds)
                each.runs_ms.append((clock_s() - started) * 1e3)
    finally:
        for each in running:
            each.session.close()
    reference = next((each for each in running if precision_of(each.side.file) == "fp32"), None)
    by_side = {id(each.side): _figures(each, reference) for each in running}
    return tuple(
        by_side.get(id(side)) or Figures(side, reason=reasons[number]) for number, side in enumerate(sides)
    )


def _opened(side: Side, feeds: Feeds, rss_mb: Callable[[], float], clock_s: Callable[[], float]) -> _Running:
    before_mb = rss_mb()
    if side.device is None:
        session = open_session(side.file, side.backend)
    else:
        session = open_session(side.file, side.backend, device=side.device)
    try:
        named = dict(zip((spec.name for spec in session.inputs), feeds.values(), strict=True))
        for _ in range(WARM_UP_RUNS):
            started = clock_s()
            outputs = session.run(named)
            warm_s = clock_s() - started
        kept = {name: np.array(array) for name, array in outputs.items()}
    except BaseException:
        session.close()
        raise
    return _Running(side, session, max(0.0, rss_mb() - before_mb), named, warm_s, kept)


def _affordable(slowest_s: float) -> int:
    return max(MIN_RUNS, min(MAX_RUNS, int(BUDGET_S / max(slowest_s, 1e-6))))


def _figures(one: _Running, reference: _Running | None) -> Figures:
    agreements: tuple[Agreement, ...] = ()
    if reference is not None and reference is not one:
        comparison = Comparison()
        comparison.add(reference.outputs, one.outputs)
        agreements = comparison.results()
    return Figures(one.side, tuple(one.runs_ms), one.memory_mb, agreements)
