import numpy as np
import pytest

from models.build import onnx_writer
from models.build.plan import Target
from models.build.quantise import to_int8_onnx
from models.runtime.registry import open_session
from tests.fakes.networks import tiny_network

onnx = pytest.importorskip("onnx")

FEEDS = [
    {"picture": np.random.default_rng(number).random((1, 3, 16, 16), dtype=np.float32)} for number in range(8)
]


@pytest.fixture
def tiny(tmp_path):
    return tiny_network(tmp_path / "tiny.onnx")


def result(path, backend="onnx"):
    session = open_session(path, backend)
    try:
        return session.run(FEEDS[0])["result"].copy()
    finally:
        session.close()


def zero_points(path):
    """Of every quantise and dequantise node: the values and their type."""
    graph = onnx.load(str(path)).graph
    constants = {each.name: onnx.numpy_helper.to_array(each) for each in graph.initializer}
    nodes = [node for node in graph.node if node.op_type in ("QuantizeLinear", "DequantizeLinear")]
    return [(node.op_type, constants[node.input[2]]) for node in nodes]


@pytest.mark.parametrize("target", Target)
@pytest.mark.parametrize("backend", ["onnx", "openvino"])
def test_near_the_original_on_both_backends(tiny, tmp_path, target, backend):
    to_int8_onnx(tiny, tmp_path / "q.onnx", target, FEEDS, ())
    error = result(tmp_path / "q.onnx", backend) - result(tiny)
    assert 0 < np.sqrt((error**2).mean()) < 0.03
    assert sorted(path.name for path in tmp_path.iterdir()) == ["q.onnx", "tiny.onnx"]


def test_for_a_cpu_activations_are_unsigned(tiny, tmp_path):
    to_int8_onnx(tiny, tmp_path / "q.onnx", Target.CPU, FEEDS, ())
    quantised = [points for kind, points in zero_points(tmp_path / "q.onnx") if kind == "QuantizeLinear"]
    assert quantised
    assert {points.dtype for points in quantised} == {np.dtype(np.uint8)}


def test_for_tensorrt_everything_is_symmetric_signed_and_biases_stay_fp32(tiny, tmp_path):
    to_int8_onnx(tiny, tmp_path / "q.onnx", Target.TENSORRT, FEEDS, ())
    points = zero_points(tmp_path / "q.onnx")
    kinds = [kind for kind, _ in points]
    assert kinds.count("QuantizeLinear") == kinds.count("DequantizeLinear") > 0
    assert {each.dtype for _, each in points} == {np.dtype(np.int8)}
    assert not any(each.any() for _, each in points)
    graph = onnx.load(str(tmp_path / "q.onnx")).graph
    constants = {each.name: each for each in graph.initializer}
    biases = [node.input[2] for node in graph.node if node.op_type == "Conv"]
    assert {constants[name].data_type for name in biases} == {onnx.TensorProto.FLOAT}


def test_a_file_of_an_old_opset_is_raised_to_one_that_can_hold_it(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_writer, "OPSET", 11)
    old = tiny_network(tmp_path / "old.onnx")
    assert [each.version for each in onnx.load(str(old)).opset_import] == [11]
    to_int8_onnx(old, tmp_path / "q.onnx", Target.CPU, FEEDS, ())
    assert np.sqrt(((result(tmp_path / "q.onnx") - result(tiny)) ** 2).mean()) < 0.03


def test_operators_on_the_list_are_left_alone(tiny, tmp_path):
    to_int8_onnx(tiny, tmp_path / "q.onnx", Target.CPU, FEEDS, ("Conv", "Add"))
    assert zero_points(tmp_path / "q.onnx") == []
