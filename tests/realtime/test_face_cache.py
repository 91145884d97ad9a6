import os
import stat
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.source_face import TEXTURE_SIDE, SourceFace
from realtime.face_cache import MOST_ENTRIES, FaceCache, cache_folder, content_key, preparation

KEY = content_key([b"anna"])


def face(tone=7, name="anna"):
    texture = np.full((TEXTURE_SIDE, TEXTURE_SIDE, 3), tone, np.uint8)
    texture[3, 5] = (1, 2, 3)
    return SourceFace(name, texture, np.full((TEXTURE_SIDE, TEXTURE_SIDE), 99, np.uint8), "picture")


@pytest.fixture
def cache(tmp_path):
    return FaceCache(tmp_path / "deep" / "faces", "made 1")


def entry(cache):
    (path,) = cache._folder.iterdir()
    return path


def test_what_is_put_is_got_back_under_another_name(cache):
    cache.put(KEY, face(), ("soft",))
    kept, notes = cache.get(KEY, "ben")
    assert kept.name == "ben"
    assert kept.kind == "picture"
    np.testing.assert_array_equal(kept.texture, face().texture)
    np.testing.assert_array_equal(kept.coverage, face().coverage)
    assert notes == ("soft",)


def test_nothing_is_there_before(cache):
    assert cache.get(KEY, "anna") is None
    assert cache.clear() == 0


def test_a_face_made_in_another_way_is_absent_and_replaced(cache):
    cache.put(KEY, face(), ())
    later = FaceCache(cache._folder, "made 2")
    assert later.get(KEY, "anna") is None
    later.put(KEY, face(9), ())
    assert later.get(KEY, "anna")[0].texture[0, 0, 0] == 9
    assert len(list(cache._folder.iterdir())) == 1


@settings(max_examples=40, deadline=None)
@given(at=st.integers(0, 10**6), noise=st.binary(max_size=12), keep=st.floats(0, 1))
def test_damage_counts_as_absent_or_harmless(tmp_path_factory, at, noise, keep):
    cache = FaceCache(tmp_path_factory.mktemp("cache"), "made 1")
    cache.put(KEY, face(), ())
    path = entry(cache)
    data = bytearray(path.read_bytes())
    at %= len(data)
    data[at : at + len(noise)] = noise
    path.write_bytes(bytes(data[: int(len(data) * keep)]))
    kept = cache.get(KEY, "anna")
    assert kept is None or (kept[0].texture == face().texture).all()
    cache.put(KEY, face(), ())
    assert cache.get(KEY, "anna") is not None


@pytest.mark.parametrize(
    "arrays", [{}, {"texture": np.zeros((4, 4, 3), np.uint8)}, {"about": np.array("[]")}]
)
def test_a_file_of_another_kind_counts_as_absent(cache, arrays):
    cache.put(KEY, face(), ())
    np.savez(entry(cache), **arrays)
    assert cache.get(KEY, "anna") is None


def test_a_face_of_another_size_counts_as_absent(cache):
    small = SourceFace("a", np.zeros((8, 8, 3), np.uint8), np.zeros((8, 8), np.uint8), "picture")
    cache.put(KEY, small, ())
    assert cache.get(KEY, "anna") is None


def test_the_least_used_go_first(cache):
    keys = [content_key([bytes([number])]) for number in range(MOST_ENTRIES + 3)]
    for number, key in enumerate(keys[:MOST_ENTRIES]):
        cache.put(key, face(), ())
        os.utime(cache._folder / f"{key}.npz", (1000 + number, 1000 + number))
    assert cache.get(keys[0], "a") is not None, "it is used now"
    for key in keys[MOST_ENTRIES:]:
        cache.put(key, face(), ())
    left = {path.stem for path in cache._folder.iterdir()}
    assert len(left) == MOST_ENTRIES
    assert keys[0] in left
    assert left.isdisjoint(keys[1:4])


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX's")
def test_faces_are_the_users_alone(cache):
    cache.put(KEY, face(), ())
    assert stat.S_IMODE(cache._folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(entry(cache).stat().st_mode) == 0o600


def test_forget_and_clear(cache):
    other = content_key([b"ben"])
    for key in (KEY, other):
        cache.put(key, face(), ())
    (cache._folder / "left.part").write_bytes(b"")
    cache.forget(KEY)
    cache.forget(KEY)
    assert cache.get(KEY, "a") is None
    assert cache.get(other, "b") is not None
    assert cache.clear() == 1
    assert list(cache._folder.iterdir()) == []


def test_a_folder_that_cannot_be_is_only_logged(tmp_path, caplog):
    (tmp_path / "file").write_text("")
    cache = FaceCache(tmp_path / "file" / "faces", "made 1")
    with caplog.at_level("INFO", "realtime.kept_files"):
        cache.put(KEY, face(), ())
    assert "not kept" in caplog.text
    assert cache.get(KEY, "a") is None


def test_keys_tell_contents_and_not_their_borders():
    keys = {content_key(parts) for parts in ([b"ab"], [b"a", b"b"], [b"b", b"a"], [b"ab", b""], [])}
    assert len(keys) == 5


def test_the_preparation_tells_models_and_is_steady():
    assert preparation(["a"]) == preparation(["a"])
    assert len({preparation(["a"]), preparation(["b"]), preparation(["a", "b"])}) == 3


def test_the_folder_can_be_chosen(tmp_path):
    assert tmp_path in cache_folder({"REALTIME_FACES": str(tmp_path)}).parents
    assert cache_folder({}).is_absolute()
