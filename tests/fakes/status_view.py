"""A program's status that the test sets."""

from typing import Any

from realtime.telemetry.snapshot import Snapshot

__all__ = ["FakeStatusView"]


class FakeStatusView:
    """Says what it was given; change `values`, `snapshot` and `is_ready` at will."""

    def __init__(self, is_ready: bool = True, **values: Any) -> None:
        self.is_ready = is_ready
        self.snapshot = Snapshot()
        self.values: dict[str, Any] = {
            "version": 1,
            "frames": {"captured": 300, "dropped": 2, "processed": 298, "failed": 0},
            "detect": {"calls": 11, "tracked": 287},
            "fps": {"in": 30.0, "out": 29.9},
            "age_ms": {"p50": 18.2, "p95": 27.4, "p99": 31.0, "max": 44.0},
            "state": "LIVE",
            "shown": "swapped",
            "reason": "",
            **values,
        }

    def report(self) -> dict[str, Any]:
        return self.values

    def ready(self) -> bool:
        return self.is_ready

    def status_line(self) -> str:
        return "LIVE 30 fps"
