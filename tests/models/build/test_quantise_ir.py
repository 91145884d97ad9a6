import logging
from importlib.util import find_spec

import numpy as np
import pytest

from models.build.quantise_ir import to_int8_ir
from models.runtime.registry import open_session
from tests.fakes.networks import tiny_network

# Looked for and not imported: imported before our own OpenVINO session it would report its use.
pytestmark = pytest.mark.skipif(find_spec("nncf") is None, reason="nncf is not installed")

FEEDS = [
    {"picture": np.random.default_rng(number).random((1, 3, 16, 16), dtype=np.float32)} for number in range(4)
]


def result(path):
    session = open_session(path, "openvino")
    try:
        return session.run(FEEDS[0])["result"].copy()
    finally:
        session.close()


@pytest.mark.parametrize(("kept", "quantised"), [((), True), (("Conv", "Add", "LeakyRelu", "Resize"), False)])
def test_near_the_original_and_operators_on_the_list_are_left_alone(tmp_path, capsys, kept, quantised):
    tiny = tiny_network(tmp_path / "tiny.onnx")
    to_int8_ir(tiny, tmp_path / "q.xml", FEEDS, kept)
    assert capsys.readouterr().out == ""
    assert ("FakeQuantize" in (tmp_path / "q.xml").read_text()) == quantised
    error = result(tmp_path / "q.xml") - result(tiny)
    assert np.sqrt((error**2).mean()) < (0.03 if quantised else 1e-6)
    if quantised:
        assert (tmp_path / "q.bin").stat().st_size < 0.5 * tiny.stat().st_size


def test_the_programs_own_logging_is_left_as_it_was(tmp_path, caplog):
    to_int8_ir(tiny_network(tmp_path / "tiny.onnx"), tmp_path / "q.xml", FEEDS[:1], ())
    fresh = logging.getLogger("realtime.fresh")
    assert type(fresh) is logging.Logger
    fresh.warning("heard")
    assert "heard" in caplog.text


def test_a_picture_of_any_size_stays_one(tmp_path):
    onnx = pytest.importorskip("onnx")
    network = onnx.load(tiny_network(tmp_path / "tiny.onnx"))
    for port in (*network.graph.input, *network.graph.output):
        for axis in (2, 3):
            port.type.tensor_type.shape.dim[axis].dim_param = "any"
    onnx.save(network, tmp_path / "free.onnx")
    to_int8_ir(tmp_path / "free.onnx", tmp_path / "q.xml", FEEDS, ())
    session = open_session(tmp_path / "q.xml", "openvino")
    try:
        assert session.inputs[0].shape == (1, 3, -1, -1)
        for side in (16, 24):
            answer = session.run({session.inputs[0].name: np.full((1, 3, side, side), 0.5, np.float32)})
            assert answer["result"].shape == (1, 3, side, side)
    finally:
        session.close()
