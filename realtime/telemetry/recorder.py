"""Builds the Snapshot from the counters that the parts keep."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from realtime.clock import NS_PER_S, Clock
from realtime.frame import Face, Outcome
from realtime.health import Health, State
from realtime.telemetry.histogram import Histogram
from realtime.telemetry.process import rss_mb
from realtime.telemetry.snapshot import FaceFigures, SinkFigures, Snapshot

__all__ = ["CaptureFigures", "LoopFigures", "Parts", "Recorder"]

RECENT = 8
"""Snapshots that `recent_age` looks back over: 2 s at four a second."""


@dataclass(frozen=True, slots=True)
class CaptureFigures:
    """Of the source."""

    source: Mapping[str, object]
    captured: int
    dropped: int
    fps: float


@dataclass(frozen=True, slots=True)
class LoopFigures:
    """Of the frame loop and the pipeline."""

    processed: int
    failed: int
    restarts: int
    faces: tuple[Face, ...]
    """Of the newest frame."""
    outcomes: Mapping[Outcome, int]
    detect_calls: int
    tracked: int
    covered: int
    stages: Mapping[str, Histogram]
    fps_out: float


class Parts(Protocol):
    """Who is asked: `realtime.app`."""

    def capture_figures(self) -> CaptureFigures: ...

    def loop_figures(self) -> LoopFigures: ...

    def sink_figures(self) -> Sequence[tuple[SinkFigures, Histogram]]:
        """Each output's figures, and its histogram of ages at publish."""
        ...

    def backend(self) -> Mapping[str, str]: ...


class Recorder:
    """Replaces its snapshot whole on `update`; any thread may read `snapshot`."""

    def __init__(self, parts: Parts, health: Health, clock: Clock) -> None:
        self._parts = parts
        self._health = health
        self._clock = clock
        self._began_ns = clock.now_ns()
        self._ages: deque[Histogram] = deque([Histogram()], maxlen=RECENT)
        self.snapshot = Snapshot()

    def update(self) -> Snapshot:
        """Take all figures now."""
        now_ns = self._clock.now_ns()
        state, reason = self._health.state(now_ns)
        capture = self._parts.capture_figures()
        loop = self._parts.loop_figures()
        sinks = tuple(self._parts.sink_figures())
        age = Histogram().merged(*(histogram for _, histogram in sinks))
        recent = age.since(self._ages[0])
        self._ages.append(age)
        self.snapshot = Snapshot(
            state=State(state),
            reason=reason,
            uptime_s=(now_ns - self._began_ns) / NS_PER_S,
            source=capture.source,
            backend=self._parts.backend(),
            captured=capture.captured,
            dropped=capture.dropped,
            processed=loop.processed,
            failed=loop.failed,
            outcomes={outcome.value: count for outcome, count in loop.outcomes.items()},
            detect_calls=loop.detect_calls,
            tracked=loop.tracked,
            covered=loop.covered,
            faces=len(loop.faces),
            poses=tuple(FaceFigures(face.id, face.pose) for face in loop.faces),
            fps_in=capture.fps,
            fps_out=loop.fps_out,
            age=age.percentiles(),
            recent_age=recent.percentiles(),
            stages={name: stage.percentiles() for name, stage in loop.stages.items()},
            sinks=tuple(figures for figures, _ in sinks),
            restarts=loop.restarts,
            rss_mb=rss_mb(),
        )
        return self.snapshot
