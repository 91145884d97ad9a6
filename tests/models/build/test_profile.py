import json

import numpy as np
import pytest

from models.build.profile import by_layer, by_operator, profile, profile_openvino
from models.errors import BackendError
from tests.fakes.networks import tiny_network


def event(name, operator, us, category="Node"):
    return {"cat": category, "name": name, "dur": us, "args": {"op_name": operator}}


def test_time_is_summed_by_operator_and_told_for_one_run():
    events = [
        event("a_kernel_time", "Conv", 3000),
        event("b_kernel_time", "Conv", 1000),
        event("a_kernel_time", "Conv", 3000),
        event("b_kernel_time", "Conv", 1000),
        event("c_kernel_time", "Add", 2000),
        event("a_fence_before", "Conv", 9000),
        event("model_kernel_time", "", 99000, category="Session"),
    ]
    conv, add = by_operator(events, 2)
    assert (conv.operator, conv.nodes, conv.ms) == ("Conv", 2, pytest.approx(4))
    assert (add.operator, add.nodes, add.ms) == ("Add", 1, pytest.approx(1))
    assert (conv.share, add.share) == pytest.approx((0.8, 0.2))


def test_nothing_ran():
    assert by_operator([], 3) == ()


def test_onnx_runtimes_own_profile(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tiny_network(tmp_path / "tiny.onnx")
    rows = profile(path, {"picture": np.zeros((1, 3, 16, 16), np.float32)}, 3)
    nodes = {row.operator: row.nodes for row in rows}
    assert nodes["Conv"] == 6
    assert sum(row.share for row in rows) == pytest.approx(1)
    assert list(rows) == sorted(rows, key=lambda row: -row.ms)
    assert [each.name for each in tmp_path.iterdir()] == ["tiny.onnx"]


def test_what_cannot_be_run_is_said(tmp_path):
    path = tiny_network(tmp_path / "tiny.onnx")
    with pytest.raises(BackendError, match=r"tiny\.onnx"):
        profile(path, {"picture": np.zeros((1, 3, 8, 8), np.float32)}, 1)


def test_layers_of_one_name_in_several_runs_are_one_node():
    slow, fast = by_layer([("a", "Conv x", 10), ("b", "Add", 2), ("b", "Add", 4), ("a", "Conv x", 20)], 2)
    assert (slow.operator, slow.nodes, slow.ms, slow.share) == ("Conv x", 1, 0.015, pytest.approx(30 / 36))
    assert (fast.operator, fast.nodes, fast.ms) == ("Add", 1, 0.003)


def test_the_trace_is_kept_where_it_is_wanted(tmp_path):
    path = tiny_network(tmp_path / "tiny.onnx")
    trace = tmp_path / "new" / "tiny.json"
    rows = profile(path, {"picture": np.zeros((1, 3, 16, 16), np.float32)}, 2, trace)
    events = json.loads(trace.read_text("utf-8"))
    assert by_operator(events, 2) == rows
    assert {"ts", "dur", "ph", "name"} <= set(events[-1]), "as chrome://tracing reads it"
    assert [each.name for each in trace.parent.iterdir()] == ["tiny.json"]


def test_a_trace_that_cannot_be_written_is_told(tmp_path):
    path = tiny_network(tmp_path / "tiny.onnx")
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(BackendError, match="the trace cannot be written to"):
        profile(path, {"picture": np.zeros((1, 3, 16, 16), np.float32)}, 1, tmp_path / "file" / "x.json")


def test_openvinos_own_counters(tmp_path):
    path = tiny_network(tmp_path / "tiny.onnx")
    rows = profile_openvino(path, {"any name": np.zeros((1, 3, 16, 16), np.float32)}, 3)
    nodes = sum(row.nodes for row in rows if row.operator.startswith("Convolution "))
    assert nodes == 6
    assert sum(row.share for row in rows) == pytest.approx(1)
    assert all(row.ms > 0 for row in rows)


def test_what_openvino_cannot_run_is_said(tmp_path):
    path = tiny_network(tmp_path / "tiny.onnx")
    with pytest.raises(BackendError, match=r"OpenVINO cannot profile tiny\.onnx"):
        profile_openvino(path, {"picture": np.zeros((1, 3, 8, 8), np.float32)}, 1)
