import os
import subprocess
import sys
from pathlib import Path

import pytest

from models.engines.in_use import InUse, delete_unused

HOLD = (
    "import sys; from pathlib import Path; from models.engines.in_use import InUse; "
    "held = InUse(Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"
)


@pytest.fixture
def engine(tmp_path):
    path = tmp_path / "a.engine"
    path.write_bytes(b"plan")
    return path


def test_what_nobody_uses_is_deleted(engine):
    assert delete_unused(engine)
    assert not engine.exists()
    assert delete_unused(engine), "it is gone"


def test_what_is_used_stays_until_the_last_one_lets_go(engine):
    first, second = InUse(engine), InUse(engine)
    assert not delete_unused(engine)
    first.close()
    first.close()
    assert not delete_unused(engine)
    assert engine.read_bytes() == b"plan"
    second.close()
    assert delete_unused(engine)


def test_what_another_process_uses_stays_until_it_ends(engine):
    user = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(engine)],
        cwd=Path(__file__).parents[3],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert user.stdout.readline().strip() == b"held"
        assert not delete_unused(engine)
        assert engine.exists()
    finally:
        user.kill()
        user.wait(30)
        user.stdin.close()
        user.stdout.close()
    assert delete_unused(engine)


def test_a_file_that_is_not_there_can_be_claimed(tmp_path):
    InUse(tmp_path / "none").close()


@pytest.mark.skipif(os.name == "nt", reason="Windows needs no locks for this")
def test_where_there_are_no_locks_nothing_is_deleted(engine, monkeypatch):
    import fcntl

    def refused(*_):
        raise OSError(95, "not supported")

    monkeypatch.setattr(fcntl, "flock", refused)
    claimed = InUse(engine)
    assert not delete_unused(engine)
    claimed.close()
    assert engine.exists()
