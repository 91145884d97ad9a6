import numpy as np
import pytest

from models.build.onnx_writer import GraphWriter
from models.onnx_file import read_onnx
from models.runtime.container import check_container
from models.runtime.registry import open_session

PADS, STRIDES = (1, 1, 1, 1), (2, 2)


@pytest.fixture
def mixed(tmp_path):
    """Attributes of every kind (integers, one integer, a float, a string) and constants of both kinds."""
    graph = GraphWriter("mixed")
    picture = graph.input("picture", (1, 1, 4, 4))
    weights = graph.constant(np.full((2, 1, 3, 3), 0.5, np.float32))
    folded = graph.node("Conv", (picture, weights), kernel_shape=(3, 3), pads=PADS, strides=STRIDES)
    leaky = graph.node("LeakyRelu", (folded,), alpha=0.25)
    flat = graph.node("Reshape", (leaky, graph.constant(np.array([1, -1], np.int64))))
    joined = graph.node("Concat", (flat, flat), axis=-1)
    space = graph.node("Reshape", (joined, graph.constant(np.array([1, 4, 2, 2], np.int64))))
    graph.node("DepthToSpace", (space,), output="result", blocksize=2, mode="DCR")
    graph.output("result", (1, 1, 4, 4))
    graph.write(tmp_path / "mixed.onnx")
    return tmp_path / "mixed.onnx"


@pytest.mark.parametrize("backend", ["onnx", "openvino"])
def test_every_reader_gives_the_computed_answer(mixed, backend):
    check_container(mixed)
    picture = np.linspace(-1, 1, 16, dtype=np.float32).reshape(1, 1, 4, 4)
    session = open_session(mixed, backend)
    try:
        given = session.run({"picture": picture})["result"]
    finally:
        session.close()
    padded = np.pad(picture[0, 0], 1)
    sums = np.array([[0.5 * padded[y : y + 3, x : x + 3].sum() for x in (0, 2)] for y in (0, 2)])
    leaky = np.where(sums < 0, 0.25 * sums, sums)
    # Two equal channels, joined to themselves: each value fills its block of two by two.
    np.testing.assert_allclose(given[0, 0], leaky.repeat(2, axis=0).repeat(2, axis=1), rtol=1e-5)


def test_the_onnx_package_finds_no_fault(mixed):
    onnx = pytest.importorskip("onnx")
    onnx.checker.check_model(onnx.load(str(mixed)), full_check=True)


@pytest.mark.parametrize("backend", ["onnx", "openvino"])
def test_a_free_dimension_takes_any_size_and_a_weight_has_its_name(tmp_path, backend):
    path = tmp_path / "free.onnx"
    graph = GraphWriter("free")
    rows = graph.input("rows", ("count", 2))
    graph.node("Mul", (rows, graph.constant(np.array([3], np.float32), name="three")), output="result")
    graph.output("result", ("count", 2))
    graph.write(path)
    assert [each.name for each in read_onnx(path).initialisers] == ["three"]
    session = open_session(path, backend)
    try:
        assert session.inputs[0].shape == (-1, 2)
        for count in (1, 4):
            assert (session.run({"rows": np.ones((count, 2), np.float32)})["result"] == 3).all()
    finally:
        session.close()
