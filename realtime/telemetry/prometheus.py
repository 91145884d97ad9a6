"""The snapshot in the text format that Prometheus scrapes. Pure.

The format, version 0.0.4, is described at prometheus.io/docs/instrumenting/exposition_formats. Labels carry
names of ours only, never an address, a path or whatever else a user or a viewer chose: each new value of a
label is a new series that the scraper keeps. The one free text is why a backend was passed over, which is
found once in a run.
"""

import math
import re
from collections.abc import Mapping

from realtime.health import State
from realtime.telemetry.histogram import Percentiles
from realtime.telemetry.snapshot import SinkFigures, Snapshot

__all__ = ["CONTENT_TYPE", "exposition"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_PREFIX = "rt_"
_BUILDING = re.compile(r"(building a [^:;]*engine): (\d+) %")
"""How `models.runtime.upgrade` says that a better backend is on its way."""
_UP = "running"
"""`SinkState.RUNNING`; importing it would load the sinks."""


def exposition(snapshot: Snapshot, viewers: int | None = None) -> str:
    """All figures of `snapshot`, durations in seconds, memory in bytes. `viewers`: who watch the page."""
    text = _Text()
    _program(text, snapshot, viewers)
    _frames(text, snapshot)
    _latencies(text, snapshot)
    _sinks(text, snapshot.sinks)
    _backends(text, snapshot.backend)
    return text.whole()


class _Text:
    """Families of samples, each written once and whole, as the format wants them."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def family(self, name: str, kind: str, meaning: str) -> str:
        """Begin a family; its name in full."""
        full = _PREFIX + name
        self._lines += [f"# HELP {full} {meaning}", f"# TYPE {full} {kind}"]
        return full

    def sample(self, family: str, value: float, **labels: str) -> None:
        told = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
        self._lines.append(f"{family}{{{told}}} {_number(value)}" if told else f"{family} {_number(value)}")

    def single(self, name: str, kind: str, meaning: str, value: float) -> None:
        """A family of one sample without labels."""
        self.sample(self.family(name, kind, meaning), value)

    def whole(self) -> str:
        return "\n".join(self._lines) + "\n"


def _program(text: _Text, snapshot: Snapshot, viewers: int | None) -> None:
    state = text.family("state", "gauge", "1 for the state that the program is in.")
    for each in State:
        text.sample(state, each is snapshot.state, state=each.value)
    text.single("uptime_seconds", "gauge", "Since the start.", snapshot.uptime_s)
    text.single("resident_memory_bytes", "gauge", "Memory in use; 0 where unknown.", snapshot.rss_mb * 1e6)
    text.single("quality_level", "gauge", "Steps down from full quality; 0 is full.", snapshot.level)
    restarts = text.family("restarts_total", "counter", "What was started anew after a failure.")
    text.sample(restarts, snapshot.restarts, part="worker")
    reopened = snapshot.source.get("reopened")
    if isinstance(reopened, int):
        text.sample(restarts, reopened, part="source")
    if viewers is not None:
        peers = text.family("peers", "gauge", "Viewers of the page.")
        text.sample(peers, viewers, state="connected")


def _frames(text: _Text, snapshot: Snapshot) -> None:
    frames = text.family("frames_total", "counter", "Frames by what happened at a stage of their way.")
    text.sample(frames, snapshot.captured, stage="capture", outcome="ok")
    # Of those captured: a newer one overtook it while it waited.
    text.sample(frames, snapshot.dropped, stage="queue", outcome="dropped")
    text.sample(frames, snapshot.processed, stage="process", outcome="ok")
    text.sample(frames, snapshot.failed, stage="process", outcome="failed")
    outcomes = text.family("outcomes_total", "counter", "Processed frames by what was shown for them.")
    for outcome, count in snapshot.outcomes.items():
        text.sample(outcomes, count, outcome=outcome)
    text.single("detector_calls_total", "counter", "Runs of the face detector.", snapshot.detect_calls)
    text.single("tracked_frames_total", "counter", "Frames followed without the detector.", snapshot.tracked)
    text.single("faces", "gauge", "Faces in the newest frame.", snapshot.faces)
    text.single(
        "covered_faces_total",
        "counter",
        "Faces that could not be replaced and were covered.",
        snapshot.covered,
    )
    rate = text.family("fps", "gauge", "Pictures a second over the last seconds.")
    text.sample(rate, snapshot.fps_in, point="capture")
    text.sample(rate, snapshot.fps_out, point="sink")


def _latencies(text: _Text, snapshot: Snapshot) -> None:
    whole_run = text.family(
        "latency_seconds", "summary", "Time taken over the whole run; quantile 1 is the longest."
    )
    _quantiles(text, whole_run, snapshot.age, span="capture_to_publish")
    for stage, figures in snapshot.stages.items():
        _quantiles(text, whole_run, figures, span=stage)
    recent = text.family(
        "recent_latency_seconds", "summary", "Time taken over the last seconds; quantile 1 is the longest."
    )
    _quantiles(text, recent, snapshot.recent_age, span="capture_to_publish")


def _sinks(text: _Text, sinks: tuple[SinkFigures, ...]) -> None:
    up = text.family("sink_up", "gauge", "1 while the output takes pictures.")
    for sink in sinks:
        text.sample(up, sink.state == _UP, sink=sink.name)
    frames = text.family("sink_frames_total", "counter", "Pictures of an output by what became of them.")
    for sink in sinks:
        for outcome, count in (
            ("published", sink.published),
            ("reused", sink.repeated),
            ("dropped", sink.dropped),
        ):
            text.sample(frames, count, sink=sink.name, outcome=outcome)
    rate = text.family("sink_fps", "gauge", "Pictures a second of an output over the last seconds.")
    for sink in sinks:
        text.sample(rate, sink.fps, sink=sink.name)
    ages = text.family("sink_latency_seconds", "summary", "Capture to publish of an output, whole run.")
    for sink in sinks:
        _quantiles(text, ages, sink.age, sink=sink.name)


def _backends(text: _Text, backends: Mapping[str, str]) -> None:
    read = {role: _placed(said) for role, said in backends.items()}
    info = text.family(
        "backend_info", "gauge", "1; where a role's network runs, and why on nothing better (fallback 1)."
    )
    for role, (place, precision, reason, _) in read.items():
        text.sample(
            info,
            1,
            role=role,
            place=place,
            precision=precision,
            fallback="1" if reason else "0",
            reason=reason,
        )
    built = text.family("engine_build_ratio", "gauge", "How far the engine is that is built for a role.")
    for role, (_, _, _, share) in read.items():
        if share is not None:
            text.sample(built, share, role=role)


def _placed(said: str) -> tuple[str, str, str, float | None]:
    """Place, precision, reason and share built, of "name/device/precision (reason)" as the report has it.

    The progress of a build is taken out of the reason, and a provider's options out of the place: as labels
    they would make a series each.
    """
    head, _, rest = said.partition(" (")
    place, _, precision = head.rpartition("/")
    reason = rest.removesuffix(")")
    building = _BUILDING.search(reason)
    share = None if building is None else int(building[2]) / 100
    return place.partition("?")[0], precision, _BUILDING.sub(r"\1", reason), share


def _quantiles(text: _Text, family: str, figures: Percentiles, **labels: str) -> None:
    for quantile, ms in (
        ("0.5", figures.p50),
        ("0.95", figures.p95),
        ("0.99", figures.p99),
        ("1", figures.max),
    ):
        # Of nothing there is no quantile, which the format writes as NaN.
        text.sample(family, ms / 1e3 if figures.max else math.nan, **labels, quantile=quantile)


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _number(value: float) -> str:
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "+Inf" if value > 0 else "-Inf"
    return repr(int(value)) if value == int(value) else repr(float(value))
