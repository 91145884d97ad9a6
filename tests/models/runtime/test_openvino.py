import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from models.errors import BackendError, ModelError
from models.runtime.base import InputSpec, Normalisation
from models.runtime.openvino import device_names, devices
from models.runtime.proof import prove
from models.runtime.registry import open_session
from tests.fakes.onnx_file import negating_network
from tests.models.runtime.contract import SessionContract


class TestOpenVino(SessionContract):
    backend = "openvino"

    def test_precision_is_that_of_float32_on_every_cpu(self, load):
        # bfloat16, the default where the CPU has it, would round these to 100 and 0.1.
        fed = np.array([[100.123, 0.10001, 7.00003]], np.float32)
        np.testing.assert_array_equal(load((1, 3)).run({"picture": fed})["negated"], -fed)


def test_a_cut_tflite_model_is_told(default_models, tmp_path, capfd):
    path = tmp_path / "facemesh_468.tflite"
    path.write_bytes((default_models / path.name).read_bytes()[:600_000])
    with pytest.raises(ModelError, match="cannot be read as a model") as caught:
        open_session(path)
    assert "realtime models fetch facemesh_468" in caught.value.hint
    assert capfd.readouterr() == ("", "")


def test_landmarks_are_finer_than_bfloat16(default_models):
    session = open_session(
        default_models / "facemesh_468.tflite", picture=InputSpec(192, 192, "nhwc", Normalisation(0, 255))
    )
    noise = np.random.default_rng(0).integers(0, 256, (1, 192, 192, 3), dtype=np.uint8)
    points = session.run({"input_1": noise})["conv2d_21"]
    coarse = (points.view(np.uint32) & 0xFFFF) == 0
    assert coarse.mean() < 0.1
    session.close()


def test_a_second_start_reads_the_compiled_network(load_toy, compiled_into):
    load_toy()
    kept = {file: file.stat().st_mtime_ns for file in compiled_into.rglob("*.blob")}
    assert len(kept) == 1
    load_toy()
    assert {file: file.stat().st_mtime_ns for file in compiled_into.rglob("*.blob")} == kept


def test_a_damaged_compiled_network_is_made_again(load_toy, compiled_into):
    load_toy()
    (blob,) = compiled_into.rglob("*.blob")
    whole = blob.stat().st_size
    blob.chmod(0o600)
    blob.write_bytes(blob.read_bytes()[: whole // 2])
    load_toy()
    (again,) = compiled_into.rglob("*.blob")
    assert again.stat().st_size == whole


def test_a_cache_that_cannot_be_written_only_costs_time(load_toy, tmp_path, monkeypatch, capfd):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("REALTIME_CACHE", str(tmp_path / "file"))
    load_toy()
    assert capfd.readouterr() == ("", "")


@pytest.fixture
def compiled_into(tmp_path, monkeypatch):
    monkeypatch.setenv("REALTIME_CACHE", str(tmp_path / "compiled"))
    return tmp_path / "compiled"


@pytest.fixture
def load_toy(tmp_path):
    """Open a toy network and see that it runs."""

    def load():
        path = tmp_path / "toy.onnx"
        path.write_bytes(negating_network((2, 3)))
        session = open_session(path, "openvino")
        prove(session, "toy")
        session.close()

    return load


@pytest.mark.parametrize("device", ["NPU", "gpu.7"])
def test_a_device_that_is_not_there_says_what_it_takes(tmp_path, device):
    path = tmp_path / "toy.onnx"
    path.write_bytes(negating_network((2, 3)))
    if device in devices():
        pytest.skip(f"there is a {device} here")
    with pytest.raises(BackendError, match=device.upper()) as caught:
        open_session(path, "openvino", device=device)
    assert "driver" in caught.value.hint


def test_auto_is_a_device_and_says_which_it_took(tmp_path, caplog):
    path = tmp_path / "toy.onnx"
    path.write_bytes(negating_network((2, 3)))
    with caplog.at_level("INFO", "models.runtime.openvino"):
        prove(open_session(path, "openvino", device="auto"), "toy")
    assert "OpenVINO runs toy.onnx on" in caplog.text


def test_every_device_has_a_name():
    assert set(device_names()) == set(devices())
    assert all(device_names().values())


def test_there_is_always_the_cpu():
    assert "CPU" in devices()


def test_importing_openvino_reports_to_nobody(tmp_path):
    code = (
        "import socket, sys\n"
        "def refuse(*args): print('asked for', args[0]); raise OSError\n"
        "socket.getaddrinfo = refuse\n"
        "import models.runtime.openvino\n"
        "assert 'openvino' in sys.modules\n"
        "assert sys.modules['openvino_telemetry'] is None\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[3],
        env=os.environ | {"HOME": str(tmp_path), "USERPROFILE": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert list(tmp_path.iterdir()) == []
