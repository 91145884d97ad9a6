from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import ModelError
from models.onnx_file import read_initialiser, read_onnx, taken_by_nodes
from models.runtime.base import TensorSpec
from tests.data import model
from tests.fakes.onnx_file import described_network, negating_network, placed_network

SHARED = [
    "4xLSDIRCompactC3.onnx",
    "RealESRGAN_General_x4_v3.onnx",
    "dfl_facemesh468.onnx",
    "face_detection_yunet_2026may.onnx",
    "foamliu_MobileFaceNet.onnx",
    "mediapipe_face_blendshapes.onnx",
    "mediapipe_face_landmarks_478.onnx",
    "mediapipe_selfie_general.onnx",
    "openseeface_retinaface_640.onnx",
    "scrfd_2.5g_bnkps.onnx",
    "scrfd_500m_bnkps.onnx",
]
names = st.text(min_size=1, max_size=12)
dimensions = st.one_of(st.integers(1, 2**40), st.text(min_size=1, max_size=4))
shapes = st.lists(dimensions, max_size=5).map(tuple)
tensors = st.dictionaries(names, shapes, max_size=4)


def told(tensors):
    return tuple(
        TensorSpec(name, tuple(size if isinstance(size, int) else -1 for size in shape), "float32")
        for name, shape in tensors.items()
    )


@settings(deadline=None)
@given(tensors, tensors, st.dictionaries(names, st.integers(1, 9), max_size=3), st.integers(1, 30))
def test_what_was_written_is_read(tmp_path_factory, inputs, outputs, weights, opset):
    values = {name: ((size,), np.full(size, 7, np.float32).tobytes()) for name, size in weights.items()}
    inputs = {name: shape for name, shape in inputs.items() if name not in weights}
    path = tmp_path_factory.mktemp("onnx") / "written.onnx"
    path.write_bytes(described_network(inputs, outputs, values, opset=opset))
    file = read_onnx(path)
    assert file.inputs == told(inputs)
    assert file.outputs == told(outputs)
    assert file.opset == opset
    assert {each.name: each.shape for each in file.initialisers} == {n: (s,) for n, s in weights.items()}
    for each in file.initialisers:
        assert (read_initialiser(path, each) == np.full(each.shape, 7)).all()


WHOLE = described_network({"a": (1, 3)}, {"b": ("n",)}, {"w": ((2,), bytes(8))})


@settings(deadline=None)
@given(st.integers(1, len(WHOLE) - 1))
def test_a_cut_file_is_never_read_as_a_whole_one(tmp_path_factory, length):
    path = tmp_path_factory.mktemp("onnx") / "cut.onnx"
    path.write_bytes(WHOLE[:length])
    with suppress(ModelError):
        # The cut fell between two fields: what is missing is the version of the operators.
        assert read_onnx(path).opset == 0


@settings(deadline=None)
@given(st.binary(min_size=1, max_size=300))
def test_noise_is_refused_in_words(tmp_path_factory, noise):
    path = tmp_path_factory.mktemp("onnx") / "noise.onnx"
    path.write_bytes(noise)
    with pytest.raises(ModelError, match=r"noise\.onnx"):
        read_onnx(path)


@pytest.mark.parametrize(
    "start", [b"<!DOCTYPE html><html>", b"\n  <HTML><body>sorry", b"<?xml version='1.0'?>"]
)
def test_a_web_page_is_called_one(tmp_path, start):
    path = tmp_path / "page.onnx"
    path.write_bytes(start)
    with pytest.raises(ModelError, match="is a web page, not a model"):
        read_onnx(path)


def test_an_empty_and_an_absent_file(tmp_path):
    (tmp_path / "empty.onnx").touch()
    with pytest.raises(ModelError, match="is empty"):
        read_onnx(tmp_path / "empty.onnx")
    with pytest.raises(ModelError, match="cannot be read"):
        read_onnx(tmp_path / "absent.onnx")


def test_a_size_of_nothing_is_a_free_one(tmp_path):
    path = tmp_path / "free.onnx"
    path.write_bytes(described_network({"a": (0, 3)}, {}))
    assert read_onnx(path).inputs == (TensorSpec("a", (-1, 3), "float32"),)


