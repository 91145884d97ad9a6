import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.runtime.choice import Outcome
from models.runtime.place import Place
from models.runtime.upgrade import building
from realtime.health import State
from realtime.sinks.runner import SinkState
from realtime.telemetry.histogram import Percentiles
from realtime.telemetry.prometheus import exposition
from realtime.telemetry.snapshot import SinkFigures, Snapshot
from tests.prometheus_text import read_metrics

AGES = Percentiles(18.0, 27.5, 31.0, 44.0)
SNAPSHOT = Snapshot(
    state=State.DEGRADED,
    uptime_s=12.5,
    source={"uri": "rtsp://user:secret@camera/1", "reopened": 3},
    backend={"detect": "openvino/CPU/fp32", "swap": "mesh/CPU/uint8"},
    captured=100,
    dropped=7,
    processed=90,
    failed=2,
    outcomes={"swapped": 80, "no_face": 10},
    detect_calls=9,
    tracked=81,
    faces=2,
    covered=6,
    fps_in=30.0,
    fps_out=29.5,
    age=AGES,
    recent_age=Percentiles(1.0, 2.0, 3.0, 4.0),
    stages={"detect": Percentiles(5.0, 6.0, 7.0, 8.0)},
    sinks=(
        SinkFigures("file", "out of /home/me/secret.mkv", "running", 88, 4, 1, 29.0, AGES),
        SinkFigures("virtualcam", "/dev/video9", "lost", 5, 0, 0, 0.0, AGES, "unplugged"),
    ),
    level=1,
    restarts=4,
    rss_mb=512.5,
)


def metrics(snapshot=SNAPSHOT, **options):
    return read_metrics(exposition(snapshot, **options))


def test_every_figure_is_there_in_base_units():
    read = metrics(viewers=2)
    frames = read["rt_frames_total"]
    assert frames.value(stage="capture", outcome="ok") == 100
    assert frames.value(stage="queue", outcome="dropped") == 7
    assert frames.value(stage="process", outcome="ok") == 90
    assert frames.value(stage="process", outcome="failed") == 2
    assert read["rt_outcomes_total"].value(outcome="swapped") == 80
    assert read["rt_outcomes_total"].value(outcome="no_face") == 10
    assert read["rt_detector_calls_total"].value() == 9
    assert read["rt_tracked_frames_total"].value() == 81
    assert read["rt_faces"].value() == 2
    assert read["rt_covered_faces_total"].value() == 6
    assert read["rt_fps"].value(point="capture") == 30
    assert read["rt_fps"].value(point="sink") == 29.5
    assert read["rt_restarts_total"].value(part="worker") == 4
    assert read["rt_restarts_total"].value(part="source") == 3
    assert read["rt_quality_level"].value() == 1
    assert read["rt_uptime_seconds"].value() == 12.5
    assert read["rt_resident_memory_bytes"].value() == 512_500_000
    assert read["rt_peers"].value(state="connected") == 2


def test_ages_and_stages_are_summaries_in_seconds():
    read = metrics()
    ages = read["rt_latency_seconds"]
    assert ages.kind == "summary"
    for quantile, seconds in (("0.5", 0.018), ("0.95", 0.0275), ("0.99", 0.031), ("1", 0.044)):
        assert ages.value(span="capture_to_publish", quantile=quantile) == pytest.approx(seconds)
    assert ages.value(span="detect", quantile="0.95") == pytest.approx(0.006)
    assert read["rt_recent_latency_seconds"].value(
        span="capture_to_publish", quantile="0.99"
    ) == pytest.approx(0.003)


def test_a_stage_that_never_ran_took_no_time_at_all_and_not_zero():
    read = metrics(replace(SNAPSHOT, stages={"enhance": Percentiles(0.0, 0.0, 0.0, 0.0)}))
    assert math.isnan(read["rt_latency_seconds"].value(span="enhance", quantile="0.5"))


