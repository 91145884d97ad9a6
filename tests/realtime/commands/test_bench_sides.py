from pathlib import Path

import pytest

from models.build.rounds import Side
from models.runtime.registry import BACKENDS
from realtime.commands.bench_sides import device_of, feeds_of, places, precision_words, print_table, takes
from realtime.commands.model_files import NamedFile
from tests.fakes.networks import tiny_network


def test_every_backend_of_the_registry_is_tried_by_default():
    assert {backend for backend, _ in places(None)} == set(BACKENDS)


def test_asked_for_by_name_and_device():
    assert places(["onnx", "openvino:GPU"]) == (("onnx", None), ("openvino", "GPU"))


@pytest.mark.parametrize(
    ("backend", "file", "taken"),
    [
        ("onnx", "x.onnx", True),
        ("onnx", "x.XML", False),
        ("openvino", "x.XML", True),
        ("onyx", "x.xml", True),
    ],
)
def test_a_backend_is_given_what_it_reads(backend, file, taken):
    assert takes(backend, Path(file)) is taken


def test_fed_with_the_still(tmp_path):
    path = tiny_network(tmp_path / "tiny.onnx")
    (feed,) = feeds_of(NamedFile("tiny", path, None)).values()
    assert feed.shape == (1, 3, 16, 16)
    assert 0 <= feed.min() < feed.max() <= 1


def test_the_device_is_named_also_where_the_backend_chose_it():
    assert device_of(Side(Path("x.onnx"), "openvino")) == "CPU"
    assert device_of(Side(Path("x.onnx"), "openvino", "GPU")) == "GPU"
    assert device_of(Side(Path("x.onnx"), "onyx")) == "-"


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("x.onnx", "fp32"),
        ("x.int8.xml", "int8 ir"),
        ("x.int8-tensorrt.onnx", "int8 trt"),
        ("x.xml", "fp32 ir"),
    ],
)
def test_precision_in_words(file, words):
    assert precision_words(Path(file)) == words


def test_words_stand_to_the_left_and_figures_to_the_right(capsys):
    print_table([("name", "ms"), ("a", "7"), ("longer", "10.5")], 1)
    assert capsys.readouterr().out == "name      ms\na          7\nlonger  10.5\n"
