from pathlib import Path

import numpy as np
import pytest

from models.engines.cache import EngineMissingError
from models.errors import BackendError, ModelError
from models.runtime import choice
from models.runtime.base import InputSpec, Normalisation
from models.runtime.choice import ORDER, Outcome, absence, forget, may_take_minutes, open_best, outcome
from models.runtime.place import Place, parse_place
from models.runtime.registry import open_session
from tests.fakes.onnx_file import negating_network
from tests.fakes.session import ConstantSession

GOOD, BAD = np.ones(3, np.float32), np.array([np.nan], np.float32)


class Machine:
    """Backends that are there, each answering with a session or an error."""

    def __init__(self):
        self.there = {str(place): GOOD for place in ORDER}
        self.opened: list[str] = []
        self.sessions: list[ConstantSession] = []
        self.unbuilt = False

    def absence(self, place):
        return "" if str(place) in self.there else f"{place} is not installed"

    def open_built(self, opening, device):
        if self.unbuilt:
            self.opened.append("tensorrt unbuilt")
            raise EngineMissingError("there is no engine", "build it")
        return self.open_session(
            opening.path, "tensorrt", device=device, picture=None, picture_out=None, threads=None, depth=1
        )

    def open_session(self, path, backend, *, device, picture, picture_out, threads, depth):
        place = f"{backend}/{device}"
        self.opened.append(place)
        answer = self.there[place]
        if isinstance(answer, Exception):
            raise answer
        self.sessions.append(ConstantSession({"out": answer}, inputs={"picture": (1, 2, 2, 3)}))
        return self.sessions[-1]


@pytest.fixture
def machine(monkeypatch):
    machine = Machine()
    monkeypatch.setattr(choice, "absence", machine.absence)
    monkeypatch.setattr(choice, "open_session", machine.open_session)
    monkeypatch.setattr(choice, "open_built", machine.open_built)
    forget()
    yield machine
    forget()


@pytest.fixture
def network(tmp_path):
    path = tmp_path / "toy.onnx"
    path.write_bytes(negating_network((1, 4)))
    return path


def test_the_best_that_is_there_is_taken_and_nothing_is_said_of_what_is_not(machine, network, caplog):
    del machine.there["tensorrt/GPU"], machine.there["onnx/CUDA"]
    open_best(network)
    assert machine.opened == ["openvino/GPU"]
    assert outcome(network) == Outcome(Place("openvino", "GPU"))
    assert not caplog.records


@pytest.mark.parametrize(
    "failure",
    [
        BackendError("the driver is too old", "update it"),
        ModelError("an operator is unknown", "export it anew"),
        RuntimeError("the driver is too old"),
        OSError("libcuda is missing"),
    ],
)
def test_one_that_fails_is_passed_over_aloud(machine, network, caplog, failure):
    machine.there["tensorrt/GPU"] = failure
    open_best(network)
    assert machine.opened == ["tensorrt/GPU", "onnx/CUDA"]
    found = outcome(network)
    assert found.place == Place("onnx", "CUDA")
    (reason,) = found.passed_over
    assert reason.startswith("not tensorrt/GPU: ")
    assert getattr(failure, "message", str(failure)) in reason
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert reason in caplog.text


def test_one_that_loads_but_computes_no_numbers_is_passed_over_and_closed(machine, network):
    machine.there["tensorrt/GPU"] = BAD
    session = open_best(network)
    assert [opened.closed for opened in machine.sessions] == [1, 0]
    assert session is machine.sessions[1]
    assert "no numbers" in outcome(network).passed_over[0]


def test_the_proof_is_made_once_a_process(machine, network):
    machine.there["tensorrt/GPU"] = BackendError("no", "no")
    open_best(network)
    machine.opened.clear()
    session = open_best(network)
    assert machine.opened == ["onnx/CUDA"]
    assert session.fed == []


def test_a_place_that_worked_and_does_no_more_is_left_aloud(machine, network, caplog):
    open_best(network)
    machine.there["tensorrt/GPU"] = BackendError("the device is gone", "plug it in")
    open_best(network)
    assert outcome(network).place == Place("onnx", "CUDA")
    assert "no longer runs on tensorrt/GPU: the device is gone" in caplog.text


def test_a_kind_of_device_narrows_the_choice(machine, network):
    open_best(network, "CPU")
    assert machine.opened == ["openvino/CPU"]
    machine.opened.clear()
    del machine.there["tensorrt/GPU"]
    open_best(network, "gpu")
    assert machine.opened == ["onnx/CUDA"]


def test_nothing_of_that_kind_says_what_is_missing(machine, network):
    for place in ("tensorrt/GPU", "onnx/CUDA", "openvino/GPU"):
        del machine.there[place]
    with pytest.raises(BackendError, match="tensorrt/GPU is not installed, onnx/CUDA is not installed"):
        open_best(network, "GPU")
    with pytest.raises(BackendError, match="no such kind"):
        open_best(network, "TPU")