def test_outputs():
    read = metrics()
    assert read["rt_sink_up"].value(sink="file") == 1
    assert read["rt_sink_up"].value(sink="virtualcam") == 0
    frames = read["rt_sink_frames_total"]
    assert [frames.value(sink="file", outcome=each) for each in ("published", "reused", "dropped")] == [
        *(88, 4, 1)
    ]
    assert read["rt_sink_fps"].value(sink="file") == 29
    assert read["rt_sink_latency_seconds"].value(sink="file", quantile="1") == pytest.approx(0.044)


@pytest.mark.parametrize("state", SinkState)
def test_an_output_is_up_while_it_runs(state):
    sink = replace(SNAPSHOT.sinks[0], state=state.value)
    up = metrics(replace(SNAPSHOT, sinks=(sink,)))["rt_sink_up"].value(sink="file")
    assert up == (state is SinkState.RUNNING)


@pytest.mark.parametrize("state", State)
def test_one_state_at_a_time(state):
    family = metrics(replace(SNAPSHOT, state=state))["rt_state"]
    assert {labels["state"] for labels in family.labels()} == {each.value for each in State}
    assert [each["state"] for each in family.labels() if family.value(**each)] == [state.value]


def backend(said):
    read = metrics(replace(SNAPSHOT, backend={"swap": said}))
    (labels,) = read["rt_backend_info"].labels()
    assert read["rt_backend_info"].value(**labels) == 1
    assert labels.pop("role") == "swap"
    built = read["rt_engine_build_ratio"]
    return labels, built.value(role="swap") if built.samples else None


def report(found):
    """As `realtime.assembly` writes it."""
    why = f" ({'; '.join(found.passed_over)})" if found.passed_over else ""
    return f"{found.place}/fp16{why}"


def test_where_a_network_runs():
    assert backend("openvino/CPU/fp32") == (
        {"place": "openvino/CPU", "precision": "fp32", "fallback": "0", "reason": ""},
        None,
    )


def test_a_fallback_is_said_with_its_reason():
    reason = 'not onnx/CUDA: the driver (12.0) is "too old"\nupdate C:\\it'
    found = Outcome(Place("openvino", "GPU.1"), (reason, "not tensorrt/GPU: no"))
    assert backend(report(found)) == (
        {
            "place": "openvino/GPU.1",
            "precision": "fp16",
            "fallback": "1",
            "reason": f"{reason}; not tensorrt/GPU: no",
        },
        None,
    )


@given(st.floats(0, 1))
def test_a_build_is_one_series_however_far_it_is(share):
    found = Outcome(Place("onnx", "CUDA"), (building(share), "not x: y"))
    labels, built = backend(report(found))
    assert labels["fallback"] == "1"
    assert labels["reason"] == "building a TensorRT engine; not x: y"
    assert built == int(100 * share) / 100


def test_options_of_a_provider_are_no_label():
    assert backend("onnx/TENSORRT:1?trt_engine_cache_path=/home/me/secret/fp32")[0]["place"] == (
        "onnx/TENSORRT:1"
    )


def test_nothing_that_a_user_chose_is_in_it():
    text = exposition(SNAPSHOT)
    assert "secret" not in text
    assert "/dev/video9" not in text
    assert "unplugged" not in text


def test_before_anything_has_happened():
    read = metrics(Snapshot())
    assert read["rt_frames_total"].value(stage="capture", outcome="ok") == 0
    assert read["rt_backend_info"].samples == {}
    assert "rt_peers" not in read


@given(
    st.floats(),
    st.dictionaries(st.text(min_size=1), st.text(), max_size=3),
    st.dictionaries(st.text(min_size=1), st.integers(0, 10**15), max_size=3),
)
def test_whatever_the_figures_it_can_be_read(number, texts, counts):
    ages = Percentiles(number, number, number, number)
    read = metrics(replace(SNAPSHOT, fps_in=number, age=ages, rss_mb=number, outcomes=counts, backend=texts))
    assert {dict(each)["outcome"] for each in read["rt_outcomes_total"].samples} == set(counts)
    assert {dict(each)["role"] for each in read["rt_backend_info"].samples} == set(texts)
    fps = read["rt_fps"].value(point="capture")
    assert fps == number or (fps != fps and number != number)
