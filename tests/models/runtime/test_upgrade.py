"""With a real process that builds for the stand-in of TensorRT, while OpenVINO serves."""

import os
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import tests.fakes
from models.engines import child
from models.engines.cache import EngineCache
from models.errors import BackendError
from models.runtime import choice, upgrade
from models.runtime.choice import Outcome, forget, outcome
from models.runtime.outcome import asked, claimed
from models.runtime.place import Place
from models.runtime.registry import open_session
from tests.fakes.cuda_library import pretend_library
from tests.fakes.cudart import FakeCudart
from tests.fakes.onnx_file import negating_network
from tests.fakes.tensorrt import FakeTensorRT, pretend_tensorrt

FAKE = Path(tests.fakes.__file__).parent / "engine_builder.py"
WAIT_S = 60
CPU, TENSORRT = Place("openvino", "CPU"), Place("tensorrt", "GPU")
FED = np.arange(6, dtype=np.float32).reshape(2, 3)


class Workshop:
    """A machine with TensorRT and OpenVINO's CPU, whose builds wait to be let go."""

    def __init__(self, path):
        self.path = path
        self.how = "negates"
        self.graphs = True
        self.halfway = threading.Event()
        """The builder has said that it is at 40 %."""

    def build(self, request, paths, progress, stop):
        def watched(now):
            progress(now)
            if now.share == 0.4:
                self.halfway.set()

        command = (sys.executable, str(FAKE), self.how)
        child.build_in_child(request, paths, watched, stop, limit_s=WAIT_S, command=command)

    def let_go(self):
        Path(f"{self.path}.go").touch()

    def open(self):
        return open_session(self.path, "auto")

    @property
    def said(self):
        return str(outcome(self.path))

    @property
    def pid(self):
        return int(Path(f"{self.path}.pid").read_text("utf-8"))


@pytest.fixture
def trt(monkeypatch):
    cudart = FakeCudart()
    pretend_library("cuda-bindings", cudart, monkeypatch)
    trt = FakeTensorRT(cudart)
    pretend_tensorrt(trt, monkeypatch)
    yield trt
    assert cudart.problems == []
    assert cudart.device_memory == {}


@pytest.fixture
def workshop(trt, tmp_path, monkeypatch):
    path = tmp_path / "toy.onnx"
    path.write_bytes(negating_network((2, 3)))
    shop = Workshop(path)
    monkeypatch.setenv("REALTIME_CACHE", str(tmp_path / "kept"))
    monkeypatch.setattr(choice, "absence", lambda place: "" if place in (TENSORRT, CPU) else "not here")

    def open_building(opening, device, progress, stop):
        from models.runtime.tensorrt import TensorRTSession

        return TensorRTSession(
            opening.path, device=device, graphs=shop.graphs, progress=progress, stop=stop, build=shop.build
        )

    monkeypatch.setattr(upgrade, "open_building", open_building)
    forget()
    yield shop
    forget()


def finished(session):
    session._thread.join(WAIT_S)
    return not session.upgrading


def negates(session):
    return np.array_equal(session.run({"picture": FED})["negated"], -FED)


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_frames_are_served_while_the_engine_is_built_and_the_outcome_tells_it_all(workshop, trt, caplog):
    caplog.set_level("INFO")
    session = workshop.open()
    assert outcome(workshop.path).place == CPU
    assert negates(session)
    assert workshop.halfway.wait(WAIT_S)
    assert workshop.said == "openvino/CPU (building a TensorRT engine: 40 %)"
    assert negates(session)
    assert "toy.onnx runs on openvino/CPU until its TensorRT engine is built" in caplog.text
    assert "building the TensorRT engine of toy.onnx: 40 % (Tactics)" in caplog.text
    workshop.let_go()
    assert finished(session)
    assert outcome(workshop.path).place == CPU, "until a frame has gone through"
    assert negates(session)
    assert outcome(workshop.path) == Outcome(TENSORRT)
    assert not claimed(asked(workshop.path, ""))
    assert "toy.onnx on tensorrt/GPU takes over from toy.onnx on openvino/CPU" in caplog.text
    before = len(trt.cudart.calls)
    assert negates(session)
    assert len(trt.cudart.calls) > before, "on the GPU"
    session.close()


def test_an_engine_of_the_cache_is_taken_at_once(workshop):
    first = workshop.open()
    workshop.let_go()
    assert finished(first)
    assert negates(first)
    first.close()
    forget()
    second = workshop.open()
    assert type(second).__name__ == "TensorRTSession"
    assert outcome(workshop.path) == Outcome(TENSORRT)
    assert negates(second)
    second.close()


