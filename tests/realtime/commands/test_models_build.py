import sys

import cv2
import numpy as np
import pytest

from realtime.cli import main
from tests.fakes.networks import scaling_network, tiny_network


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    monkeypatch.setenv("REALTIME_MODELS", str(tmp_path / "models"))
    (tmp_path / "models").mkdir()
    return tiny_network(tmp_path / "tiny.onnx")


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    random = np.random.default_rng(3)
    for number in range(8):
        cv2.imwrite(str(folder / f"{number}.png"), random.integers(0, 256, (16, 16, 3), np.uint8))
    return folder


def test_int8_from_a_folder_of_pictures(tiny, pictures, capsys):
    pytest.importorskip("onnx")
    assert main(["models", "build", str(tiny), "--precision", "int8", "--calibration", str(pictures)]) == 0
    printed = capsys.readouterr().out
    assert "calibrated with 6 and tried on 2 pictures" in printed
    assert "onnx: result: max" in printed
    assert "openvino: result: max" in printed
    assert printed.splitlines()[-1] == str(tiny.with_name("tiny.int8.onnx"))
    assert tiny.with_name("tiny.int8.onnx").is_file()


def test_fp16_in_openvinos_format_with_the_built_in_still(tiny, capsys):
    assert main(["models", "build", str(tiny), "--precision", "fp16", "--format", "ir"]) == 0
    assert "the built-in still" in capsys.readouterr().out
    assert tiny.with_name("tiny.fp16.xml").is_file()
    assert tiny.with_name("tiny.fp16.bin").is_file()


def test_for_tensorrt(tiny, pictures):
    pytest.importorskip("onnx")
    words = ["--precision", "int8", "--for", "tensorrt", "--calibration", str(pictures), "--samples", "4"]
    assert main(["models", "build", str(tiny), *words]) == 0
    assert tiny.with_name("tiny.int8-tensorrt.onnx").is_file()


def test_a_network_that_does_not_bear_it_is_refused(tiny, tmp_path, capsys):
    pytest.importorskip("onnx")
    hot = scaling_network(tmp_path / "hot.onnx", 300.0, 300.0, 1 / 90000)
    assert main(["models", "build", str(hot), "--precision", "fp16"]) == 4
    assert "refused" in capsys.readouterr().err
    assert not hot.with_name("hot.fp16.onnx").exists()


def test_what_the_catalogue_forbids(tiny, tmp_path, capsys):
    tiny.rename(tmp_path / "inswapper_128.onnx")
    assert main(["models", "build", str(tmp_path / "inswapper_128.onnx"), "--precision", "fp16"]) == 4
    assert "forbids" in capsys.readouterr().err


def test_a_missing_package_is_named(tiny, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    assert main(["models", "build", str(tiny), "--precision", "fp16"]) == 4
    assert 'pip install "realtime-face[build]"' in capsys.readouterr().err


def test_the_precision_must_be_said(tiny, capsys):
    with pytest.raises(SystemExit):
        main(["models", "build", str(tiny)])
    assert "--precision" in capsys.readouterr().err
