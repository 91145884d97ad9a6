import os

import pytest

from models import verified
from models.verified import SETTLED_NS, VERIFIED_FILE, digest, known_digest

LATER_NS = 2**62


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(b"weights")
    return path


@pytest.fixture
def reads(monkeypatch):
    """How often a file was hashed."""
    hashed = []

    def counted(path):
        hashed.append(path)
        return digest(path)

    monkeypatch.setattr(verified, "digest", counted)
    return hashed


def later():
    return LATER_NS


def test_an_unchanged_file_is_read_once(file, reads):
    assert known_digest(file, later) == known_digest(file, later) == digest(file)
    assert len(reads) == 1


def test_a_file_of_the_same_size_and_time_but_another_content_is_read(file, reads):
    known_digest(file, later)
    before = file.stat()
    other = file.with_name("other")
    other.write_bytes(b"WEIGHTS")
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    os.replace(other, file)
    assert file.stat().st_mtime_ns == before.st_mtime_ns
    assert known_digest(file, later) == digest(file)
    assert len(reads) == 2


def test_a_file_written_in_place_is_read(file, reads):
    known_digest(file, later)
    before = file.stat()
    file.write_bytes(b"WEIGHTS")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    assert known_digest(file, later) == digest(file)
    assert len(reads) == 2


def test_a_file_that_has_just_changed_is_not_remembered(file, reads):
    def now():
        return file.stat().st_ctime_ns + SETTLED_NS

    known_digest(file, now)
    assert not (file.parent / VERIFIED_FILE).exists()
    known_digest(file, now)
    assert len(reads) == 2


@pytest.mark.parametrize(
    "record", [b"", b"[1]", b'{"model.onnx": 3}', b'{"model.onnx": [["x"], "y"]}', b"\xff"]
)
def test_a_damaged_record_is_made_anew(file, reads, record):
    (file.parent / VERIFIED_FILE).write_bytes(record)
    known_digest(file, later)
    assert known_digest(file, later) == digest(file)
    assert len(reads) == 1


def test_other_files_are_remembered_too_until_they_go(file, reads):
    second = file.with_name("second.onnx")
    second.write_bytes(b"more")
    for path in (file, second, file, second):
        known_digest(path, later)
    assert len(reads) == 2
    second.unlink()
    file.write_bytes(b"other")
    known_digest(file, later)
    assert "second" not in (file.parent / VERIFIED_FILE).read_text()


def test_a_record_that_cannot_be_written_is_no_fault(file, reads, monkeypatch):
    def refuse(*args, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("models.verified.tempfile.mkstemp", refuse)
    assert known_digest(file, later) == digest(file)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        known_digest(tmp_path / "nothing.onnx")