def test_the_version_is_that_of_the_standard_operators(tmp_path):
    path = tmp_path / "extended.onnx"
    others = b"\x0a\x0dcom.microsoft\x10\x01"  # domain, version
    path.write_bytes(described_network({}, {}, opset=17) + b"\x42" + bytes([len(others)]) + others)
    assert read_onnx(path).opset == 17


def test_values_kept_in_another_file_are_read_there(tmp_path):
    path = tmp_path / "split.onnx"
    path.write_bytes(described_network({}, {}, {"w": ((2,), b"")}, external="split.data"))
    file = read_onnx(path)
    assert file.external_files == ("split.data",)
    with pytest.raises(ModelError, match=r"split\.data cannot be read"):
        read_initialiser(path, file.initialisers[0])
    (tmp_path / "split.data").write_bytes(np.array([3, 4], np.float32).tobytes())
    assert read_initialiser(path, file.initialisers[0]).tolist() == [3, 4]
    (tmp_path / "split.data").write_bytes(bytes(7))
    with pytest.raises(ModelError, match=r"split\.data is cut short"):
        read_initialiser(path, file.initialisers[0])


def test_values_kept_in_another_file_begin_where_it_is_said(tmp_path):
    path = tmp_path / "placed.onnx"
    place = {"location": "placed.data", "offset": "8", "length": "8"}
    path.write_bytes(placed_network(place))
    (tmp_path / "placed.data").write_bytes(np.arange(5, dtype=np.float32).tobytes())
    assert read_initialiser(path, read_onnx(path).initialisers[0]).tolist() == [2, 3]
    path.write_bytes(placed_network(place | {"length": "12"}))
    with pytest.raises(ModelError, match="has 12 bytes"):
        read_initialiser(path, read_onnx(path).initialisers[0])
    path.write_bytes(placed_network(place | {"offset": "eight"}))
    with pytest.raises(ModelError, match="the place of 'w' is not a number"):
        read_onnx(path)


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "a/../../b"])
def test_values_are_not_read_outside_the_models_folder(tmp_path, name):
    path = tmp_path / "split.onnx"
    path.write_bytes(described_network({}, {}, {"w": ((2,), b"")}, external=name))
    with pytest.raises(ModelError, match="outside its own folder"):
        read_initialiser(path, read_onnx(path).initialisers[0])


def test_what_the_operators_take(tmp_path):
    path = tmp_path / "negating.onnx"
    path.write_bytes(negating_network((1, 4)))
    assert taken_by_nodes(path) == {"picture"}
    path.write_bytes(b"\x0b")
    with pytest.raises(ModelError, match="not a whole ONNX file"):
        taken_by_nodes(path)


def test_values_that_do_not_fill_the_shape(tmp_path):
    path = tmp_path / "short.onnx"
    path.write_bytes(described_network({}, {}, {"w": ((3,), bytes(8))}))
    with pytest.raises(ModelError, match=r"has 8 bytes, which is not \(3,\) float32"):
        read_initialiser(path, read_onnx(path).initialisers[0])


def test_a_network_that_runs_says_the_same_to_its_backend(tmp_path):
    path = tmp_path / "negating.onnx"
    path.write_bytes(negating_network((1, "height", 4)))
    file = read_onnx(path)
    assert (file.inputs, file.outputs) == by_onnxruntime(path)


@pytest.mark.parametrize("name", SHARED)
def test_real_files_say_what_onnxruntime_says(name):
    path = model(name)
    file = read_onnx(path)
    assert (file.inputs, file.outputs) == by_onnxruntime(path)
    assert file.opset > 0


def by_onnxruntime(path):
    onnxruntime = pytest.importorskip("onnxruntime")
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    kinds = {"tensor(float)": "float32", "tensor(int64)": "int64"}
    return tuple(
        tuple(
            TensorSpec(
                port.name, tuple(d if isinstance(d, int) else -1 for d in port.shape), kinds[port.type]
            )
            for port in ports
        )
        for ports in (session.get_inputs(), session.get_outputs())
    )
