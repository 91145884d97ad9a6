"""With real processes that build nothing real."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import tests.fakes
from models.engines.builder import NICENESS
from models.engines.cache import BuildPaths, EngineCache
from models.engines.child import BuildRequest, build_in_child
from models.engines.key import EngineKey
from models.engines.profile import Range
from models.errors import BackendError

FAKE = Path(tests.fakes.__file__).parent / "engine_builder.py"
KEY = EngineKey("0" * 64, "fp32", (), "tensorrt 11.4", "RTX", (8, 9), 13)
REQUEST = BuildRequest(Path("toy.onnx"), {"picture": Range((1, 3), (2, 3), (4, 3))}, level=4, tf32=False)


@pytest.fixture
def paths(tmp_path):
    return BuildPaths(tmp_path / "plan", tmp_path / "timing")


def build(how, paths, progress=lambda now: None, stop=None, limit_s=60.0):
    command = (sys.executable, str(FAKE), how)
    build_in_child(REQUEST, paths, progress, stop or threading.Event(), limit_s=limit_s, command=command)


def test_the_child_is_told_what_to_build_and_tells_how_far_it_is(paths):
    seen = []
    build("well", paths, seen.append)
    told = json.loads(paths.plan.read_text("utf-8"))
    assert told["shapes"] == {"picture": [[1, 3], [2, 3], [4, 3]]}
    assert (told["level"], told["tf32"], told["device"]) == (4, False, 0)
    assert Path(told["model"]).is_absolute()
    assert [now.share for now in seen] == [0.25, 0.75]


def test_what_the_child_refuses_is_told_in_its_words(paths):
    with pytest.raises(BackendError, match="TensorRT cannot read it") as caught:
        build("refuses", paths)
    assert caught.value.hint == "use another"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no signals to die of")
def test_a_child_that_is_killed_midway_leaves_no_engine(tmp_path):
    cache = EngineCache(tmp_path)
    with pytest.raises(
        BackendError, match=r"toy\.onnx could not be built: the builder was killed by signal 9"
    ):
        cache.ensure(KEY, lambda paths: build("dies", paths))
    assert cache.read(KEY) is None
    assert [each.name for each in tmp_path.iterdir() if each.suffix != ".lock"] == []
    cache.ensure(KEY, lambda paths: build("well", paths))
    assert cache.read(KEY) is not None


def test_a_child_that_breaks_is_told_with_its_last_line(paths):
    with pytest.raises(BackendError, match="ended with 1: ValueError: of its own"):
        build("raises", paths)


def test_a_child_that_ends_without_a_word(paths):
    with pytest.raises(BackendError, match="the builder ended with 0"):
        build("says nothing", paths)


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.skipif(os.name == "nt", reason="asks for the process by a signal")
def test_a_build_that_takes_too_long_is_killed(paths):
    with pytest.raises(BackendError, match="not built within 3 s"):
        build("hangs", paths, limit_s=3.0)
    assert not alive(int(Path(f"{paths.plan}.pid").read_text("utf-8")))


@pytest.mark.skipif(os.name == "nt", reason="asks for the process by a signal")
def test_a_build_that_is_no_longer_wanted_is_killed(paths):
    stop = threading.Event()

    def progress(now):
        if now.phase == "hanging":
            stop.set()

    with pytest.raises(BackendError, match="was stopped"):
        build("hangs", paths, progress, stop)
    assert not alive(int(Path(f"{paths.plan}.pid").read_text("utf-8")))


def test_the_real_builder_ends_when_its_parent_does():
    child = subprocess.Popen(
        [sys.executable, "-c", "import models.engines.builder as b, sys; b._end_with_parent(sys.stdin)"],
        cwd=Path(__file__).parents[3],
        stdin=subprocess.PIPE,
    )
    assert child.poll() is None
    child.stdin.close()
    assert child.wait(30) == 1


def test_the_real_builder_without_tensorrt_says_so(paths, tmp_path, monkeypatch):
    # A package of that name that does not load, also where the real one is installed.
    (tmp_path / "tensorrt.py").write_text("raise ImportError('libnvinfer.so.11')\n", "utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BackendError, match=r"TensorRT cannot be loaded: libnvinfer\.so\.11"):
        build_in_child(REQUEST, paths, lambda now: None, threading.Event(), limit_s=60)


@pytest.mark.skipif(os.name == "nt", reason="Windows has another measure of it")
def test_the_real_builder_leaves_the_processor_to_others(paths, tmp_path, monkeypatch):
    (tmp_path / "tensorrt.py").write_text("import os\nraise ImportError(f'at {os.nice(0)}')\n", "utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    nicer = min(os.nice(0) + NICENESS, 19)
    with pytest.raises(BackendError, match=f"TensorRT cannot be loaded: at {nicer} "):
        build_in_child(REQUEST, paths, lambda now: None, threading.Event(), limit_s=60)
