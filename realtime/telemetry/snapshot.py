"""The one value that everything which shows figures reads: terminal, page, report, metrics.

Built a few times a second from integer counters and replaced whole; readers never lock.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from realtime.health import State
from realtime.telemetry.histogram import Percentiles

if TYPE_CHECKING:
    from models.head_pose import HeadPose

__all__ = ["REPORT_VERSION", "FaceFigures", "SinkFigures", "Snapshot", "report"]

REPORT_VERSION = 1

_NONE = Percentiles(0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class SinkFigures:
    """One output."""

    name: str
    description: str
    state: str
    published: int
    repeated: int
    dropped: int
    fps: float
    age: Percentiles
    """From capture to the end of the output's `publish`, over the whole run."""
    error: str = ""


@dataclass(frozen=True, slots=True)
class FaceFigures:
    """One face that was replaced."""

    id: int
    pose: "HeadPose"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The program at one moment. Counts are since the start; `recent` figures cover the last seconds."""

    state: State = State.STARTING
    reason: str = ""
    """Why the state is not LIVE, for people; empty when it is."""
    uptime_s: float = 0.0
    source: Mapping[str, Any] = field(default_factory=dict)
    backend: Mapping[str, str] = field(default_factory=dict)
    """Role to "name/device/precision"."""
    captured: int = 0
    dropped: int = 0
    """Frames that a newer one overtook before the loop took them."""
    processed: int = 0
    failed: int = 0
    outcomes: Mapping[str, int] = field(default_factory=dict)
    detect_calls: int = 0
    tracked: int = 0
    """Frames whose faces were found without the detector."""
    covered: int = 0
    """Faces, over all frames, that could not be replaced and were covered."""
    faces: int = 0
    """Faces in the newest frame."""
    poses: tuple[FaceFigures, ...] = ()
    """Of those faces."""
    fps_in: float = 0.0
    fps_out: float = 0.0
    age: Percentiles = _NONE
    """Capture to publish, over the whole run, all outputs together."""
    recent_age: Percentiles = _NONE
    stages: Mapping[str, Percentiles] = field(default_factory=dict)
    sinks: tuple[SinkFigures, ...] = field(default=())
    level: int = 0
    restarts: int = 0
    rss_mb: float = 0.0


def report(snapshot: Snapshot) -> dict[str, Any]:
    """The snapshot in the shape that `--report`, `bench` and `/api/v1/stats` share."""
    return {
        "version": REPORT_VERSION,
        "state": snapshot.state.value,
        "reason": snapshot.reason,
        "uptime_s": round(snapshot.uptime_s, 3),
        "source": dict(snapshot.source),
        "backend": dict(snapshot.backend),
        "frames": {
            "captured": snapshot.captured,
            "dropped": snapshot.dropped,
            "processed": snapshot.processed,
            "failed": snapshot.failed,
        },
        "outcomes": dict(snapshot.outcomes),
        "detect": {
            "calls": snapshot.detect_calls,
            "tracked": snapshot.tracked,
            "faces": snapshot.faces,
            "covered": snapshot.covered,
        },
        "faces": [
            {
                "id": face.id,
                "yaw": round(face.pose.yaw, 1),
                "pitch": round(face.pose.pitch, 1),
                "roll": round(face.pose.roll, 1),
            }
            for face in snapshot.poses
        ],
        "fps": {"in": round(snapshot.fps_in, 2), "out": round(snapshot.fps_out, 2)},
        "age_ms": _all(snapshot.age),
        "recent_age_ms": _all(snapshot.recent_age),
        "stages_ms": {name: _two(figures) for name, figures in snapshot.stages.items()},
        "sinks": {
            sink.name: {
                "description": sink.description,
                "state": sink.state,
                "published": sink.published,
                "repeated": sink.repeated,
                "dropped": sink.dropped,
                "fps": round(sink.fps, 2),
                "age_ms": _two(sink.age),
                "error": sink.error,
            }
            for sink in snapshot.sinks
        },
        "level": snapshot.level,
        "restarts": snapshot.restarts,
        "rss_mb": round(snapshot.rss_mb, 1),
    }


def _two(figures: Percentiles) -> dict[str, float]:
    return {"p50": round(figures.p50, 3), "p95": round(figures.p95, 3)}


def _all(figures: Percentiles) -> dict[str, float]:
    return {
        "p50": round(figures.p50, 3),
        "p95": round(figures.p95, 3),
        "p99": round(figures.p99, 3),
        "max": round(figures.max, 3),
    }
