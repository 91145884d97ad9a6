from dataclasses import replace

import numpy as np
import pytest

from models.catalog import DEFAULT_CHAIN, load_catalog, load_families, parse_catalog
from models.catalog_file import family_member
from models.entries import FREE, AddedSource
from models.errors import ModelError
from models.loading import open_model
from models.runtime.base import PictureOut
from tests.data import model as shared_model
from tests.fakes.networks import mixing_network
from tests.fakes.onnx_file import negating_network

BACKENDS = ["openvino", "onnx"]
TOY = """
[model.toy]
role = "mask"
family = "toy"
about = "a toy"
file = "toy.onnx"
licence = "MIT"
source = { kind = "manual", how = "by hand" }
[model.toy.contract]
layout = "nchw"
height = 4
width = 6
mean = 0
scale = 2
order = "bgr"
returns = { mask = [1, 3, 4, 6] }
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "toy.onnx").write_bytes(negating_network((1, 3, 4, 6)))
    return tmp_path


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_picture_goes_in_as_it_is_and_roles_have_names(folder, backend):
    opened = open_model(parse_catalog(TOY)["toy"], folder, backend)
    try:
        assert opened.names == {"picture": "picture", "output:mask": "negated"}
        fed = np.full((1, 4, 6, 3), 8, np.uint8)
        result = opened.session.run({opened.names["picture"]: fed})[opened.names["output:mask"]]
        assert (result == -4).all()
    finally:
        opened.session.close()


@pytest.mark.parametrize("backend", BACKENDS)
def test_each_channel_may_have_its_own_mean(folder, backend):
    opened = open_model(parse_catalog(TOY.replace("mean = 0", "mean = [2, 4, 6]"))["toy"], folder, backend)
    try:
        assert opened.takes_picture
        result = opened.session.run({"picture": np.full((1, 4, 6, 3), 8, np.uint8)})["negated"]
        assert [plane.max() for plane in result[0]] == [-3, -2, -1] == [plane.min() for plane in result[0]]
    finally:
        opened.session.close()


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_swapper_of_two_pictures_takes_one_and_gives_one(tmp_path, backend):
    model = replace(load_catalog()["uniface_256"], contract=small_uniface())
    mixing_network(tmp_path / model.file, (1, 3, 4, 6), {"source": 100.0, "target": -1.0})
    opened = open_model(model, tmp_path, backend)
    try:
        assert (opened.takes_picture, opened.gives_picture, opened.batch) == (True, True, False)
        assert opened.names["picture"] == "target"
        assert opened.names["source_picture"] == "source"
        fed = np.random.default_rng(0).integers(0, 256, (1, 4, 6, 3), np.uint8)
        feeds = {"target": fed, "source": np.zeros((1, 3, 4, 6), np.float32)}
        given = opened.session.run(feeds)[opened.names["output:picture"]]
        np.testing.assert_array_equal(given, 255 - fed)
    finally:
        opened.session.close()


def small_uniface():
    contract = load_catalog()["uniface_256"].contract
    inputs = tuple(replace(each, shape=(1, 3, 4, 6)) for each in contract.inputs)
    return replace(contract, inputs=inputs, returns={"picture": (1, 3, 4, 6)})


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("free", [True, False])
def test_a_batch_goes_through_where_the_network_can(tmp_path, backend, free):
    shape = ("count" if free else 1, 3, 4, 6)
    (tmp_path / "toy.onnx").write_bytes(negating_network(shape))
    opened = open_model(parse_catalog(TOY)["toy"], tmp_path, backend, batch=FREE)
    try:
        assert opened.batch is free
        count = 3 if free else 1
        fed = np.full((count, 4, 6, 3), 8, np.uint8)
        result = opened.session.run({"picture": fed})["negated"]
        assert result.shape == (count, 3, 4, 6)
        assert (result == -4).all()
    finally:
        opened.session.close()


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_batch_of_a_fixed_size_keeps_the_contract(tmp_path, backend):
    (tmp_path / "toy.onnx").write_bytes(negating_network(("count", 3, 4, 6)))
    opened = open_model(parse_catalog(TOY)["toy"], tmp_path, backend, batch=3)
    try:
        assert not opened.batch
        assert opened.names["output:mask"] == "negated"
        assert opened.session.run({"picture": np.zeros((3, 4, 6, 3), np.uint8)})["negated"].shape[0] == 3
    finally:
        opened.session.close()


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_batch_of_a_size_that_the_network_does_not_take(folder, backend):
    with pytest.raises(ModelError, match=r"\(4, 3, 4, 6\)"):
        open_model(parse_catalog(TOY)["toy"], folder, backend, batch=4)


def test_every_output_picture_of_the_catalogue_is_decoded():
    for model in load_catalog().values():
        contract = model.contract
        said = "picture" in contract.returns and contract.output_range is not None
        assert (contract.picture_out is not None) is said, model.name
    assert load_catalog()["xseg_1"].contract.picture_out is None
    own = {"about": "own", "file": "own.dfm", "licence": "MIT", "source": AddedSource("own.dfm")}
    dfm = family_member("own", "dfm", load_families(), own).contract.picture_out
    assert dfm == PictureOut((0.0, 1.0), "bgr", "nhwc")


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_network_that_breaks_the_contract_shows_both_sides_and_is_closed(folder, backend, monkeypatch):
    opened = []

    def remember(*arguments, **options):
        opened.append(open_session(*arguments, **options))
        return opened[-1]

    from models.runtime.registry import open_session

    monkeypatch.setattr("models.loading.open_session", remember)
    model = parse_catalog(TOY.replace("mask = [1, 3, 4, 6]", "mask = [1, 1, 4, 6]"))["toy"]
    with pytest.raises(ModelError, match=r"toy\.onnx is not what the catalogue says of toy") as caught:
        open_model(model, folder, backend)
    assert "picture (1, 4, 6, 3) uint8 -> mask (1, 1, 4, 6)" in caught.value.message
    assert "'negated' (1, 3, 4, 6) float32" in caught.value.message
    with pytest.raises(Exception, match="closed"):
        opened[0].run({"picture": np.zeros((1, 4, 6, 3), np.uint8)})


@pytest.mark.parametrize("name", [*DEFAULT_CHAIN, "blazeface_full_range"])
def test_the_default_models_keep_their_contracts(default_models, name):
    model = load_catalog()[name]
    if not (default_models / model.file).is_file():
        pytest.skip(f"{model.file} is not fetched")
    opened = open_model(model, default_models)
    try:
        assert set(opened.names) == {"picture", *(f"output:{each}" for each in model.contract.outputs)}
    finally:
        opened.session.close()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", ["scrfd_500m", "selfie_general", "mobilefacenet", "openseeface_retinaface"])
def test_real_models_open_by_their_contracts(name, backend):
    model = load_catalog()[name]
    opened = open_model(model, shared_model(model.file).parent, backend)
    try:
        assert "picture" in opened.names
    finally:
        opened.session.close()
