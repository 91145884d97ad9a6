import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.build.onnx_writer import GraphWriter
from models.errors import ModelError
from models.neural.emap import apply_emap, beside, emap_of, find_emap
from models.onnx_file import read_onnx
from tests.fakes.networks_swap import permutation, swapper_network
from tests.fakes.onnx_file import described_network

MATRIX = np.random.default_rng(5).standard_normal((512, 512)).astype(np.float32)
OTHER = np.full((512, 512), 2, np.float32)


def with_constants(path, taken=(), **constants):
    """A network with these constants, in this order; those named in `taken` it multiplies by."""
    graph = GraphWriter("constants")
    tensor = graph.input("source", (1, 512))
    for name, values in constants.items():
        graph.constant(values, name=name)
    for name in taken:
        tensor = graph.node("MatMul", (tensor, name))
    graph.node("Identity", (tensor,), output="output")
    graph.output("output", (1, 512))
    graph.write(path)
    return path


def test_the_matrix_is_read_out_of_a_file_that_runs(tmp_path):
    path = swapper_network(tmp_path / "own.onnx", emap=MATRIX)
    assert (emap_of(path) == MATRIX).all()
    assert not emap_of(path).flags.writeable


@pytest.mark.parametrize("name", ["buff2fs", "initializer", "emap"])
def test_its_name_decides_wherever_it_stands(tmp_path, name):
    for order in ((name, "late"), ("early", name)):
        constants = {each: MATRIX if each == name else OTHER for each in order}
        path = with_constants(tmp_path / "own.onnx", **constants)
        assert (emap_of(path) == MATRIX).all()


def test_without_its_name_it_is_the_one_that_no_operator_takes(tmp_path):
    path = with_constants(tmp_path / "own.onnx", ("dense",), onnx_123=MATRIX, dense=OTHER)
    assert find_emap(read_onnx(path), path).name == "onnx_123"


def test_what_cannot_be_told_apart_is_not_guessed(tmp_path):
    for taken in ((), ("a", "b")):
        path = with_constants(tmp_path / "own.onnx", taken, a=MATRIX, b=OTHER)
        with pytest.raises(ModelError, match=r"several matrices of 512x512 \('a', 'b'\)"):
            emap_of(path)
    path = with_constants(tmp_path / "own.onnx", buff2fs=MATRIX, initializer=OTHER)
    with pytest.raises(ModelError, match=r"\('buff2fs', 'initializer'\)"):
        emap_of(path)


def test_a_file_without_one_is_met_with_what_to_do(tmp_path):
    path = swapper_network(tmp_path / "own.onnx")
    with pytest.raises(ModelError, match=r"own\.onnx has no matrix of 512x512") as caught:
        emap_of(path)
    assert "models fetch inswapper_128" in caught.value.hint


def test_a_matrix_beside_the_file_stands_in_for_one_that_was_lost(tmp_path):
    path = swapper_network(tmp_path / "own.onnx")
    np.save(beside(path), MATRIX)
    assert (emap_of(path) == MATRIX).all()
    kept = swapper_network(path, emap=OTHER)
    assert (emap_of(kept) == OTHER).all()


@pytest.mark.parametrize("content", [np.zeros((3, 3), np.float32), np.zeros((512, 512), np.int32)])
def test_something_else_beside_the_file_is_refused(tmp_path, content):
    path = swapper_network(tmp_path / "own.onnx")
    np.save(beside(path), content)
    with pytest.raises(ModelError, match="is not a matrix of 512x512 numbers"):
        emap_of(path)
    beside(path).write_bytes(b"\x93NUMPY")
    with pytest.raises(ModelError, match=r"own\.emap\.npy cannot be read"):
        emap_of(path)


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf])
def test_an_empty_or_damaged_matrix_is_refused(tmp_path, value):
    path = swapper_network(tmp_path / "own.onnx", emap=np.full((512, 512), value, np.float32))
    with pytest.raises(ModelError, match="is empty or damaged"):
        emap_of(path)


def test_the_matrix_may_lie_in_the_file_of_the_weights(tmp_path):
    weights = {"buff2fs": ((512, 512), b"")}
    path = tmp_path / "own.onnx"
    path.write_bytes(described_network({}, {}, weights, external="own.data"))
    (tmp_path / "own.data").write_bytes(MATRIX.tobytes())
    assert (emap_of(path) == MATRIX).all()


@given(st.floats(0.01, 100))
def test_the_length_of_the_vector_does_not_count_and_that_of_the_answer_is_one(length):
    vector = np.random.default_rng(2).standard_normal(512).astype(np.float32)
    turned = apply_emap(vector * np.float32(length), MATRIX)
    assert np.linalg.norm(turned) == pytest.approx(1, abs=1e-5)
    assert turned == pytest.approx(apply_emap(vector, MATRIX), abs=1e-5)


def test_the_vector_is_a_row():
    vector = np.zeros(512, np.float32)
    vector[7] = 3
    expected = permutation()[7] / 2
    assert (apply_emap(vector, permutation()) == expected).all()


def test_what_the_matrix_makes_nothing_of_is_nothing():
    assert not apply_emap(np.ones(512, np.float32), np.zeros((512, 512), np.float32)).any()
