import errno
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.engines.cache import FORMAT, EngineCache
from models.engines.key import EngineKey, timing_name
from models.errors import BackendError

KEY = EngineKey("0" * 64, "fp32", (), "tensorrt 11.4", "RTX", (8, 9), 13)
OTHER = EngineKey("1" * 64, "fp32", (), "tensorrt 11.4", "RTX", (8, 9), 13)
PLAN = bytes(range(256)) * 4


class Builder:
    """Writes `plan` and counts how often it was asked."""

    def __init__(self, plan=PLAN):
        self.plan = plan
        self.built = 0
        self.given_timing = None

    def __call__(self, paths):
        self.built += 1
        self.given_timing = paths.timing.read_bytes() if paths.timing.exists() else None
        paths.timing.write_bytes(f"timings {self.built}".encode())
        if self.plan is not None:
            paths.plan.write_bytes(self.plan)


@pytest.fixture
def cache(tmp_path):
    return EngineCache(tmp_path / "engines")


def kept(cache):
    """The names of what lies in the folder, less locks."""
    folder = cache.path(KEY).parent
    return sorted(each.name for each in folder.iterdir() if each.suffix != ".lock")


def test_built_once_then_read(cache):
    builder = Builder()
    assert cache.read(KEY) is None
    assert cache.ensure(KEY, builder) == cache.ensure(KEY, builder) == cache.read(KEY) == PLAN
    assert builder.built == 1
    assert kept(cache) == sorted([f"{KEY.name()}.engine", timing_name(KEY)])


def test_timings_are_handed_to_the_next_build_on_the_device(cache):
    builder = Builder()
    cache.ensure(KEY, builder)
    assert builder.given_timing is None
    cache.ensure(OTHER, builder)
    assert builder.given_timing == b"timings 1"


def test_what_was_refused_is_built_again(cache):
    builder = Builder()
    cache.ensure(KEY, builder)
    cache.discard(KEY)
    cache.discard(KEY)
    cache.ensure(KEY, builder)
    assert builder.built == 2


@pytest.mark.parametrize("content", [b"", b"realtime engine 0\n{}\n", PLAN, FORMAT])
def test_a_file_of_another_version_is_replaced(cache, content, caplog):
    builder = Builder()
    cache.ensure(KEY, builder)
    cache.path(KEY).write_bytes(content)
    assert cache.ensure(KEY, builder) == cache.read(KEY) == PLAN
    assert builder.built == 2
    assert "written by another version" in caplog.text


@settings(max_examples=40)
@given(st.data())
def test_a_file_cut_or_changed_anywhere_is_never_taken_for_the_plan(tmp_path_factory, data):
    cache = EngineCache(tmp_path_factory.mktemp("damaged"))
    cache.ensure(KEY, Builder())
    content = bytearray(cache.path(KEY).read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        del content[at:]
    else:
        content[at] ^= data.draw(st.integers(1, 255))
    cache.path(KEY).write_bytes(content)
    assert cache.read(KEY) in (None, PLAN)
    builder = Builder()
    assert cache.ensure(KEY, builder) == PLAN


def test_the_engine_of_another_key_under_this_name_is_not_taken(cache):
    cache.ensure(OTHER, Builder())
    cache.path(OTHER).rename(cache.path(KEY))
    assert cache.read(KEY) is None


@pytest.mark.parametrize("error", [BackendError("no", "hint"), KeyboardInterrupt()])
def test_a_build_that_fails_leaves_nothing(cache, error):
    def build(paths):
        paths.plan.write_bytes(PLAN[:100])
        raise error

    with pytest.raises(type(error)):
        cache.ensure(KEY, build)
    assert kept(cache) == []


def test_a_build_without_a_plan(cache):
    for plan in (None, b""):
        with pytest.raises(BackendError, match="left no plan"):
            cache.ensure(KEY, Builder(plan))
    assert kept(cache) == []


def test_what_a_killed_build_left_is_cleared_away(cache):
    cache.ensure(OTHER, Builder())
    left = cache.path(KEY).parent / f".building-{KEY.name()}-abc"
    left.mkdir()
    (left / "plan").write_bytes(PLAN)
    cache.ensure(KEY, Builder())
    assert not left.exists()


@pytest.mark.parametrize(
    ("number", "told"),
    [(errno.ENOSPC, "no space left"), (errno.EDQUOT, "no space left"), (errno.EROFS, "writ")],
)
def test_a_full_disk(cache, number, told):
    def build(paths):
        raise OSError(number, "it is so", str(paths.plan))

    with pytest.raises(BackendError, match=told) as caught:
        cache.ensure(KEY, build)
    assert "REALTIME_CACHE" in caught.value.hint
    assert kept(cache) == []


def test_a_disk_that_fills_while_the_engine_is_kept_leaves_the_old_state(cache, monkeypatch):
    def full(fd):
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr("models.engines.cache.os.fsync", full)
    with pytest.raises(BackendError, match="no space left"):
        cache.ensure(KEY, Builder())
    assert kept(cache) == []


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(BackendError, match="cannot be written"):
        EngineCache(tmp_path / "file" / "engines").ensure(KEY, Builder())


def test_two_that_build_at_once_build_once(tmp_path):
    entered, go_on = threading.Event(), threading.Event()
    builder = Builder()
    results = []

    def slow(paths):
        entered.set()
        assert go_on.wait(20)
        builder(paths)

    def ensure(build):
        results.append(EngineCache(tmp_path).ensure(KEY, build))

    first = threading.Thread(target=ensure, args=(slow,))
    first.start()
    assert entered.wait(20)
    second = threading.Thread(target=ensure, args=(builder,))
    second.start()
    go_on.set()
    first.join(20)
    second.join(20)
    assert results == [PLAN, PLAN]
    assert builder.built == 1


def test_who_waits_for_another_build_stops_when_told(tmp_path, caplog):
    entered, go_on, stop = threading.Event(), threading.Event(), threading.Event()
    builder = Builder()

    def slow(paths):
        entered.set()
        assert go_on.wait(20)
        builder(paths)

    first = threading.Thread(target=lambda: EngineCache(tmp_path).ensure(KEY, slow))
    first.start()
    assert entered.wait(20)
    stop.set()
    with pytest.raises(BackendError, match="another process"):
        EngineCache(tmp_path).ensure(KEY, builder, stop)
    go_on.set()
    first.join(20)
    assert builder.built == 1


def test_the_folder_is_the_users_unless_the_environment_names_one(tmp_path, monkeypatch):
    monkeypatch.setenv("REALTIME_CACHE", str(tmp_path))
    assert EngineCache().path(KEY).is_relative_to(tmp_path)
    assert Path(EngineCache().path(KEY)).parent.name == "1"
