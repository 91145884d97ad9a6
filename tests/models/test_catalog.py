import pytest

from models.catalog import (
    DEFAULT_CHAIN,
    HttpsSource,
    WheelSource,
    load_catalog,
    load_families,
    lookup,
    parse_catalog,
    with_needs,
)
from models.errors import ModelError
from models.licences import licence

GOOD = """
[wheel.toyfaces]
package = "toyfaces"
version = "1.0"
platform = "any"
python = "3.11"
implementation = "py"
size_bytes = 10

[model.toy]
role = "detector"
family = "blazeface"
about = "a toy"
file = "toy.tflite"
sha256 = "{sha256}"
size_bytes = 4
licence = "MIT"
source = {{ kind = "wheel", wheel = "toyfaces", member = "toyfaces/toy.tflite" }}
contract = {{ layout = "nhwc", height = 8, width = 8, mean = 0, scale = 1, order = "rgb", outputs = {{}} }}
anchors = [[8, 2]]
""".format(sha256="0" * 64)


def test_the_catalogue_of_the_program_is_valid():
    catalog = load_catalog()
    assert set(DEFAULT_CHAIN) <= set(catalog)
    assert [catalog[name].role for name in DEFAULT_CHAIN] == ["detector", "landmarker"]
    assert isinstance(catalog["yunet"].source, HttpsSource)
    assert all(url.startswith("https://") for url in catalog["yunet"].source.urls)


TEMPLATES = {"arcface_112_v1", "arcface_112_v2", "arcface_128", "dfl_whole_face", "ffhq_512", "mtcnn_512", ""}
BROKEN_IN_FP16 = ("inswapper_128", "gpen_bfr_512", "gpen_bfr_1024", "xseg_1", "xseg_3")


def test_the_default_models_need_nobodys_leave():
    for model in lookup(DEFAULT_CHAIN):
        assert model.sha256
        assert model.size_bytes
        assert not licence(model.licence).restrictive


def test_every_model_comes_over_https_under_a_known_template():
    for model in load_catalog().values():
        assert {each.template for each in model.contract.inputs} <= TEMPLATES
        if isinstance(model.source, HttpsSource):
            assert all(url.startswith("https://") for url in model.source.urls)
            assert all("{" not in url for url in model.source.urls)


def test_every_family_of_the_catalogue_can_be_added_to():
    families = load_families()
    for model in load_catalog().values():
        assert families[model.family]["role"] == model.role
        assert families[model.family]["about"]


@pytest.mark.parametrize("name", BROKEN_IN_FP16)
def test_what_half_precision_breaks_is_forbidden(name):
    assert "fp16" in load_catalog()[name].tolerance.forbid


def test_a_swapper_is_fed_a_picture_and_somebody():
    for model in load_catalog().values():
        if model.role == "swapper":
            roles = [each.role for each in model.contract.inputs]
            assert roles[0] == "picture"
            assert roles[1] in ("embedding", "source_picture")
            assert ("arcface_w600k_r50" in model.needs) == (roles[1] == "embedding")
            assert bool(model.contract.embedding) == (roles[1] == "embedding")
            assert ("converted" in model.contract.embedding) == any("crossface" in n for n in model.needs)


def test_what_is_needed_comes_after_and_once():
    found = with_needs(lookup(["ghost_1_256", "ghost_2_256"]))
    names = [model.name for model in found]
    assert names == ["ghost_1_256", "ghost_2_256", "arcface_w600k_r50", "crossface_ghost"]


def test_an_entry_is_read_whole():
    model = parse_catalog(GOOD)["toy"]
    assert isinstance(model.source, WheelSource)
    assert model.source.wheel.package == "toyfaces"
    assert model.source.member == "toyfaces/toy.tflite"
    assert model.anchors == ((8, 2),)
    assert model.contract.picture.normalisation.order == "rgb"


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("size_bytes = 4", 'size_bytes = "4"', "size_bytes is not of the type int"),
        ("size_bytes = 4", "size_bytes = 0", "not a positive number"),
        ('licence = "MIT"', "", "licence is missing"),
        ('licence = "MIT"', 'licence = "MIT"\nlicense = "MIT"', "'license' is none of"),
        ("0" * 64, "0" * 63, "64 lower-case"),
        ('"toy.tflite"\n', '"../toy.tflite"\n', "not a plain file name"),
        ('wheel = "toyfaces"', 'wheel = "toy"', "no wheel named 'toy'"),
        ('kind = "wheel"', 'kind = "ftp"', "'wheel', 'https' or 'manual'"),
        ('kind = "wheel"', 'kind = "https"', "no urls"),
        ('"nhwc"', '"hwc"', "layout is"),
        ("mean = 0, ", "", "mean is missing"),
        ("[model.toy]", "[model.toy", "not valid TOML"),
    ],
)
def test_a_wrong_entry_says_where_and_what(before, after, said):
    assert before in GOOD
    with pytest.raises(ModelError, match=said):
        parse_catalog(GOOD.replace(before, after))


def test_two_models_cannot_share_a_file():
    twin = GOOD[GOOD.index("[model.toy]") :].replace("[model.toy]", "[model.twin]")
    with pytest.raises(ModelError, match=r"toy\.tflite, too"):
        parse_catalog(GOOD + twin)


def test_an_unknown_name_is_met_with_the_nearest_one():
    with pytest.raises(ModelError, match="facemesh_46") as caught:
        lookup(["facemesh_46"])
    assert "facemesh_468" in caught.value.hint
    with pytest.raises(ModelError, match="zzz") as caught:
        lookup(["zzz"])
    assert "realtime models list" in caught.value.hint


def test_each_size_of_gpen_is_a_family_that_a_file_can_be_added_to():
    for size, template in ((256, "arcface_128"), (512, "ffhq_512"), (1024, "ffhq_512"), (2048, "ffhq_512")):
        family = load_families()["gpen" if size == 512 else f"gpen_{size}"]
        assert family["contract"]["width"] == family["contract"]["height"] == size
        models = [each for each in load_catalog().values() if f"gpen_bfr_{size}" in each.name]
        assert models
        for model in models:
            assert (model.contract.picture.width, model.contract.template) == (size, template)
            assert model.contract.returns["picture"] == (1, 3, size, size)
