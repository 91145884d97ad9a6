"""How far a build is, from the nested phases that TensorRT reports."""

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["BuildProgress", "Milestones", "Phases", "ReportProgress"]

SAID_EVERY = 0.1
"""Of the whole: a line in a log for each step of TensorRT would be thousands."""


@dataclass(frozen=True, slots=True)
class BuildProgress:
    """Where a build stands."""

    share: float
    """0 to 1; of the steps of TensorRT's outermost phase, which differ in length."""
    phase: str
    """TensorRT's name of what it does now."""


ReportProgress = Callable[[BuildProgress], None]
"""Called from the thread that waits for the build."""


@dataclass(slots=True)
class _Phase:
    parent: str | None
    steps: int
    done: int = 0


class Phases:
    """Pure: told what begins, steps and ends, says how much of all is done. The share never falls."""

    def __init__(self) -> None:
        self._open: dict[str, _Phase] = {}
        self._share = 0.0

    def start(self, name: str, parent: str | None, steps: int) -> BuildProgress:
        self._open[name] = _Phase(parent, max(1, steps))
        return self._now(name)

    def step(self, name: str, index: int) -> BuildProgress:
        """`index` is the step that is done now, from 0."""
        if (phase := self._open.get(name)) is not None:
            phase.done = min(phase.steps, max(phase.done, index + 1))
        return self._now(name)

    def finish(self, name: str) -> BuildProgress:
        if (phase := self._open.get(name)) is not None:
            phase.done = phase.steps
        now = self._now(name)
        self._open.pop(name, None)
        return now

    def _now(self, name: str) -> BuildProgress:
        inner, at, share = 0.0, name, 0.0
        for _ in range(len(self._open) + 1):
            phase = self._open.get(at)
            if phase is None:
                break
            share = min(1.0, (phase.done + inner) / phase.steps)
            if phase.parent is None or phase.parent not in self._open:
                break
            inner, at = share, phase.parent
        self._share = max(self._share, share)
        return BuildProgress(self._share, name)


class Milestones:
    """Pure: of all that is reported of a build, what is worth a line in a log."""

    def __init__(self, every: float = SAID_EVERY) -> None:
        """`every`: the share, 0 to 1, that lies between two lines."""
        self._every = every
        self._passed = 0

    def passes(self, now: BuildProgress) -> bool:
        """Whether `now` is the first that is as far as another multiple of `every`; 0 is none."""
        reached = int(now.share / self._every + 1e-9)  # 0.3 / 0.1 is a hair less than 3
        new, self._passed = reached > self._passed, max(reached, self._passed)
        return new
