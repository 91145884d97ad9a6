import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from models.errors import BackendError, ModelError
from models.runtime.registry import BACKENDS, available, open_session
from tests.fakes.onnx_file import negating_network


@pytest.fixture
def network(tmp_path):
    path = tmp_path / "toy.onnx"
    path.write_bytes(negating_network((1, 4)))
    return path


def test_an_unknown_backend_is_met_with_the_nearest_one(network):
    with pytest.raises(BackendError, match="'openvin'") as caught:
        open_session(network, "openvin")
    assert "openvino" in caught.value.hint
    with pytest.raises(BackendError) as caught:
        open_session(network, "zzz")
    assert all(name in caught.value.hint for name in BACKENDS)


def test_a_backend_that_is_not_installed_says_what_to_install(network, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert available() == ()
    with pytest.raises(BackendError, match="onnxruntime, which is not installed") as caught:
        open_session(network, "onnx")
    assert "realtime-face[cpu]" in caught.value.hint


def test_a_file_of_another_kind_names_the_backend_that_reads_it(tmp_path):
    with pytest.raises(BackendError, match=r"cannot read toy\.tflite") as caught:
        open_session(tmp_path / "toy.tflite", "onnx")
    assert "openvino" in caught.value.hint


@pytest.mark.parametrize("backend", available())
def test_a_file_that_is_not_there(tmp_path, backend):
    with pytest.raises(ModelError, match="No such file") as caught:
        open_session(tmp_path / "absent.onnx", backend)
    assert "realtime models fetch" in caught.value.hint


def test_naming_the_backends_imports_none_of_them():
    code = (
        "import sys\n"
        "from models.runtime.registry import available\n"
        "assert 'openvino' in available()\n"
        "assert not {'openvino', 'onnxruntime'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[3], check=True, timeout=60)