def test_an_engine_that_tensorrt_no_longer_takes_is_built_in_the_background(workshop, tmp_path):
    first = workshop.open()
    workshop.let_go()
    assert finished(first)
    first.close()
    cache = EngineCache()
    (engine,) = (cache.path(key) for key in [_key(workshop.path)])
    engine.unlink()
    cache.ensure(_key(workshop.path), lambda paths: _write(paths.plan, b"of another driver"))
    forget()
    second = workshop.open()
    assert outcome(workshop.path).place == CPU
    assert finished(second)
    assert negates(second)
    assert outcome(workshop.path) == Outcome(TENSORRT)
    second.close()


@pytest.mark.skipif(os.name == "nt", reason="asks for the process by a signal")
def test_closing_ends_the_build_and_its_process(workshop, caplog):
    session = workshop.open()
    assert workshop.halfway.wait(WAIT_S)
    assert alive(workshop.pid)
    session.close()
    assert not alive(workshop.pid)
    assert "going on with" not in caplog.text
    kept = [path.name for path in EngineCache().path(_key(workshop.path)).parent.iterdir()]
    assert not any(name.startswith(".building-") or name.endswith(".engine") for name in kept)


def test_a_build_that_fails_is_said_and_not_tried_again(workshop, caplog):
    workshop.how = "refuses"
    session = workshop.open()
    assert finished(session)
    assert outcome(workshop.path) == Outcome(CPU, ("not tensorrt/GPU: TensorRT cannot read it",))
    warning = "going on with toy.onnx on openvino/CPU, not toy.onnx on tensorrt/GPU: TensorRT cannot read it"
    assert warning in caplog.text
    assert negates(session)
    session.close()
    again = workshop.open()
    assert type(again).__name__ == "OpenVinoSession"
    again.close()


def test_an_engine_that_computes_no_numbers_does_not_take_over(workshop, trt, monkeypatch):
    def prove(session, name):
        raise BackendError(f"{name} computes 3 values that are no numbers", "hint")

    monkeypatch.setattr(upgrade, "prove", prove)
    session = workshop.open()
    workshop.let_go()
    assert finished(session)
    (reason,) = outcome(workshop.path).passed_over
    assert reason == "not tensorrt/GPU: toy.onnx on tensorrt/GPU computes 3 values that are no numbers"
    assert negates(session)
    assert outcome(workshop.path).place == CPU
    session.close()


def test_one_that_fails_at_its_first_frame_does_not_take_over(workshop, trt):
    workshop.graphs = False
    session = workshop.open()
    workshop.let_go()
    assert finished(session)
    trt.broken.add("enqueue")
    assert negates(session), "the frame is not lost"
    assert outcome(workshop.path).place == CPU
    assert outcome(workshop.path).passed_over[0].startswith("not tensorrt/GPU: TensorRT failed at enqueueing")
    session.close()


def test_what_else_was_passed_over_is_told_too(workshop, monkeypatch, caplog):
    monkeypatch.setattr(choice, "absence", lambda place: "")
    real = choice.open_session

    def only_the_cpu(path, backend, *, device, **options):
        if (backend, device) != ("openvino", "CPU"):
            raise BackendError("the driver is too old", "update it")
        return real(path, backend, device=device, **options)

    monkeypatch.setattr(choice, "open_session", only_the_cpu)
    session = workshop.open()
    assert workshop.halfway.wait(WAIT_S)
    assert outcome(workshop.path).passed_over == (
        "building a TensorRT engine: 40 %",
        "not onnx/CUDA: the driver is too old",
        "not openvino/GPU: the driver is too old",
    )
    assert "WARNING" in {record.levelname for record in caplog.records}
    workshop.let_go()
    assert finished(session)
    assert negates(session)
    assert outcome(workshop.path) == Outcome(TENSORRT), "nothing is better"
    session.close()


def test_a_second_session_while_the_first_is_still_there_waits_for_the_same_build(workshop):
    first = workshop.open()
    assert workshop.halfway.wait(WAIT_S)
    second = workshop.open()
    assert outcome(workshop.path).place == CPU
    workshop.let_go()
    assert finished(first)
    assert finished(second)
    assert negates(second)
    assert outcome(workshop.path) == Outcome(TENSORRT)
    assert negates(first)
    for session in (first, second):
        session.close()


def test_what_is_forgotten_is_not_told_by_a_late_build(workshop):
    session = workshop.open()
    forget()
    workshop.let_go()
    assert finished(session)
    assert negates(session)
    assert outcome(workshop.path) is None
    session.close()


def _key(path):
    from models.engines.tensorrt import order

    wanted = order(path, "GPU", None, None)
    wanted.cuda.close()
    return wanted.key


def _write(path, data):
    path.write_bytes(data)
