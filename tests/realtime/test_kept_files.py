import os
import stat
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.kept_files import LARGEST_BYTES, MOST_ENTRIES, KeptFiles


@pytest.fixture
def kept(tmp_path):
    return KeptFiles(tmp_path / "deep" / "kept", "the thing")


def test_what_is_written_is_read_and_written_over(kept):
    assert kept.read("a") is None
    kept.write("a", b"one")
    kept.write("a", b"another")
    assert kept.read("a") == b"another"
    assert [path.name for path in kept._folder.iterdir()] == ["a.npz"]


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=50), at=st.integers(0, 10**6), flip=st.integers(1, 255), keep=st.floats(0, 1))
def test_any_damage_counts_as_absent(tmp_path_factory, data, at, flip, keep):
    kept = KeptFiles(tmp_path_factory.mktemp("kept"), "the thing")
    kept.write("a", data)
    path = kept._folder / "a.npz"
    whole = path.read_bytes()
    path.write_bytes(whole[: int((len(whole) - 1) * keep)])
    assert kept.read("a") is None
    flipped = bytearray(whole)
    flipped[at % len(whole)] ^= flip
    path.write_bytes(bytes(flipped))
    assert kept.read("a") is None
    kept.write("a", data)
    assert kept.read("a") == data


def test_a_file_too_large_to_be_ours_is_not_read(kept):
    kept.write("a", bytes(LARGEST_BYTES - 32))
    assert kept.read("a") is not None
    kept.write("a", bytes(LARGEST_BYTES - 31))
    assert kept.read("a") is None


def test_the_least_used_go_first(kept):
    for number in range(MOST_ENTRIES):
        kept.write(f"{number}", b"x")
        os.utime(kept._folder / f"{number}.npz", (1000 + number, 1000 + number))
    kept.read("0")
    kept.write("new", b"x")
    left = {path.stem for path in kept._folder.iterdir()}
    assert len(left) == MOST_ENTRIES
    assert {"0", "new"} <= left
    assert "1" not in left


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX's")
def test_files_are_the_users_alone(kept):
    kept.write("a", b"x")
    assert stat.S_IMODE(kept._folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((kept._folder / "a.npz").stat().st_mode) == 0o600


def test_forget_and_clear(kept):
    for key in ("a-1", "a-2", "b-1"):
        kept.write(key, b"x")
    (kept._folder / "left.part").write_bytes(b"")
    kept.forget("a-*")
    assert {path.name for path in kept._folder.glob("*.npz")} == {"b-1.npz"}
    assert kept.clear() == 1
    assert list(kept._folder.iterdir()) == []
    assert kept.clear() == 0


def test_a_folder_that_cannot_be_is_only_logged(tmp_path, caplog):
    (tmp_path / "file").write_text("")
    kept = KeptFiles(tmp_path / "file" / "kept", "the thing")
    with caplog.at_level("INFO", "realtime.kept_files"):
        kept.write("a", b"x")
    assert "the thing is not kept" in caplog.text
    assert kept.read("a") is None
    assert kept.clear() == 0
