import os
import threading

import pytest
from filelock import FileLock, Timeout

from models.alone import alone
from models.errors import BackendError, ModelError

DOING = "fetching models into the cellar"


def entered(folder, *, timeout_s=60.0, error=ModelError, now_s=lambda: 1000.0):
    return alone(folder / ".lock", DOING, left=".fetching-*", timeout_s=timeout_s, error=error, now_s=now_s)


def names(folder):
    return sorted(path.name for path in folder.iterdir() if path.name != ".lock")


def test_nobody_else_gets_the_lock_and_then_it_is_free(tmp_path, monkeypatch):
    kept = []  # one that nobody refers to any more gives itself up

    class Kept(FileLock):
        def __init__(self, *args, **options):
            super().__init__(*args, **options)
            kept.append(self)

    monkeypatch.setattr("filelock.FileLock", Kept)
    other = FileLock(tmp_path / ".lock", thread_local=False)
    with entered(tmp_path), pytest.raises(Timeout):
        other.acquire(timeout=0)
    other.acquire(timeout=0)
    other.release()


def test_the_folder_is_made(tmp_path):
    with entered(tmp_path / "a" / "b"):
        assert (tmp_path / "a" / "b").is_dir()


def test_what_a_killed_process_left_is_cleared_away_and_nothing_else(tmp_path):
    for name in (".fetching-1", ".building-2", "kept"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "half").write_bytes(b"half")
    with entered(tmp_path):
        assert (tmp_path / ".lock.holder").exists()
    assert names(tmp_path) == [".building-2", "kept"]


def test_the_lock_is_given_up_after_an_error(tmp_path):
    with pytest.raises(KeyError), entered(tmp_path):
        raise KeyError
    assert names(tmp_path) == []
    with entered(tmp_path, timeout_s=0.0):
        pass


def test_who_waits_is_told_for_whom_and_how_long_already(tmp_path, caplog):
    waiting, done = threading.Event(), threading.Event()
    caplog.handler.addFilter(lambda record: waiting.set() or True)

    def second():
        with entered(tmp_path, now_s=lambda: 1042.0):
            done.set()

    thread = threading.Thread(target=second)
    with entered(tmp_path):
        thread.start()
        assert waiting.wait(60)
        assert not done.is_set()
    thread.join(60)
    assert done.is_set()
    (record,) = caplog.records
    expected = f"waiting for another process ({os.getpid()}) that has been {DOING} for 42 s"
    assert record.getMessage() == expected


@pytest.mark.parametrize(
    ("seconds", "told"), [(42, "for 42 s"), (119, "for 119 s"), (1800, "for 30 minutes"), (-5, "for 0 s")]
)
def test_a_lock_that_is_never_given_up(tmp_path, seconds, told):
    with (
        entered(tmp_path),
        pytest.raises(BackendError, match=rf"another process \({os.getpid()}\) has been {DOING} {told} "),
        entered(tmp_path, timeout_s=0.0, error=BackendError, now_s=lambda: 1000.0 + seconds),
    ):
        pass


@pytest.mark.parametrize("text", ["", "who", "1 2 3"])
def test_a_holder_that_cannot_be_read_is_nobody(tmp_path, text):
    (tmp_path / ".lock.holder").write_text(text)
    with (
        FileLock(tmp_path / ".lock"),
        pytest.raises(ModelError, match=rf"^another process is {DOING} "),
        entered(tmp_path, timeout_s=0.0),
    ):
        pass


def test_a_holder_that_cannot_be_written_does_not_matter(tmp_path):
    (tmp_path / ".lock.holder").mkdir()
    with entered(tmp_path):
        assert (tmp_path / ".lock.holder").is_dir()
