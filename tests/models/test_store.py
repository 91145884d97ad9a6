import hashlib

import pytest

from models.entries import Contract, HttpsSource, Model
from models.errors import ModelError
from models.pins import pin
from models.store import State, disk_errors, expected_sha256, state

CONTENT = b"what the file holds"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def model(**values):
    given = {"sha256": "", "size_bytes": 0} | values
    return Model(
        name="toy",
        role="detector",
        family="toy",
        about="",
        file="toy.onnx",
        licence="MIT",
        source=HttpsSource(("https://example.org/toy.onnx",)),
        contract=Contract((), {}),
        **given,
    )


def test_the_catalogues_checksum_goes_before_the_pin(tmp_path):
    assert expected_sha256(model(), tmp_path) == ""
    pin(tmp_path, "toy.onnx", "1" * 64)
    assert expected_sha256(model(), tmp_path) == "1" * 64
    assert expected_sha256(model(sha256=SHA256), tmp_path) == SHA256


@pytest.mark.parametrize(
    ("values", "content", "pinned", "expected"),
    [
        ({}, None, "", State.MISSING),
        ({"sha256": SHA256}, CONTENT, "", State.PRESENT),
        ({"sha256": SHA256}, b"other", "", State.DAMAGED),
        ({"sha256": SHA256, "size_bytes": 3}, CONTENT, "", State.DAMAGED),
        ({}, CONTENT, "", State.UNPINNED),
        ({}, CONTENT, SHA256, State.PRESENT),
        ({}, b"other", SHA256, State.CHANGED),
    ],
)
def test_states(tmp_path, values, content, pinned, expected):
    if content is not None:
        (tmp_path / "toy.onnx").write_bytes(content)
    if pinned:
        pin(tmp_path, "toy.onnx", pinned)
    assert state(model(**values), tmp_path) is expected


def test_by_size_nothing_is_read(tmp_path, monkeypatch):
    (tmp_path / "toy.onnx").write_bytes(CONTENT[::-1])
    monkeypatch.setattr("models.store.digest", lambda path: pytest.fail("it was read"))
    known = model(sha256=SHA256, size_bytes=len(CONTENT))
    assert state(known, tmp_path, by_size=True) is State.PRESENT
    (tmp_path / "toy.onnx").write_bytes(CONTENT[1:])
    assert state(known, tmp_path, by_size=True) is State.DAMAGED


def test_what_the_disk_refuses_is_told_with_its_cure(tmp_path):
    with (
        pytest.raises(ModelError, match=r"cannot be written to .*: Permission denied") as caught,
        disk_errors(tmp_path),
    ):
        raise PermissionError(13, "Permission denied")
    assert "REALTIME_MODELS" in caught.value.hint


def test_an_unchanged_file_is_believed_only_where_that_is_asked_for(tmp_path, monkeypatch):
    (tmp_path / "toy.onnx").write_bytes(CONTENT[::-1])
    monkeypatch.setattr("models.store.known_digest", lambda path: SHA256)
    known = model(sha256=SHA256, size_bytes=len(CONTENT))
    assert state(known, tmp_path, unchanged=True) is State.PRESENT
    assert state(known, tmp_path) is State.DAMAGED
