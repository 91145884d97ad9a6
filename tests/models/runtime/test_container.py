import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import ModelError
from models.runtime.container import check_container
from tests.fakes.onnx_file import negating_network

WHOLE = negating_network((1, "batch", 300))
TFLITE = b"\x1c\x00\x00\x00TFL3" + bytes(100)


@pytest.mark.parametrize(
    ("name", "content"), [("a.onnx", WHOLE), ("a.tflite", TFLITE), ("a.xml", b"<?xml?><net/>"), ("a.bin", b"x")]
)
def test_a_whole_file_passes(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    check_container(tmp_path / name)


@given(st.integers(0, len(WHOLE) - 1))
def test_an_onnx_file_cut_anywhere_is_damaged(tmp_path_factory, length):
    path = tmp_path_factory.mktemp("cut") / "a.onnx"
    # The last field, the operator set, may be missing whole: that is still a model to look at.
    path.write_bytes(WHOLE[:length])
    try:
        check_container(path)
    except ModelError as error:
        assert "damaged" in error.message
        assert "realtime models fetch a" in error.hint
    else:
        assert WHOLE[length:].startswith(b"\x42")


@given(st.binary(max_size=200))
def test_garbage_is_never_an_error_of_another_kind(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("garbage")
    for suffix in ("onnx", "tflite", "xml"):
        path = folder / f"a.{suffix}"
        path.write_bytes(content)
        if not content:
            with pytest.raises(ModelError, match="it is empty"):
                check_container(path)
        elif suffix == "tflite" and content[4:8] != b"TFL3":
            with pytest.raises(ModelError, match="not a TensorFlow Lite model"):
                check_container(path)
        else:
            try:
                check_container(path)
            except ModelError as error:
                assert "damaged" in error.message


def test_a_folder_is_not_a_model(tmp_path):
    (tmp_path / "a.onnx").mkdir()
    with pytest.raises(ModelError, match="cannot be read"):
        check_container(tmp_path / "a.onnx")
