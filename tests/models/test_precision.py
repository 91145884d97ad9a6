from dataclasses import replace

import numpy as np
import pytest

from models.build.origin import Origin, record_origin
from models.build.plan import Build, Format, Precision, Target
from models.catalog import load_catalog
from models.entries import Tolerance
from models.errors import ModelError
from models.loading import open_model
from models.precision import PRECISIONS, chosen_file
from models.runtime.place import Place
from models.verified import digest
from tests.fakes.networks import mixing_network, scaling_network

CPU, VINO, TRT = Place("onnx", "CPU"), Place("openvino", "CPU"), Place("tensorrt", "GPU")
CUDA, AUTO, EMPTY = Place("onnx", "CUDA:1"), Place("auto"), Place("openvino")
BOTH = ("onnx", "openvino")


@pytest.fixture
def model():
    return replace(load_catalog()["gfpgan_1.4"], file="toy.onnx", tolerance=Tolerance())


@pytest.fixture
def build(tmp_path):
    """Put a build beside the source, made of it unless another origin is given."""
    source = scaling_network(tmp_path / "toy.onnx", 1.0)

    def build(precision, target=Target.CPU, format_=Format.ONNX, origin=None, faster=BOTH):
        path = Build(source, Precision(precision), target, format_).path
        if format_ is Format.IR:
            path.write_text("<net><rt_info/></net>")
        else:
            scaling_network(path, 2.0)
        record_origin(path, Origin(digest(source) if origin is None else origin, faster))
        return path

    return build


@pytest.mark.parametrize("precision", ["auto", "fp32"])
@pytest.mark.parametrize("place", [CPU, VINO, TRT, CUDA, AUTO, EMPTY])
def test_without_builds_it_is_the_catalogues_file(model, build, tmp_path, place, precision):
    chosen = chosen_file(model, tmp_path, place, precision)
    assert (chosen.path, chosen.precision, chosen.passed_over) == (tmp_path / "toy.onnx", "fp32", ())


@pytest.mark.parametrize("place", [CPU, VINO, EMPTY])
def test_auto_takes_int8_and_no_fp16_on_a_cpu(model, build, tmp_path, place):
    build("fp16")
    assert chosen_file(model, tmp_path, place).precision == "fp32"
    int8 = build("int8")
    assert chosen_file(model, tmp_path, place).path == int8
    assert chosen_file(model, tmp_path, place, "fp32").path == tmp_path / "toy.onnx"


def test_on_a_cpu_auto_takes_what_was_faster_where_it_was_made(model, build, tmp_path):
    path = build("int8", faster=("onnx",))
    assert chosen_file(model, tmp_path, CPU).path == path
    chosen = chosen_file(model, tmp_path, VINO)
    assert (chosen.path, chosen.precision) == (tmp_path / "toy.onnx", "fp32")
    assert chosen.passed_over == ("toy.int8.onnx was no faster than toy.onnx when it was made",)
    assert chosen_file(model, tmp_path, VINO, "int8").path == path
    assert chosen_file(model, tmp_path, Place("openvino", "GPU.1")).path == path


def test_openvinos_own_format_goes_to_openvino_only(model, build, tmp_path):
    ir = build("int8", format_=Format.IR)
    onnx = build("int8")
    assert chosen_file(model, tmp_path, VINO).path == ir
    assert chosen_file(model, tmp_path, CPU).path == onnx
    assert chosen_file(model, tmp_path, AUTO).path == onnx


def test_tensorrt_takes_its_own_int8_only(model, build, tmp_path):
    build("int8")
    half = build("fp16")
    assert chosen_file(model, tmp_path, TRT).path == half
    with pytest.raises(ModelError, match="no build in int8") as caught:
        chosen_file(model, tmp_path, TRT, "int8")
    assert "--precision int8 --calibration FOLDER --for tensorrt" in caught.value.hint
    own = build("int8", Target.TENSORRT)
    assert chosen_file(model, tmp_path, TRT).path == own
    assert chosen_file(model, tmp_path, Place("onnx", "TENSORRT:0?a=b")).path == own
    assert chosen_file(model, tmp_path, CPU).path != own


