import pytest

from models.catalog import DEFAULT_CHAIN, HttpsSource, WheelSource, load_catalog, lookup, parse_catalog
from models.errors import ModelError

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
        ('kind = "wheel"', 'kind = "ftp"', "'wheel' or 'https'"),
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
    with pytest.raises(ModelError, match="facemesh_486") as caught:
        lookup(["facemesh_486"])
    assert "facemesh_468" in caught.value.hint
    with pytest.raises(ModelError, match="zzz") as caught:
        lookup(["zzz"])
    assert "yunet" in caught.value.hint
