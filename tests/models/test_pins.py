import pytest

from models.errors import ModelError
from models.pins import PINS_FILE, pin, read_pins, unpin


def test_what_is_pinned_stays_until_it_is_forgotten(tmp_path):
    assert read_pins(tmp_path) == {}
    pin(tmp_path, "a.onnx", "1" * 64)
    pin(tmp_path, "b.onnx", "2" * 64)
    assert read_pins(tmp_path) == {"a.onnx": "1" * 64, "b.onnx": "2" * 64}
    unpin(tmp_path, "a.onnx")
    unpin(tmp_path, "never.onnx")
    assert read_pins(tmp_path) == {"b.onnx": "2" * 64}
    assert [path.name for path in tmp_path.iterdir()] == [PINS_FILE]


@pytest.mark.parametrize("content", ["{", "[]", '{"a": 1}', '"a"'])
def test_a_damaged_record_is_not_taken_for_an_empty_one(tmp_path, content):
    (tmp_path / PINS_FILE).write_text(content)
    with pytest.raises(ModelError, match="trusted checksums") as caught:
        read_pins(tmp_path)
    assert "--trust" in caught.value.hint
    with pytest.raises(ModelError):
        pin(tmp_path, "a.onnx", "1" * 64)
    assert (tmp_path / PINS_FILE).read_text() == content
