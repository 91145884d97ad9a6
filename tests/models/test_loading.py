import numpy as np
import pytest

from models.catalog import DEFAULT_CHAIN, load_catalog, parse_catalog
from models.errors import ModelError
from models.loading import open_model, prepares_picture
from tests.data import model as shared_model
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
def test_one_mean_for_each_channel_is_the_callers_to_apply(folder, backend):
    model = parse_catalog(TOY.replace("mean = 0", "mean = [1, 2, 3]"))["toy"]
    assert not prepares_picture(model.contract)
    opened = open_model(model, folder, backend)
    try:
        assert opened.session.inputs[0].shape == (1, 3, 4, 6)
    finally:
        opened.session.close()


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
