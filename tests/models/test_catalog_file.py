import pytest

from models.catalog_file import family_member, parse_catalog, parse_families
from models.entries import AddedSource, HttpsSource, Limits, ManualSource
from models.errors import ModelError

BASE = """
[base.house]
urls = ["https://a.example/{path}", "https://b.example/{folder}/-/{file}"]
"""
FAMILY = """
[family.swapping]
role = "swapper"
about = "what such a file is"
needs = ["helper"]
tolerance = { psnr_db = 35, forbid = ["fp16"] }
[family.swapping.contract]
layout = "nchw"
height = 128
width = 128
mean = 0
scale = 255
order = "rgb"
template = "square"
inputs = [{ role = "embedding", shape = [1, 512], name = "source" }]
returns = { picture = [1, 3, 128, 128] }
output_range = [0, 1]
embedding = "unit"
"""
MODELS = """
[model.one]
family = "swapping"
about = "the first"
licence = "MIT"
source = { kind = "https", base = "house", path = "v1/one.onnx" }

[model.helper]
role = "converter"
family = "helping"
about = "makes a vector"
file = "helper.onnx"
licence = "unknown"
source = { kind = "manual", how = "made at home" }
contract = { inputs = [{ role = "embedding", shape = [1, 512] }] }
"""


def test_a_base_makes_the_urls_and_the_file_name():
    model = parse_catalog(BASE, FAMILY, MODELS)["one"]
    assert model.source == HttpsSource(("https://a.example/v1/one.onnx", "https://b.example/v1/-/one.onnx"))
    assert model.file == "one.onnx"


def test_what_nobody_has_said_is_empty():
    model = parse_catalog(BASE, FAMILY, MODELS)["one"]
    assert (model.sha256, model.size_bytes, model.vendor) == ("", 0, "")


def test_a_model_has_what_its_family_has():
    model = parse_catalog(BASE, FAMILY, MODELS)["one"]
    assert (model.role, model.needs, model.about) == ("swapper", ("helper",), "the first")
    assert (model.tolerance.psnr_db, model.tolerance.forbid) == (35.0, ("fp16",))
    picture, embedding = model.contract.inputs
    assert (picture.role, picture.shape, picture.template) == ("picture", (1, 3, 128, 128), "square")
    assert (embedding.role, embedding.shape, embedding.name) == ("embedding", (1, 512), "source")
    assert model.contract.returns == {"picture": (1, 3, 128, 128)}
    assert model.contract.output_range == (0.0, 1.0)
    assert model.contract.embedding == "unit"


def test_its_own_values_overrule_the_familys_one_by_one():
    own = MODELS.replace(
        'path = "v1/one.onnx" }\n',
        'path = "v1/one.onnx" }\ncontract = { height = 256, scale = [1, 2, 3] }\ntolerance = { rms = 0.5 }\n',
    )
    model = parse_catalog(BASE, FAMILY, own)["one"]
    picture = model.contract.inputs[0]
    assert picture.shape == (1, 3, 256, 128)
    assert picture.feed.scale == (1.0, 2.0, 3.0)
    assert picture.feed.mean == (0.0, 0.0, 0.0)
    assert (model.tolerance.rms, model.tolerance.psnr_db) == (0.5, 35.0)


def test_a_network_without_a_picture():
    model = parse_catalog(BASE, FAMILY, MODELS)["helper"]
    assert [each.role for each in model.contract.inputs] == ["embedding"]
    assert model.source == ManualSource("made at home")


def test_a_model_of_the_users_is_made_of_its_family():
    values = {"about": "mine", "file": "own.onnx", "sha256": "0" * 64, "size_bytes": 3, "licence": "your own"}
    families = parse_families(BASE, FAMILY, MODELS)
    model = family_member("own", "swapping", families, values | {"source": AddedSource("/x/own.onnx")})
    assert (model.name, model.role, model.about) == ("own", "swapper", "mine")
    assert model.contract == parse_catalog(BASE, FAMILY, MODELS)["one"].contract


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('base = "house"', 'base = "home"', "no base named 'home'"),
        ('path = "v1/one.onnx"', 'path = ""', "path is missing"),
        ('how = "made at home"', 'how = ""', "how is missing"),
        ("[base.house]", "[bass.house]", "'bass' is none of wheel, base, family, model"),
        ("output_range = [0, 1]", "output_range = [1, 0]", "output_range is not"),
        ('template = "square"', 'templet = "square"', "'templet' is none of"),
        ("psnr_db", "psnr", "'psnr' is none of"),
        (
            '[{ role = "embedding", shape = [1, 512], name = "source" }]',
            '[{ role = "x" }]',
            "shape is missing",
        ),
        ('needs = ["helper"]', 'needs = ["helpers"]', "no model named 'helpers'"),
        ('role = "swapper"\n', "", "role is missing"),
    ],
)
def test_a_wrong_text_says_where_and_what(before, after, said):
    text = BASE + FAMILY + MODELS
    assert before in text
    with pytest.raises(ModelError, match=said):
        parse_catalog(text.replace(before, after))


def test_the_same_name_in_two_texts_is_refused():
    with pytest.raises(ModelError, match=r"model\.one: it is there twice"):
        parse_catalog(BASE, FAMILY, MODELS, MODELS)


def test_how_a_picture_is_sharpened_and_a_mask_softened():
    own = FAMILY + "sharpen = [0.5, 2]\nmask_edge = [3, 1.5]\n"
    contract = parse_catalog(BASE, own, MODELS)["one"].contract
    assert (contract.sharpen, contract.mask_edge) == ((0.5, 2.0), (3, 1.5))
    plain = parse_catalog(BASE, FAMILY, MODELS)["one"].contract
    assert (plain.sharpen, plain.mask_edge) == (None, None)


@pytest.mark.parametrize("value", ["[1]", "[1, 0]", "[-1, 2]", "[1, 2, 3]"])
@pytest.mark.parametrize("key", ["sharpen", "mask_edge"])
def test_a_pair_that_is_none(key, value):
    with pytest.raises(ModelError, match=f"{key} is not two positive numbers"):
        parse_catalog(BASE, FAMILY + f"{key} = {value}\n", MODELS)


def test_an_output_may_have_limits_of_its_own():
    own = "outputs = { mask = { sigmoid = true, max_abs = 0.1 } }, psnr_db = 35,"
    family = FAMILY.replace("psnr_db = 35,", own)
    tolerance = parse_catalog(BASE, family, MODELS)["one"].tolerance
    assert tolerance.outputs == {"mask": Limits(max_abs=0.1, sigmoid=True)}
    assert tolerance.psnr_db == 35


@pytest.mark.parametrize(
    ("limits", "said"), [("{ sigmoid = true }", "sets no limit"), ("{ max = 1 }", "'max' is none of")]
)
def test_limits_that_are_none(limits, said):
    family = FAMILY.replace("psnr_db = 35,", f"outputs = {{ mask = {limits} }},")
    with pytest.raises(ModelError, match=f"outputs.mask: .*{said}"):
        parse_catalog(BASE, family, MODELS)