def test_when_all_fail_the_last_error_is_raised(machine, network):
    for place in machine.there:
        machine.there[place] = BackendError(f"{place} failed", "no")
    with pytest.raises(BackendError, match="onnx/CPU failed"):
        open_best(network)
    assert outcome(network) is None


@pytest.mark.parametrize("content", [None, b"", b"<html>404</html>"])
def test_a_damaged_file_is_told_before_any_backend_is_tried(machine, tmp_path, content):
    path = tmp_path / "toy.onnx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError):
        open_best(path)
    assert machine.opened == []


def test_a_backend_named_by_hand_never_falls_back(machine, network, monkeypatch):
    with pytest.raises(BackendError):
        open_session(network, "tensorrt")
    with pytest.raises(BackendError):
        open_session(network, "onnx", device="CANN")
    assert machine.opened == []


def test_auto_runs_a_real_network_here(tmp_path):
    forget()
    path = tmp_path / "toy.onnx"
    path.write_bytes(negating_network((1, 6, 5, 3)))
    session = open_session(path, "auto", device="CPU", picture=InputSpec(6, 5, "nhwc", Normalisation(0, 1)))
    assert (session.run({"picture": np.ones((1, 6, 5, 3), np.uint8)})["negated"] == -1).all()
    assert outcome(path, "CPU").place == Place("openvino", "CPU")
    session.close()


def test_a_package_that_is_not_installed_is_absent(monkeypatch):
    monkeypatch.setattr(choice, "installed", lambda backend: False)
    assert all(absence(place) for place in ORDER)


def test_a_build_without_cuda_is_told_without_importing_it(monkeypatch, tmp_path):
    class Spec:
        origin = str(tmp_path / "onnxruntime" / "__init__.py")

    monkeypatch.setattr(choice, "installed", lambda backend: True)
    monkeypatch.setattr(choice.importlib.util, "find_spec", lambda name: Spec)
    assert "no CUDA" in absence(Place("onnx", "CUDA"))
    library = tmp_path / "onnxruntime" / "capi" / "libonnxruntime_providers_cuda.so"
    library.parent.mkdir(parents=True)
    library.touch()
    assert absence(Place("onnx", "CUDA")) == ""


def test_outcomes_are_of_the_file_and_not_of_its_name(machine, network, tmp_path):
    open_best(network)
    assert outcome(Path(tmp_path / "other" / "toy.onnx")) is None
    assert outcome(network, "CPU") is None


def test_an_engine_is_waited_for_where_nothing_else_runs_the_network(machine, network, caplog):
    machine.unbuilt = True
    del machine.there["openvino/GPU"]
    machine.there["onnx/CUDA"] = BackendError("the driver is too old", "update it")
    session = open_best(network, "GPU")
    assert machine.opened == ["tensorrt unbuilt", "onnx/CUDA", "tensorrt/GPU"]
    assert session is machine.sessions[-1]
    assert outcome(network, "GPU") == Outcome(Place("tensorrt", "GPU"))
    assert "waiting for its TensorRT engine" in caplog.text


def test_an_engine_that_was_deleted_is_built_in_the_background_again(machine, network, monkeypatch):
    open_best(network)
    assert outcome(network).place.backend == "tensorrt"
    machine.unbuilt = True
    served = []
    monkeypatch.setattr(choice, "serve_meanwhile", lambda *what: served.append(what) or what[2])
    assert open_best(network) is machine.sessions[-1]
    assert machine.opened[-2:] == ["tensorrt unbuilt", "onnx/CUDA"]
    assert len(served) == 1


def test_a_file_that_tensorrt_does_not_read_is_not_looked_for_in_the_cache(machine, tmp_path, monkeypatch):
    path = tmp_path / "toy.tflite"
    path.write_bytes(b"any")
    monkeypatch.setattr(choice, "check_container", lambda path: None)
    machine.unbuilt = True
    open_best(path)
    assert machine.opened == ["tensorrt/GPU"], "the registry is asked, and refuses"


@pytest.mark.parametrize(
    ("name", "minutes"),
    [
        ("tensorrt", True),
        ("onnx/TENSORRT:1?trt_fp16_enable=1", True),
        ("tensorrt-rtx", True),
        ("cuda", False),
        ("onnx", False),
        ("openvino/GPU", False),
        ("no such", False),
    ],
)
def test_places_that_build_first(name, minutes):
    assert may_take_minutes(parse_place(name)) is minutes


def test_auto_waits_only_where_it_is_tensorrt_or_nothing(machine):
    assert not may_take_minutes(Place("auto"))
    assert not may_take_minutes(Place("auto", "GPU"))
    for place in ("onnx/CUDA", "openvino/GPU"):
        del machine.there[place]
    assert may_take_minutes(Place("auto", "GPU"))
    assert not may_take_minutes(Place("auto"))
    del machine.there["tensorrt/GPU"]
    assert not may_take_minutes(Place("auto", "GPU"))
