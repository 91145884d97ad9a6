import numpy as np
import pytest

from models.build.half import KEPT_FP32, to_half_ir, to_half_onnx
from models.runtime.registry import open_session
from tests.fakes.networks import tiny_network

PICTURE = np.random.default_rng(2).random((1, 3, 16, 16), dtype=np.float32)


def run(path, backend):
    session = open_session(path, backend)
    try:
        assert [(spec.name, spec.dtype) for spec in session.inputs] == [("picture", "float32")]
        return session.run({"picture": PICTURE})["result"].copy()
    finally:
        session.close()


@pytest.fixture
def tiny(tmp_path):
    return tiny_network(tmp_path / "tiny.onnx")


def test_onnx_in_half_is_near_and_half_the_size(tiny, tmp_path):
    onnx = pytest.importorskip("onnx")
    half = tmp_path / "half.onnx"
    to_half_onnx(tiny, half, ())
    np.testing.assert_allclose(run(half, "onnx"), run(tiny, "onnx"), atol=5e-3)
    assert np.abs(run(half, "onnx") - run(tiny, "onnx")).max() > 0
    weights = [each for each in onnx.load(str(half)).graph.initializer if len(each.dims) == 4]
    assert weights
    assert {each.data_type for each in weights} == {onnx.TensorProto.FLOAT16}


@pytest.mark.parametrize("kept", ["Conv", "Resize"])
def test_operators_on_the_list_stay_in_fp32(tiny, tmp_path, kept):
    onnx = pytest.importorskip("onnx")
    half = tmp_path / "half.onnx"
    to_half_onnx(tiny, half, ("Conv",))
    graph = onnx.shape_inference.infer_shapes(onnx.load(str(half)), strict_mode=True).graph
    kinds = {each.name: each.type.tensor_type.elem_type for each in (*graph.value_info, *graph.output)}
    nodes = [node for node in graph.node if node.op_type == kept]
    assert nodes
    assert {kinds[node.output[0]] for node in nodes} == {onnx.TensorProto.FLOAT}
    assert "Resize" in KEPT_FP32


def test_ir_in_half_is_near_and_half_the_size(tiny, tmp_path):
    half = tmp_path / "half.xml"
    to_half_ir(tiny, half)
    np.testing.assert_allclose(run(half, "openvino"), run(tiny, "openvino"), atol=5e-3)
    assert half.with_suffix(".bin").stat().st_size < 0.6 * tiny.stat().st_size
