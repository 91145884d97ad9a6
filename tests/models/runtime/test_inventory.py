import pytest

from models.errors import BackendError
from models.runtime import inventory
from models.runtime.inventory import State, survey
from models.runtime.providers import PROVIDERS


def standings():
    return {str(standing.place): standing for standing in survey()}


def test_every_backend_and_device_is_named_and_what_is_missing_has_its_cure():
    found = standings()
    assert found["openvino/CPU"].state is State.WORKS
    assert found["onnx/CPU"].state is State.WORKS
    assert {"openvino/GPU", "openvino/NPU", "tensorrt/GPU"} <= {name.partition(".")[0] for name in found}
    assert {f"onnx/{name.upper()}" for name in PROVIDERS} <= set(found)
    for standing in found.values():
        assert standing.about
        assert bool(standing.cure) == (standing.state in (State.FAILS, State.ABSENT))


@pytest.mark.parametrize("failure", [BackendError("no driver", "install it"), ValueError("odd")])
def test_what_is_installed_but_fails_is_not_said_to_work(monkeypatch, failure):
    def refuse(*_, **__):
        raise failure

    monkeypatch.setattr(inventory, "open_session", refuse)
    found = standings()
    assert found["openvino/CPU"].state is found["onnx/CPU"].state is State.FAILS
    assert getattr(failure, "message", "ValueError: odd") == found["onnx/CPU"].about


def test_what_runs_but_computes_nonsense_is_not_said_to_work(monkeypatch):
    def refuse(session, name):
        raise BackendError(f"{name} computes no numbers", "use another")

    monkeypatch.setattr(inventory, "prove", refuse)
    assert standings()["onnx/CPU"].state is State.FAILS


def test_without_any_backend_there_is_still_a_list(monkeypatch):
    monkeypatch.setattr(inventory, "installed", lambda backend: False)
    assert [standing.state for standing in survey()] == [State.ABSENT] * 3