def test_cuda_profits_of_fp16(model, build, tmp_path):
    build("int8")
    half = build("fp16")
    chosen = chosen_file(model, tmp_path, CUDA)
    assert (chosen.path, chosen.precision) == (half, "fp16")


def test_where_nothing_was_measured_auto_claims_nothing(model, build, tmp_path):
    build("int8")
    build("fp16")
    assert chosen_file(model, tmp_path, Place("onnx", "QNN")).precision == "fp32"
    assert chosen_file(model, tmp_path, Place("onnx", "QNN"), "int8").precision == "int8"


@pytest.mark.parametrize("precision", ["fp16", "int8"])
def test_what_is_asked_for_and_not_there_says_how_to_make_it(model, build, tmp_path, precision):
    with pytest.raises(ModelError, match=precision) as caught:
        chosen_file(model, tmp_path, CPU, precision)
    assert f"realtime models build gfpgan_1.4 --precision {precision}" in caught.value.hint
    assert build(precision) == chosen_file(model, tmp_path, CPU, precision).path


@pytest.mark.parametrize("origin", ["", "0" * 64])
def test_a_build_of_another_file_is_not_used_and_said(model, build, tmp_path, caplog, origin):
    build("int8", origin=origin)
    chosen = chosen_file(model, tmp_path, VINO)
    assert chosen.path == tmp_path / "toy.onnx"
    assert chosen.passed_over == ("toy.int8.onnx was not made of the toy.onnx that is here now",)
    assert "realtime models build gfpgan_1.4 --precision int8" in caplog.text
    with pytest.raises(ModelError, match="not made of"):
        chosen_file(model, tmp_path, VINO, "int8")


def test_a_source_that_changed_makes_its_build_stale(model, build, tmp_path):
    build("int8")
    scaling_network(tmp_path / "toy.onnx", 3.0)
    assert chosen_file(model, tmp_path, VINO).precision == "fp32"


def test_what_the_catalogue_forbids_is_not_used(model, build, tmp_path):
    build("int8")
    model = replace(model, tolerance=Tolerance(forbid=("int8",)))
    assert chosen_file(model, tmp_path, VINO).precision == "fp32"
    with pytest.raises(ModelError, match="forbids"):
        chosen_file(model, tmp_path, VINO, "int8")


def test_the_precisions_are_four(model, build, tmp_path):
    assert PRECISIONS == ("auto", "fp32", "fp16", "int8")
    with pytest.raises(ModelError, match="'fp8' is no precision"):
        chosen_file(model, tmp_path, VINO, "fp8")


def test_a_file_that_its_maker_published_in_fp16_is_said_to_be_that(model, tmp_path):
    onnx = pytest.importorskip("onnx")
    weights = onnx.numpy_helper.from_array(np.ones((8, 8), np.float16), "weights")
    graph = onnx.helper.make_graph([], "half", [], [], [weights])
    onnx.save(onnx.helper.make_model(graph), tmp_path / "toy.onnx")
    assert chosen_file(model, tmp_path, VINO).precision == "fp16"


@pytest.mark.parametrize("backend", ["onnx", "openvino"])
def test_a_model_is_opened_in_the_precision_that_was_chosen(tmp_path, backend):
    gfpgan = load_catalog()["gfpgan_1.4"]
    contract = replace(
        gfpgan.contract,
        inputs=(replace(gfpgan.contract.inputs[0], shape=(1, 3, 4, 4)),),
        returns={"picture": (1, 3, 4, 4)},
    )
    model = replace(gfpgan, file="toy.onnx", contract=contract, tolerance=Tolerance())
    source = mixing_network(tmp_path / "toy.onnx", (1, 3, 4, 4), {"picture": 1.0})
    made = mixing_network(tmp_path / "toy.int8.onnx", (1, 3, 4, 4), {"picture": -1.0})
    record_origin(made, Origin(digest(source), BOTH))
    fed = np.full((1, 4, 4, 3), 255, np.uint8)
    for precision, level in (("fp32", 255), ("auto", 0), ("int8", 0)):
        opened = open_model(model, tmp_path, backend, precision=precision)
        assert (opened.session.run({"picture": fed})[opened.names["output:picture"]] == level).all()
        assert opened.file is not None
        assert opened.file.precision == ("fp32" if level else "int8")
        opened.session.close()
