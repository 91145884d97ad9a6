from pathlib import Path

import numpy as np

from models.build.rounds import Figures
from models.build.speed import speeds
from tests.fakes.networks import scaling_network


def test_each_backend_that_runs_both_is_timed_on_the_cpu():
    asked = []

    def timed(sides, feeds):
        asked.append([(side.file.name, side.backend, side.device) for side in sides])
        slow = 30.0 if sides[0].backend == "onnx" else 5.0
        return Figures(sides[0], (slow, slow, 1000.0)), Figures(sides[1], (10.0, 10.0, 10.0))

    found = speeds(Path("a.onnx"), Path("a.int8.onnx"), {}, timed)
    assert found == {"onnx": 3.0, "openvino": 0.5}
    assert asked[0] == [("a.onnx", "onnx", "CPU"), ("a.int8.onnx", "onnx", "CPU")]
    assert set(speeds(Path("a.tflite"), Path("a.int8.xml"), {}, timed)) == {"openvino"}
    assert set(speeds(Path("a.onnx"), Path("a.int8.xml"), {}, timed)) == {"openvino"}


def test_what_does_not_run_has_no_speed():
    def timed(sides, feeds):
        return Figures(sides[0], (1.0,)), Figures(sides[1], reason="it fails")

    assert speeds(Path("a.onnx"), Path("a.int8.onnx"), {}, timed) == {}


def test_real_sessions_are_timed(tmp_path):
    source = scaling_network(tmp_path / "a.onnx", 2.0)
    made = scaling_network(tmp_path / "a.int8.onnx", 2.0)
    found = speeds(source, made, {"picture": np.zeros((1, 3, 16, 16), np.float32)})
    assert set(found) == {"onnx", "openvino"}
    assert all(times > 0 for times in found.values())
