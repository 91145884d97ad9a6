from collections.abc import Mapping, Sequence

import pytest

from realtime.clock import NS_PER_MS, NS_PER_S
from realtime.frame import Face, Outcome
from realtime.health import Health, HealthSettings, State
from realtime.telemetry.histogram import Histogram
from realtime.telemetry.recorder import RECENT, CaptureFigures, LoopFigures, Recorder
from realtime.telemetry.snapshot import SinkFigures, report
from tests.fakes.clock import FakeClock
from tests.fakes.head import posed


class Parts:
    def __init__(self) -> None:
        self.ages = [Histogram(), Histogram()]
        self.swapped = 0

    def capture_figures(self) -> CaptureFigures:
        return CaptureFigures({"uri": "still:"}, 10, 2, 29.97)

    def loop_figures(self) -> LoopFigures:
        outcomes = {**dict.fromkeys(Outcome, 0), Outcome.SWAPPED: self.swapped}
        face = Face(4, posed(yaw=30, pitch=-10), 0.9)
        return LoopFigures(8, 0, 1, (face,), outcomes, 3, 5, 7, {"swap": Histogram()}, 29.5)

    def sink_figures(self) -> Sequence[tuple[SinkFigures, Histogram]]:
        return [
            (SinkFigures(f"null{i}", "nowhere", "running", 8, 0, 0, 29.5, ages.percentiles()), ages)
            for i, ages in enumerate(self.ages)
        ]

    def backend(self) -> Mapping[str, str]:
        return {"detect": "openvino/CPU/fp32"}


def recorder(parts: Parts, clock: FakeClock) -> Recorder:
    health = Health(HealthSettings())
    health.started()
    return Recorder(parts, health, clock)


def test_the_report_has_the_schema_that_is_documented() -> None:
    parts, clock = Parts(), FakeClock()
    found = recorder(parts, clock)
    clock.advance(3 * NS_PER_S)
    told = report(found.update())
    assert told["version"] == 1
    assert told["frames"] == {"captured": 10, "dropped": 2, "processed": 8, "failed": 0}
    assert set(told["outcomes"]) == {"swapped", "no_face", "held", "fault"}
    assert told["detect"] == {"calls": 3, "tracked": 5, "faces": 1, "covered": 7}
    (face,) = told["faces"]
    assert face == pytest.approx({"id": 4, "yaw": 30, "pitch": -10, "roll": 0}, abs=0.5)
    assert told["fps"] == {"in": 29.97, "out": 29.5}
    assert set(told["age_ms"]) == {"p50", "p95", "p99", "max"}
    assert told["stages_ms"]["swap"] == {"p50": 0, "p95": 0}
    assert {"published", "dropped", "fps"} <= set(told["sinks"]["null0"])
    assert (told["level"], told["restarts"]) == (0, 1)
    assert told["rss_mb"] > 1
    assert told["uptime_s"] == 3


def test_the_age_covers_all_outputs_and_the_whole_run_the_recent_one_the_last_seconds() -> None:
    parts, clock = Parts(), FakeClock()
    found = recorder(parts, clock)
    for ages in parts.ages:
        ages.add(80 * NS_PER_MS)
    found.update()
    for _ in range(RECENT):
        parts.ages[0].add(10 * NS_PER_MS)
        snapshot = found.update()
    assert snapshot.age.max == 80
    assert 9 <= snapshot.recent_age.p95 <= 11


def test_a_snapshot_is_replaced_whole() -> None:
    parts, clock = Parts(), FakeClock()
    found = recorder(parts, clock)
    first = found.update()
    parts.swapped = 5
    assert first.outcomes["swapped"] == 0
    assert found.update().outcomes["swapped"] == 5
    assert found.snapshot is not first
    assert found.snapshot.state is State.LIVE
