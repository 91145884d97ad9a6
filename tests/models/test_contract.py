from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.catalog import load_catalog
from models.contract import bind, check_file
from models.entries import Contract, InputContract
from models.errors import ModelError
from models.runtime.base import TensorSpec
from tests.data import model as shared_model
from tests.fakes.onnx_file import described_network, inswapper_network

INSWAPPER = load_catalog()["inswapper_128"].contract
PICTURE = TensorSpec("a", (1, 3, 128, 128), "float32")
VECTOR = TensorSpec("b", (1, 512), "float32")
OUT = TensorSpec("c", (1, 3, 128, 128), "float32")


def written(tmp_path: Path, content: bytes, name: str = "own.onnx") -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("inputs", [(PICTURE, VECTOR), (VECTOR, PICTURE)])
def test_inputs_are_known_by_what_they_are(inputs):
    names = bind(INSWAPPER, inputs, (OUT,), what="own")
    assert names == {"picture": "a", "embedding": "b", "output:picture": "c"}


def test_names_decide_between_inputs_that_are_alike():
    contract = load_catalog()["uniface_256"].contract
    alike = [TensorSpec(name, (1, 3, 256, 256), "float32") for name in ("source", "target")]
    out = TensorSpec("out", (1, 3, 256, 256), "float32")
    for inputs in (alike, alike[::-1]):
        names = bind(contract, inputs, (out,), what="own")
        assert (names["picture"], names["source_picture"]) == ("target", "source")


@pytest.mark.parametrize(
    ("inputs", "outputs", "said"),
    [
        ((PICTURE,), (OUT,), "no input is its embedding"),
        ((VECTOR,), (OUT,), "no input is its picture"),
        ((PICTURE, VECTOR, TensorSpec("d", (1,), "float32")), (OUT,), "its input 'd' has no meaning"),
        ((TensorSpec("a", (1, 3, 256, 256), "float32"), VECTOR), (OUT,), "no input is its picture"),
        ((TensorSpec("a", PICTURE.shape, "int64"), VECTOR), (OUT,), "no input is its picture"),
        ((PICTURE, VECTOR), (TensorSpec("c", (1, 512), "float32"),), "no output is its picture"),
    ],
)
def test_a_difference_is_told_with_both_sides(inputs, outputs, said):
    with pytest.raises(ModelError, match=said) as caught:
        bind(INSWAPPER, inputs, outputs, what="own.onnx is not of the family inswapper")
    message = caught.value.message
    assert "picture (1, 3, 128, 128) float32, embedding (1, 512) float32 -> picture" in message
    for spec in (*inputs, *outputs):
        assert repr(spec.name) in message


def test_what_is_free_on_either_side_fits():
    free = TensorSpec("a", (-1, 3, -1, -1), "float16")
    assert bind(INSWAPPER, (free, VECTOR), (OUT,), what="")["picture"] == "a"
    scrfd = load_catalog()["scrfd_2.5g"].contract
    outputs = [TensorSpec(str(index), (-1, 1), "float32") for index in range(9)]
    assert bind(scrfd, (TensorSpec("x", (1, 3, 640, 640), "float32"),), outputs, what="") == {"picture": "x"}
    with pytest.raises(ModelError, match="8 outputs, not 9"):
        bind(scrfd, (TensorSpec("x", (1, 3, 640, 640), "float32"),), outputs[:8], what="")


def test_an_optional_input_may_be_there_or_not():
    contract = load_catalog()["codeformer"].contract
    picture = TensorSpec("input", (1, 3, 512, 512), "float32")
    weight = TensorSpec("weight", (1,), "float64")
    out = TensorSpec("o", (1, 3, 512, 512), "float32")
    assert "weight" not in bind(contract, (picture,), (out,), what="")
    assert bind(contract, (picture, weight), (out,), what="")["weight"] == "weight"


def test_outputs_that_a_family_goes_by_names_have_those_names():
    contract = load_catalog()["facemesh_468_dfl"].contract
    fed = (TensorSpec("i", (1, 192, 192, 3), "float32"),)
    assert bind(contract, fed, (TensorSpec("conv2d_21", (1, 1, 1, 1404), "float32"),), what="")
    with pytest.raises(ModelError, match="no output is called 'conv2d_21', its points"):
        bind(contract, fed, (TensorSpec("other", (1, 1, 1, 1404), "float32"),), what="")


sizes = st.integers(1, 5)


@given(st.lists(st.lists(sizes, min_size=1, max_size=4).map(tuple), min_size=1, max_size=4, unique=True))
def test_whatever_the_order_every_distinct_shape_finds_its_role(shapes):
    contract = Contract(tuple(InputContract(f"role{i}", s) for i, s in enumerate(shapes)), {})
    specs = [TensorSpec(f"name{i}", shape, "float32") for i, shape in enumerate(shapes)]
    expected = {f"role{i}": f"name{i}" for i in range(len(shapes))}
    assert bind(contract, specs[::-1], (), what="") == expected
    with pytest.raises(ModelError):
        bind(contract, [*specs, TensorSpec("more", (9, 9), "float32")], (), what="")


def test_a_file_of_the_family_passes_under_any_names(tmp_path):
    check_file(written(tmp_path, inswapper_network(("input", "onnx::Gemm_1"))), INSWAPPER, family="inswapper")


def test_an_inswapper_without_its_matrix(tmp_path):
    bare = described_network({"target": PICTURE.shape, "source": VECTOR.shape}, {"output": OUT.shape})
    with pytest.raises(ModelError, match="no matrix of 512x512"):
        check_file(written(tmp_path, bare), INSWAPPER, family="inswapper")


def test_an_inswapper_whose_matrix_cannot_be_told(tmp_path):
    weights = {name: ((512, 512), bytes(4 * 512 * 512)) for name in ("one", "two")}
    twice = described_network({"a": PICTURE.shape, "b": VECTOR.shape}, {"c": OUT.shape}, weights)
    with pytest.raises(ModelError, match="several matrices of 512x512"):
        check_file(written(tmp_path, twice), INSWAPPER, family="inswapper")


def test_weights_in_another_file_must_be_there(tmp_path):
    content = described_network({"a": (1, "n")}, {}, {"w": ((2,), b"")}, external="own.data")
    path = written(tmp_path, content)
    with pytest.raises(ModelError, match=r"keeps its weights in own\.data, which is not beside it"):
        check_file(path, Contract((), {}), family="toy")


def test_operators_too_old(tmp_path):
    path = written(tmp_path, described_network({}, {}, opset=6))
    with pytest.raises(ModelError, match="version 6 of ONNX's operators"):
        check_file(path, Contract((), {}), family="toy")


def test_another_kind_of_file_is_left_to_its_backend(tmp_path):
    check_file(written(tmp_path, b"TFL3", "own.tflite"), INSWAPPER, family="inswapper")


@pytest.mark.parametrize(
    "name",
    [
        "yunet_2026may",
        "scrfd_500m",
        "scrfd_2.5g",
        "openseeface_retinaface",
        "lsdir_compact_x4",
        "realesrgan_general_x4",
        "facemesh_468_dfl",
        "facemesh_478",
        "blendshapes_52",
        "selfie_general",
        "mobilefacenet",
    ],
)
def test_real_files_keep_their_contracts_and_no_other_familys(name):
    entry = load_catalog()[name]
    path = shared_model(entry.file)
    check_file(path, entry.contract, family=entry.family)
    with pytest.raises(ModelError, match="not of the family"):
        check_file(path, INSWAPPER, family="inswapper")
