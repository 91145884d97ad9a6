import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from models.errors import ModelError
from models.runtime.base import InputSpec, Normalisation
from models.runtime.openvino import devices
from models.runtime.registry import open_session
from tests.models.runtime.contract import SessionContract


class TestOpenVino(SessionContract):
    backend = "openvino"

    def test_outputs_are_written_to_the_same_array(self, load):
        session = load((2, 3))
        first = session.run({"picture": np.zeros((2, 3), np.float32)})["negated"]
        second = session.run({"picture": np.ones((2, 3), np.float32)})["negated"]
        assert first is second

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
