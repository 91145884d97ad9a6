from pathlib import Path

import pytest

from models.errors import BackendError
from models.fetch import cache_folder
from models.occlusion import WEIGHTS
from models.runtime.choice import Outcome, forget
from models.runtime.outcome import asked, settle
from models.runtime.place import Place
from realtime.assembly import backends, build_pipeline
from realtime.clock import MonotonicClock
from realtime.config_layers import Layers, load
from realtime.pipeline import PipelineFigures


def config(**flags):
    return load(Layers(flags={key.replace("__", "."): value for key, value in flags.items()}))


@pytest.fixture(autouse=True)
def _unproven():
    forget()
    yield
    forget()


def test_by_default_every_network_is_on_openvinos_cpu():
    assert backends(config()) == {
        "detect": "openvino/CPU/fp32",
        "landmarks": "openvino/CPU/fp32",
        "swap": "mesh/CPU/uint8",
        "mask": "openvino/CPU/int8",
    }


def test_a_role_is_placed_on_its_own():
    found = backends(config(pipeline__backend="cuda", backend__landmarks="openvino", backend__mask="onnx"))
    assert found["detect"] == "onnx/CUDA/fp32"
    assert found["landmarks"] == "openvino/CPU/fp32"
    assert found["mask"] == "onnx/CPU/int8"


def test_a_role_without_its_own_backend_takes_backend_and_device_together():
    found = backends(config(pipeline__device="GPU", backend__mask="openvino/NPU"))
    assert found["detect"] == "openvino/GPU/fp32"
    assert found["mask"] == "openvino/NPU/int8"


def test_what_auto_passed_over_is_in_the_report():
    wanted = config(pipeline__backend="auto")
    assert backends(wanted)["mask"] == "auto/int8"
    reason = "not onnx/CUDA: the driver is too old"
    settle(asked(WEIGHTS, ""), Outcome(Place("openvino", "CPU"), (reason,)))
    landmarks = cache_folder() / "facemesh_468.tflite"
    settle(asked(landmarks, ""), Outcome(Place("openvino", "GPU")))
    found = backends(wanted)
    assert found["mask"] == f"openvino/CPU/int8 ({reason})"
    assert found["landmarks"] == "openvino/GPU/fp32"
    assert backends(config(pipeline__backend="auto", pipeline__device="CPU"))["mask"] == "auto/CPU/int8"


def test_auto_is_reported_as_what_it_took(default_models, monkeypatch):
    monkeypatch.setenv("REALTIME_MODELS", str(default_models))
    wanted = config(pipeline__backend="auto", pipeline__device="CPU", backend__mask="onnx")
    build_pipeline(wanted, default_models, MonotonicClock(), PipelineFigures())
    found = backends(wanted)
    assert found["landmarks"] == found["detect"] == "openvino/CPU/fp32"
    assert found["mask"] == "onnx/CPU/int8"


def test_a_backend_named_by_hand_is_that_one_or_an_error(default_models):
    for flags in ({"pipeline__backend": "tensorrt"}, {"backend__mask": "onnx/CANN"}):
        with pytest.raises(BackendError):
            build_pipeline(config(**flags), default_models, MonotonicClock(), PipelineFigures())


def test_a_backend_for_what_runs_no_network_is_told(default_models, caplog):
    wanted = config(backend__swap="tensorrt")
    build_pipeline(wanted, default_models, MonotonicClock(), PipelineFigures())
    assert "backend.swap has no effect: mesh runs no network" in caplog.text


def test_a_precision_for_what_runs_no_network_is_told(default_models, caplog):
    wanted = config(pipeline__precision="int8")
    build_pipeline(wanted, default_models, MonotonicClock(), PipelineFigures())
    assert "--precision int8 has no effect: mesh runs no network" in caplog.text


def test_an_unknown_backend_is_reported_as_written_and_refused_when_it_is_opened():
    wanted = config(pipeline__backend="opnvino")
    assert backends(wanted)["detect"] == "opnvino/fp32"
    with pytest.raises(BackendError, match="'opnvino'"):
        build_pipeline(wanted, Path("nowhere"), MonotonicClock(), PipelineFigures())
