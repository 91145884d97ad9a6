"""The child's steps, on stand-ins of TensorRT; test_child.py has the process round it."""

import io
import json
import sys

import pytest

from models.engines import builder
from models.engines.cache import BuildPaths
from models.engines.child import BuildRequest
from models.engines.profile import Range
from models.errors import BackendError
from tests.fakes.cudart import FakeCudart
from tests.fakes.onnx_file import negating_network
from tests.fakes.tensorrt import FakeTensorRT


@pytest.fixture
def trt():
    return FakeTensorRT(FakeCudart())


@pytest.fixture
def paths(tmp_path):
    return BuildPaths(tmp_path / "plan", tmp_path / "timing")


@pytest.fixture
def request_line(tmp_path, paths):
    """Make a request line of a negating network."""

    def make(**options):
        model = tmp_path / "toy.onnx"
        model.write_bytes(negating_network(("batch", 3)))
        return BuildRequest(model, {"picture": Range((1, 3), (2, 3), (4, 3))}, **options).line(paths)

    return make


def test_a_plan_is_built_as_the_file_is_typed(trt, request_line, paths):
    seen = []
    builder.build(json.loads(request_line(tf32=False, workspace_bytes=5)), trt.module, seen.append)
    assert trt.cudart.calls == [("create_network", 1 << 1)], "strongly typed: 10 needs it said"
    plan = json.loads(paths.plan.read_bytes())
    assert plan["profiles"] == [{"picture": [[1, 3], [2, 3], [4, 3]]}]
    assert plan["settings"] == {"workspace": 5, "tf32": False}
    assert [now.share for now in seen] == sorted(now.share for now in seen)
    assert seen[-1].share == 1.0


def test_without_the_flag_that_11_may_drop(trt, request_line):
    del trt.module.NetworkDefinitionCreationFlag.STRONGLY_TYPED
    builder.build(json.loads(request_line()), trt.module, lambda now: None)
    assert trt.cudart.calls == [("create_network", 0)]


@pytest.mark.parametrize(("before", "taken"), [(None, b""), (b"old", b"old"), (b"of another version", b"")])
def test_timings_of_earlier_builds_are_taken_where_they_fit(trt, request_line, paths, before, taken):
    if before is not None:
        paths.timing.write_bytes(before)
    builder.build(json.loads(request_line()), trt.module, lambda now: None)
    assert trt.timings_given == [taken]
    assert paths.timing.read_bytes() == taken + b"+"


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        ("runtime", "finds no GPU"),
        ("parse", r"cannot read toy\.onnx: In node 0: UNSUPPORTED_NODE"),
        ("build", "could not build an engine"),
    ],
)
def test_what_tensorrt_refuses(trt, request_line, paths, broken, told):
    trt.broken.add(broken)
    with pytest.raises(BackendError, match=told):
        builder.build(json.loads(request_line()), trt.module, lambda now: None)
    assert not paths.plan.exists()


@pytest.mark.parametrize(("broken", "last"), [(set(), {"done": True}), ({"build"}, "could not build")])
def test_the_last_line_says_how_it_ended(trt, request_line, monkeypatch, broken, last):
    monkeypatch.setitem(sys.modules, "tensorrt", trt.module)
    monkeypatch.setattr(builder, "_end_with_parent", lambda requests: None)
    trt.broken = broken
    answers = io.StringIO()
    assert builder.main(io.StringIO(request_line() + "\n"), answers) == 0
    words = [json.loads(line) for line in answers.getvalue().splitlines()]
    assert words[0] == {"share": 0.0, "phase": "Building Engine"}
    assert words[-1] == last if isinstance(last, dict) else last in words[-1]["error"]


def test_a_full_disk_is_told(trt, request_line, paths, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorrt", trt.module)
    monkeypatch.setattr(builder, "_end_with_parent", lambda requests: None)
    line = request_line()
    paths.plan.mkdir()
    answers = io.StringIO()
    builder.main(io.StringIO(line), answers)
    assert "cannot be written" in json.loads(answers.getvalue().splitlines()[-1])["error"]
