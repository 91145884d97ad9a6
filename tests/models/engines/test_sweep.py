import os
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.engines.cache import WORK_PREFIX, EngineCache
from models.engines.digest import Digests
from models.engines.key import EngineKey, timing_name
from models.engines.profile import Range
from models.engines.sweep import KeptFile, needless, over, sweep
from tests.fakes.onnx_file import negating_network

KEY = EngineKey("a" * 64, "fp32", (), "tensorrt 11.4.0.106", "RTX", (8, 9), 13, (("level", 3),))


def kept(key, name="", size_bytes=10, used_ns=0):
    return KeptFile(Path(name or f"{key.name()}.engine"), size_bytes, used_ns, asdict(key))


@pytest.mark.parametrize(
    ("change", "goes"),
    [
        ({"backend": "tensorrt 11.3.9.999"}, True),
        ({"backend": "tensorrt 10.16.1.11"}, True),
        ({"backend": "tensorrt 9.99"}, True),
        ({"driver_major": 12}, True),
        ({"backend": "tensorrt 11.3.0.0", "model_sha256": "b" * 64}, False),
        ({"backend": "tensorrt 11.3.0.0", "shapes": (("in", Range.fixed((1, 3))),)}, False),
        ({"backend": "tensorrt 11.3.0.0", "precision": "fp16"}, False),
        ({"backend": "tensorrt 11.3.0.0", "device": "GTX"}, False),
        ({"backend": "tensorrt 11.3.0.0", "capability": (9, 0)}, False),
        ({"backend": "tensorrt 11.3.0.0", "options": (("level", 5),)}, False),
        ({"shapes": (("in", Range.fixed((1, 3))),)}, False),
    ],
)
def test_older_than_another_of_the_same(change, goes):
    older = kept(replace(KEY, **change))
    assert set(needless([kept(KEY), older], frozenset())) == ({older.path} if goes else set())
    assert needless([older], frozenset()) == {}, "alone it is the newest"


def test_of_a_model_that_was_replaced():
    other = kept(replace(KEY, model_sha256="b" * 64))
    assert set(needless([kept(KEY), other], {"a" * 64})) == {kept(KEY).path}


def test_damaged_ones_go_and_timings_do_not():
    files = [KeptFile(Path("x.engine"), 1, 0), KeptFile(Path("timing-x"), 1, 0)]
    assert needless(files, frozenset()) == {Path("x.engine"): "it is damaged"}


@given(
    st.lists(st.tuples(st.integers(0, 100), st.integers(0, 5)), max_size=8),
    st.integers(0, 300),
)
def test_what_is_over_is_the_longest_unused(files, limit):
    given_files = [kept(KEY, f"{n}.engine", size, used) for n, (size, used) in enumerate(files)]
    excess, ordered = over(given_files, limit)
    assert excess == max(0, sum(size for size, _ in files) - limit)
    assert [each.used_ns for each in ordered] == sorted(used for _, used in files)
    assert {each.path for each in ordered} == {each.path for each in given_files}


class Folder:
    """A cache whose engines are 1000 bytes and more."""

    def __init__(self, path):
        self.path = path
        self.now_s = 1_000_000

    def cache(self, limit_bytes=1 << 30):
        return EngineCache(self.path, limit_bytes)

    def build(self, key, limit_bytes=1 << 30):
        def write(paths):
            paths.plan.write_bytes(bytes(1000))
            paths.timing.write_bytes(b"timings")

        self.cache(limit_bytes).ensure(key, write)
        return self.used(key)

    def used(self, key):
        """Last used a second after the one before."""
        self.now_s += 1
        os.utime(self.cache().path(key), (self.now_s, self.now_s))
        return key

    def engines(self):
        return {path.name for path in self.path.glob("*.engine")}

    def holds(self, *keys):
        return self.engines() == {f"{key.name()}.engine" for key in keys}


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path / "engines")


def numbered(number):
    return replace(KEY, shapes=(("in", Range.fixed((1, number))),))


def test_a_build_deletes_what_is_over_the_limit_the_longest_unused_first(folder):
    one, two, three = (folder.build(numbered(number)) for number in (1, 2, 3))
    folder.used(one)
    four = folder.build(numbered(4), limit_bytes=4500)
    assert folder.holds(one, three, four)
    assert not folder.cache().path(two).exists()
    assert timing_name(four) in {path.name for path in folder.path.iterdir()}


def test_reading_counts_as_use(folder):
    one, two = folder.build(numbered(1)), folder.build(numbered(2))
    assert folder.cache().read(one) is not None
    assert folder.cache().path(one).stat().st_mtime > folder.cache().path(two).stat().st_mtime
    three = folder.build(numbered(3), limit_bytes=3500)
    assert folder.holds(one, three)


def test_what_was_just_built_stays_whatever_its_size(folder):
    key = folder.build(KEY, limit_bytes=10)
    assert folder.holds(key)
    assert (folder.path / timing_name(key)).exists()


def test_what_is_in_use_stays_and_the_next_one_goes(folder):
    one, _ = folder.build(numbered(1)), folder.build(numbered(2))
    old = folder.build(replace(numbered(3), backend="tensorrt 10.13"))
    claims = [folder.cache().claim(key) for key in (one, old)]
    three = folder.build(numbered(3), limit_bytes=3900)
    assert folder.holds(one, old, three)
    for claim in claims:
        claim.close()


def test_an_older_backends_engine_goes_when_the_newer_one_is_built(folder, caplog):
    caplog.set_level("INFO")
    folder.build(replace(KEY, backend="tensorrt 10.13.0"))
    new = folder.build(KEY)
    assert folder.holds(new)
    assert "it is for tensorrt 10.13.0, and there is a newer one" in caplog.text


def test_going_back_to_an_older_backend_works(folder):
    new, old = folder.build(KEY), folder.build(replace(KEY, backend="tensorrt 10.13.0"))
    assert folder.holds(new, old)


def test_the_engine_of_a_replaced_model_goes(folder, tmp_path):
    model = tmp_path / "toy.onnx"
    model.write_bytes(negating_network((1, 3)))
    record = Digests(folder.path, lambda: 10**30)
    folder.build(replace(KEY, model_sha256=record.of(model)))
    model.write_bytes(negating_network((1, 4)))
    new = folder.build(replace(KEY, model_sha256=record.of(model)))
    assert folder.holds(new)


def test_what_killed_builds_of_other_engines_left_is_cleared_away(folder):
    other = numbered(9)
    folder.build(KEY)
    left = folder.path / f"{WORK_PREFIX}{other.name()}-abc"
    left.mkdir()
    (left / "plan").write_bytes(bytes(10))
    folder.build(numbered(1))
    assert not left.exists()


def test_what_is_being_built_is_not_cleared_away(folder):
    inner = []

    def build(paths):
        paths.plan.write_bytes(b"half")
        inner.append(folder.build(numbered(1)))
        assert paths.plan.exists()

    folder.cache().ensure(KEY, build)
    assert folder.holds(KEY, *inner)


def test_nothing_of_it_is_fatal(folder, monkeypatch, tmp_path):
    sweep(tmp_path / "none", 0, frozenset(), frozenset())
    folder.build(numbered(1))

    def refused(*_, **__):
        raise PermissionError(13, "not yours")

    monkeypatch.setattr(Path, "unlink", refused)
    key = folder.build(KEY, limit_bytes=10)
    assert folder.holds(numbered(1), key)
