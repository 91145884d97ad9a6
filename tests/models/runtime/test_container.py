import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import ModelError
from models.runtime.container import check_container
from tests.fakes.onnx_file import adding_network, negating_network

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
    elif suffix == "tflite" and "web page" not in error.message and content[4:8] != b"TFL3":
        assert "not a TensorFlow Lite model" in error.message
    assert error is None or "damaged" in error.message


def test_a_folder_is_not_a_model(tmp_path):
    (tmp_path / "a.onnx").mkdir()
    with pytest.raises(ModelError, match="cannot be read"):
        check_container(tmp_path / "a.onnx")


@pytest.mark.parametrize("suffix", ["onnx", "tflite", "xml"])
@pytest.mark.parametrize("page", [b"<!DOCTYPE html><html>404</html>", b"\n  <html lang=en>"])
def test_a_web_page_is_told(tmp_path, suffix, page):
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(page)
    error = verdict(path)
    assert "web page" in error.message
    assert "fetch it again" in error.hint


def test_weights_that_lie_in_a_missing_file_are_told(tmp_path):
    path = tmp_path / "a.onnx"
    path.write_bytes(adding_network("weights.bin"))
    error = verdict(path)
    assert "weights.bin, which is missing" in error.message
    assert str(tmp_path) in error.hint
    (tmp_path / "weights.bin").write_bytes(bytes(4))
    assert verdict(path) is None


@given(st.integers(0, 200), st.integers(0, 255))
def test_a_changed_byte_is_no_error_of_another_kind(tmp_path_factory, index, value):
    content = bytearray(adding_network("weights.bin"))
    content[index % len(content)] = value
    path = tmp_path_factory.mktemp("changed") / "a.onnx"
    path.write_bytes(content)
    verdict(path)
