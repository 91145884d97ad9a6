import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import ModelError
from models.runtime.container import check_container
from tests.fakes.onnx_file import negating_network

WHOLE = negating_network((1, "batch", 300))
TFLITE = b"\x1c\x00\x00\x00TFL3" + bytes(100)


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.onnx", WHOLE), ("a.tflite", TFLITE), ("a.xml", b"<?xml?><net/>"), ("a.bin", b"x")],
)
def test_a_whole_file_passes(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    check_container(tmp_path / name)


def verdict(path):
    """The error that the file meets, or None."""
    try:
        check_container(path)
    except ModelError as error:
        return error
    return None


@given(st.integers(0, len(WHOLE) - 1))
def test_an_onnx_file_cut_anywhere_is_damaged(tmp_path_factory, length):
    path = tmp_path_factory.mktemp("cut") / "a.onnx"
    path.write_bytes(WHOLE[:length])
    # The last field, the operator set, may be missing whole: that is still a model to look at.
    if WHOLE[length:].startswith(b"\x42"):
        assert verdict(path) is None
    else:
        error = verdict(path)
        assert "damaged" in error.message
        assert "realtime models fetch a" in error.hint


@given(st.sampled_from(["onnx", "tflite", "xml"]), st.binary(max_size=200))
def test_garbage_is_damaged_and_never_an_error_of_another_kind(tmp_path_factory, suffix, content):
    path = tmp_path_factory.mktemp("garbage") / f"a.{suffix}"
    path.write_bytes(content)
    error = verdict(path)
    if not content:
        assert "it is empty" in error.message
    elif suffix == "tflite" and content[4:8] != b"TFL3":
        assert "not a TensorFlow Lite model" in error.message
    assert error is None or "damaged" in error.message


def test_a_folder_is_not_a_model(tmp_path):
    (tmp_path / "a.onnx").mkdir()
    with pytest.raises(ModelError, match="cannot be read"):
        check_container(tmp_path / "a.onnx")
