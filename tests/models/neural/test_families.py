"""The catalogue's swappers against the figures that are known of the published networks, written out."""

import pytest

from models.catalog import load_catalog, load_families
from models.catalog_file import family_member
from models.entries import AddedSource

ZERO, HALF, ONE = (0.0,) * 3, (0.5,) * 3, (1.0,) * 3
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
PICTURE, SIGNED = (0.0, 1.0), (-1.0, 1.0)
FACTS = {
    # model: (template, size, mean, deviation of 0..1, what is black and white, what becomes of the vector)
    "inswapper_128": ("arcface_128", 128, ZERO, ONE, PICTURE, "emap"),
    "inswapper_128_original": ("arcface_128", 128, ZERO, ONE, PICTURE, "emap"),
    "inswapper_128_fp16": ("arcface_128", 128, ZERO, ONE, PICTURE, "emap"),
    "hyperswap_1a_256": ("arcface_128", 256, HALF, HALF, SIGNED, "unit"),
    "hyperswap_1b_256": ("arcface_128", 256, HALF, HALF, SIGNED, "unit"),
    "hyperswap_1c_256": ("arcface_128", 256, HALF, HALF, SIGNED, "unit"),
    "ghost_1_256": ("arcface_112_v1", 256, HALF, HALF, SIGNED, "converted"),
    "ghost_2_256": ("arcface_112_v1", 256, HALF, HALF, SIGNED, "converted"),
    "ghost_3_256": ("arcface_112_v1", 256, HALF, HALF, SIGNED, "converted"),
    "hififace_unofficial_256": ("mtcnn_512", 256, HALF, HALF, SIGNED, "converted-unit"),
    "simswap_256": ("arcface_112_v1", 256, *IMAGENET, PICTURE, "converted-unit"),
    "simswap_unofficial_512": ("arcface_112_v1", 512, ZERO, ONE, PICTURE, "converted-unit"),
    "alphaface_256": ("arcface_128", 256, ZERO, ONE, PICTURE, "raw"),
    "blendswap_256": ("ffhq_512", 256, ZERO, ONE, PICTURE, ""),
    "uniface_256": ("ffhq_512", 256, HALF, HALF, SIGNED, ""),
}
SOURCES = {"blendswap_256": ("arcface_112_v2", 112), "uniface_256": ("ffhq_512", 256)}
CONVERTERS = {
    "ghost": "crossface_ghost",
    "hififace": "crossface_hififace",
    "simswap": "crossface_simswap",
    "simswap_512": "crossface_simswap",
}


def pictures(contract):
    return {each.role: each for each in contract.inputs if each.feed is not None}


@pytest.mark.parametrize("name", FACTS)
def test_a_swapper_is_what_is_known_of_it(name):
    model = load_catalog()[name]
    template, size, mean, deviation, limits, embedding = FACTS[name]
    fed = pictures(model.contract)["picture"]
    assert (fed.template, fed.shape, fed.feed.layout, fed.feed.order) == (
        template,
        (1, 3, size, size),
        "nchw",
        "rgb",
    )
    assert fed.feed.mean == pytest.approx([255 * each for each in mean])
    assert fed.feed.scale == pytest.approx([255 * each for each in deviation])
    assert model.contract.output_range == limits
    assert model.contract.embedding == embedding
    assert model.contract.returns["picture"] == (1, 3, size, size)
    assert ("mask" in model.contract.returns) == (model.family == "hyperswap")
    vector = [each.shape for each in model.contract.inputs if each.role == "embedding"]
    assert vector == ([] if name in SOURCES else [(1, 512)])
    assert ("arcface_w600k_r50" in model.needs) == (name not in SOURCES)
    assert [each for each in model.needs if each.startswith("crossface")] == [
        CONVERTERS[model.family] for _ in range(model.family in CONVERTERS)
    ]


@pytest.mark.parametrize("name", SOURCES)
def test_a_picture_of_a_source_is_rgb_from_0_to_1(name):
    source = pictures(load_catalog()[name].contract)["source_picture"]
    template, size = SOURCES[name]
    assert (source.template, source.shape) == (template, (1, 3, size, size))
    assert (source.feed.order, source.feed.mean, source.feed.scale) == ("rgb", ZERO, (255.0,) * 3)


def test_every_swapper_of_the_catalogue_is_among_them_or_of_a_family_that_is():
    catalog = load_catalog()
    known = {catalog[name].family for name in FACTS}
    assert {model.family for model in catalog.values() if model.role == "swapper"} == known


def test_a_dfm_is_what_is_known_of_it():
    values = {"about": "", "file": "own.onnx", "licence": "own", "source": AddedSource("own.dfm")}
    contract = family_member("own", "dfm", load_families(), values).contract
    fed = pictures(contract)["picture"]
    assert (fed.template, fed.name, fed.feed.layout, fed.feed.order) == (
        "dfl_whole_face",
        "in_face:0",
        "nhwc",
        "bgr",
    )
    assert (fed.feed.mean, fed.feed.scale, contract.output_range) == (ZERO, (255.0,) * 3, PICTURE)
    assert [(each.role, each.shape, each.optional) for each in contract.inputs[1:]] == [("morph", (1,), True)]
    assert list(contract.returns) == ["own_mask", "picture", "mask"]
    assert (contract.sharpen, contract.mask_edge) == ((0.75, 2.0), (2, 6.25))
