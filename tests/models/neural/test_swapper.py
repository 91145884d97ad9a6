from dataclasses import replace

import numpy as np
import pytest

from models.catalog import load_catalog, parse_catalog
from models.errors import BackendError, ModelError, SettingError, SwapError
from models.neural.identity import PORTRAIT_PX, SourceIdentity
from models.neural.source_feed import SourceFeed, source_feed
from models.neural.swapper import open_swapper
from models.runtime.overlap import Overlapping
from tests.fakes.five import upright
from tests.fakes.networks_swap import (
    SHADE,
    converter_network,
    picture_swapper,
    recogniser_network,
    swapper_network,
    tint,
)

BACKENDS = ["openvino", "onnx"]
CATALOG = load_catalog()
COLOURS = ((0.3, -0.1, 0.2), (0.05, 0.25, -0.15), (-0.1, 0.1, 0.4))
TURNED = (2 * np.eye(512, dtype=np.float32))[:, [1, 2, 0, *range(3, 512)]]
"""Doubles a vector and turns its first three numbers round."""
TOY = """
[family.toy]
role = "swapper"
about = "invented here"
[family.toy.contract]
layout = "nchw"
height = 24
width = 24
mean = [10, 20, 30]
scale = [100, 200, 250]
order = "bgr"
template = "mtcnn_512"
name = "face"
inputs = [{ role = "embedding", shape = [1, 512], name = "who" }]
returns = { picture = [1, 3, 24, 24], mask = [1, 1, 24, 24] }
output_range = [-0.5, 1.5]
embedding = "unit"
[model.toy]
family = "toy"
about = "invented here"
file = "toy.onnx"
licence = "MIT"
source = { kind = "manual", how = "by a test" }
"""


def person(vector, seed=2):
    portrait = np.random.default_rng(seed).integers(0, 256, (PORTRAIT_PX, PORTRAIT_PX, 3), np.uint8)
    return SourceIdentity(vector, portrait, upright(PORTRAIT_PX, zoom=0.7).astype(np.float32), 1, 1.0)


def vector_of(colour):
    """A raw vector, whose first three numbers at unit length are about `colour`."""
    vector = np.zeros(512, np.float32)
    vector[:3] = colour
    vector[3] = np.sqrt(1 - np.square(colour).sum())
    return 20 * vector


def feed_of(colour):
    return SourceFeed({"embedding": np.pad(np.array([colour], np.float32), ((0, 0), (0, 509)))}, True)


def crops_of(count, size, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, size, size, 3), np.uint8)


def expected(contract, crop, added):
    """By the contract alone, in float64: what `swapper_network` makes of a crop."""
    fed = next(each for each in contract.inputs if each.role == "picture").feed
    ordered = crop[:, :, ::-1] if fed.order == "rgb" else crop
    value = SHADE * (ordered.astype(np.float64) - fed.mean) / fed.scale + np.asarray(added, np.float64)
    black, white = contract.output_range
    picture = np.clip((value - black) / (white - black) * 255, 0, 255)
    return picture[:, :, ::-1] if fed.order == "rgb" else picture


def make_networks(folder, batch):
    """A stand-in for each family that is fed by a vector, by its file's name."""
    for name, side, more in (
        ("inswapper_128", 128, {"emap": TURNED}),
        ("hyperswap_1a_256", 256, {"mask": True}),
        ("ghost_1_256", 256, {}),
        ("hififace_unofficial_256", 256, {}),
        ("simswap_256", 256, {}),
        ("simswap_unofficial_512", 512, {}),
        ("alphaface_256", 256, {}),
    ):
        swapper_network(folder / f"{name}.onnx", side=side, batch=batch, **more)
    for name in ("simswap", "ghost", "hififace"):
        converter_network(folder / f"crossface_{name}.onnx", TURNED)
    return folder


@pytest.fixture(scope="module", params=[1, "batch"], ids=["one", "batch"])
def folder(request, tmp_path_factory):
    return make_networks(tmp_path_factory.mktemp("swappers"), request.param)


def opened(request, *arguments, **options):
    swapper = open_swapper(*arguments, **options)
    request.addfinalizer(swapper.close)
    return swapper


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("name", "template", "size", "gain"),
    [
        ("inswapper_128", "arcface_128", 128, 1),
        ("hyperswap_1a_256", "arcface_128", 256, 1),
        ("ghost_1_256", "arcface_112_v1", 256, 0.025),
        ("hififace_unofficial_256", "mtcnn_512", 256, 1),
        ("simswap_256", "arcface_112_v1", 256, 1),
        ("simswap_unofficial_512", "arcface_112_v1", 512, 1),
        ("alphaface_256", "arcface_128", 256, 0.05),
    ],
)
def test_every_family_paints_by_its_contract(request, folder, backend, name, template, size, gain):
    model = CATALOG[name]
    swapper = opened(request, model, folder, backend)
    assert (swapper.template, swapper.size, swapper.side, swapper.boost) == (template, size, size, 1)
    crops = crops_of(2, size)
    feeds = [source_feed(model, person(gain * vector_of(each)), folder, backend) for each in COLOURS[:2]]
    swapped = swapper.swap(crops, feeds)
    assert (swapped.bgr.shape, swapped.bgr.dtype) == (crops.shape, np.uint8)
    for crop, feed, bgr in zip(crops, feeds, swapped.bgr, strict=True):
        wanted = expected(model.contract, crop, tint(feed.values["embedding"]))
        assert np.abs(bgr - wanted).max() <= 0.51
    # Were the colours mixed up or the vectors ignored, both faces would be alike.
    assert not np.array_equal(tint(feeds[0].values["embedding"]), tint(feeds[1].values["embedding"]))


@pytest.mark.parametrize("backend", BACKENDS)
def test_hyperswaps_own_mask_is_used(request, folder, backend):
    swapper = opened(request, CATALOG["hyperswap_1a_256"], folder, backend)
    assert swapper.has_mask
    crops = crops_of(2, 256)
    mask = swapper.swap(crops, [feed_of(COLOURS[0])] * 2).mask
    assert (mask.shape, mask.dtype) == ((2, 256, 256), np.uint8)
    red = (crops[..., 2].astype(np.float64) - 127.5) / 127.5
    assert np.abs(mask - np.clip(1 - red, 0, 1) * 255).max() <= 0.51
    plain = opened(request, CATALOG["ghost_1_256"], folder, backend)
    assert not plain.has_mask
    assert plain.swap(crops, [feed_of(COLOURS[0])] * 2).mask is None


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("batch", [1, "n"])
@pytest.mark.parametrize(("name", "size", "source"), [("blendswap_256", 256, 112), ("uniface_256", 256, 256)])
def test_families_that_are_fed_by_a_picture(request, tmp_path, backend, batch, name, size, source):
    model = CATALOG[name]
    picture_swapper(tmp_path / model.file, side=size, source_side=source, batch=batch)
    swapper = opened(request, model, tmp_path, backend)
    assert swapper.template == "ffhq_512"
    assert swapper.batches == (batch == "n")
    people = [person(vector_of(COLOURS[0]), seed) for seed in (1, 2)]
    people[1] = replace(people[1], portrait=people[1].portrait // 3)
    feeds = [source_feed(model, each, tmp_path, backend) for each in people]
    crops = crops_of(2, size)
    swapped = swapper.swap(crops, feeds)
    for crop, feed, bgr in zip(crops, feeds, swapped.bgr, strict=True):
        added = feed.values["source_picture"][0].mean(axis=(1, 2))
        assert np.abs(bgr - expected(model.contract, crop, added)).max() <= 0.51


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_family_is_added_by_data_alone(request, tmp_path, backend):
    model = parse_catalog(TOY)["toy"]
    swapper_network(tmp_path / "toy.onnx", side=24, batch="n", names=("x", "y"), mask=True, mask_first=True)
    swapper = opened(request, model, tmp_path, backend)
    assert (swapper.template, swapper.size) == ("mtcnn_512", 24)
    crops = crops_of(3, 24)
    feeds = [source_feed(model, person(vector_of(each)), tmp_path) for each in COLOURS]
    swapped = swapper.swap(crops, feeds)
    for crop, feed, bgr in zip(crops, feeds, swapped.bgr, strict=True):
        assert np.abs(bgr - expected(model.contract, crop, tint(feed.values["embedding"]))).max() <= 0.51
    assert swapped.mask is not None


def toy(tmp_path, *, sides=24, **options):
    swapper_network(tmp_path / "toy.onnx", side=sides, mask=True, **options)
    text = TOY if sides == 24 else TOY.replace("24", str(sides))
    return parse_catalog(text)["toy"]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("batch", [1, "n"])
@pytest.mark.parametrize("k", [2, 3])
def test_a_boosted_crop_is_painted_pixel_by_pixel(request, tmp_path, backend, batch, k):
    model = toy(tmp_path, sides=128, batch=batch)
    swapper = opened(request, model, tmp_path, backend, boost=k)
    assert (swapper.size, swapper.side, swapper.boost) == (128 * k, 128, k)
    crops = crops_of(2, 128 * k)
    swapped = swapper.swap(crops, [feed_of(each) for each in COLOURS[:2]])
    for crop, colour, bgr, mask in zip(crops, COLOURS, swapped.bgr, swapped.mask, strict=False):
        # The network changes each pixel alone, so a boost must not be seen.
        assert np.abs(bgr - expected(model.contract, crop, colour)).max() <= 0.51
        first = (crop[..., 0].astype(np.float64) - 10) / 100
        assert np.abs(mask - np.clip(1 - first, 0, 1) * 255).max() <= 0.51
    swapper.boost_by(1)
    assert swapper.swap(crops_of(1, 128), [feed_of(COLOURS[0])]).bgr.shape == (1, 128, 128, 3)


class Counting:
    """A session that counts its runs and keeps the shapes it was fed."""

    def __init__(self, session):
        self.session, self.fed = session, []

    def __getattr__(self, name):
        return getattr(self.session, name)

    def run(self, feeds):
        self.fed.append({name: (array.shape, id(array)) for name, array in feeds.items()})
        return self.session.run(feeds)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("batch", "runs"), [("n", 1), (1, 8)])
def test_all_faces_and_all_pictures_of_a_boost_are_one_run_where_they_can_be(
    request, tmp_path, backend, batch, runs
):
    swapper = opened(request, toy(tmp_path, sides=128, batch=batch), tmp_path, backend, boost=2)
    swapper._session = counting = Counting(swapper._session)
    assert swapper.batches == (batch == "n")
    swapper.swap(crops_of(2, 256), [feed_of(each) for each in COLOURS[:2]])
    assert len(counting.fed) == runs
    if batch == "n":
        assert counting.fed[0]["target"][0] == (8, 128, 128, 3)
        assert counting.fed[0]["source"][0] == (8, 512)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_vector_of_a_fixed_batch_lets_no_pictures_through_together(request, tmp_path, backend):
    model = toy(tmp_path, batch="n", source_batch=1)
    swapper = opened(request, model, tmp_path, backend)
    assert not swapper.batches
    crops = crops_of(2, 24)
    swapped = swapper.swap(crops, [feed_of(each) for each in COLOURS[:2]])
    for crop, colour, bgr in zip(crops, COLOURS, swapped.bgr, strict=False):
        assert np.abs(bgr - expected(model.contract, crop, colour)).max() <= 0.51


def test_the_vectors_are_stacked_anew_only_when_one_changes(request, tmp_path):
    swapper = opened(request, toy(tmp_path, batch="n"), tmp_path)
    swapper._session = counting = Counting(swapper._session)
    feeds = [feed_of(each) for each in COLOURS]
    crops = crops_of(3, 24)
    first = swapper.swap(crops, feeds).bgr.copy()
    second = swapper.swap(crops, feeds).bgr.copy()
    other = swapper.swap(crops, feeds[::-1]).bgr.copy()
    arrays = [fed["source"][1] for fed in counting.fed]
    assert arrays[0] == arrays[1] != arrays[2]
    assert (first == second).all()
    assert not (first[0] == other[0]).all()
    assert (first[1] == other[1]).all()
    fewer = swapper.swap(crops[:2], feeds[1:]).bgr
    assert not (fewer[0] == first[0]).all()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("batch", [1, "n"])
def test_numbers_that_are_none_are_a_face_that_is_not_swapped(request, tmp_path, backend, batch):
    swapper = opened(request, toy(tmp_path, batch=batch, fault="nan"), tmp_path, backend)
    feeds = [feed_of((0.5, 0.5, 0.5)), feed_of((-9, -9, -9)), feed_of((0.5, 0.5, 0.5))]
    with pytest.raises(SwapError, match="toy gave no face that can be shown") as caught:
        swapper.swap(crops_of(3, 24), feeds)
    assert caught.value.faces == (1,)
    assert isinstance(caught.value, BackendError)
    assert "face 2 of 3" in caught.value.message
    good = swapper.swap(crops_of(2, 24), [feeds[0], feeds[2]])
    assert np.ptp(good.bgr) > 50


@pytest.mark.parametrize("backend", BACKENDS)
def test_one_colour_is_no_face(request, tmp_path, backend):
    swapper = opened(request, toy(tmp_path, batch="n", fault="constant"), tmp_path, backend)
    with pytest.raises(SwapError, match="face 2 of 2: it painted nothing but one colour") as caught:
        swapper.swap(crops_of(2, 24), [feed_of(COLOURS[0]), feed_of((0.0, 0.0, 0.0))])
    assert caught.value.faces == (0, 1)


def test_a_fault_in_a_part_of_a_boost_is_the_faces(request, tmp_path):
    swapper = opened(request, toy(tmp_path, sides=128, batch="n", fault="nan"), tmp_path, boost=2)
    with pytest.raises(SwapError) as caught:
        swapper.swap(crops_of(2, 256), [feed_of((0.5, 0.5, 0.5)), feed_of((-9, -9, -9))])
    assert caught.value.faces == (1,)
    assert caught.value.message.count("face 2 of 2") == 1


def test_a_mask_that_would_show_the_wearer_is_a_fault(request, tmp_path):
    swapper = opened(request, toy(tmp_path, batch="n"), tmp_path)
    crops = crops_of(2, 24)
    crops[1, :, :, 0] = 200  # the mask is 1 less the first channel, brought to -0.9
    with pytest.raises(SwapError, match="face 2 of 2: its mask takes nothing of it"):
        swapper.swap(crops, [feed_of(COLOURS[0])] * 2)


def test_crops_of_another_shape_and_feeds_of_another_model(request, tmp_path):
    swapper = opened(request, toy(tmp_path), tmp_path)
    feed = feed_of(COLOURS[0])
    for crops in (crops_of(1, 25), crops_of(2, 24), crops_of(1, 24).astype(np.float32)):
        with pytest.raises(ValueError, match="toy takes"):
            swapper.swap(crops, [feed])
    with pytest.raises(ModelError, match="of another model: its embedding is of"):
        swapper.swap(crops_of(1, 24), [SourceFeed()])
    with pytest.raises(ModelError, match=r"there is one of \(1, 128\)"):
        swapper.swap(crops_of(1, 24), [SourceFeed({"embedding": np.ones((1, 128), np.float32)}, True)])


def test_no_face_is_no_run(request, tmp_path):
    swapper = opened(request, toy(tmp_path), tmp_path)
    swapper._session = counting = Counting(swapper._session)
    none = swapper.swap(crops_of(0, 24), [])
    assert (none.bgr.shape, none.mask.shape, counting.fed) == ((0, 24, 24, 3), (0, 24, 24), [])


def test_a_crop_may_be_a_part_of_a_larger_picture(request, tmp_path):
    swapper = opened(request, toy(tmp_path), tmp_path)
    frame = crops_of(1, 60)
    part = frame[:, 10:34, 7:31]
    assert not part.flags.c_contiguous
    kept = frame.copy()
    swapped = swapper.swap(part, [feed_of(COLOURS[0])]).bgr.copy()
    assert (swapped == swapper.swap(part.copy(), [feed_of(COLOURS[0])]).bgr).all()
    assert (frame == kept).all()


@pytest.mark.parametrize("k", [0, -1, 7])
def test_a_boost_that_is_not_offered(tmp_path, k):
    model = toy(tmp_path, sides=128)
    with pytest.raises(SettingError, match=f"cannot be boosted {k} times") as caught:
        open_swapper(model, tmp_path, boost=k)
    assert "1, 2, 3, 4, 6, 8" in caught.value.hint


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_file_of_another_family_shows_both_sides(tmp_path, backend):
    recogniser_network(tmp_path / "toy.onnx")
    with pytest.raises(ModelError, match=r"toy\.onnx is not what the catalogue says of toy") as caught:
        open_swapper(parse_catalog(TOY)["toy"], tmp_path, backend)
    assert "(1, 3, 112, 112)" in caught.value.message
    assert "(1, 3, 24, 24)" in caught.value.message
    swapper_network(tmp_path / "toy.onnx", side=24)
    with pytest.raises(ModelError, match="no output is its mask"):
        open_swapper(parse_catalog(TOY)["toy"], tmp_path, backend)
    swapper_network(tmp_path / "toy.onnx", side=24, mask=True, width=128)
    with pytest.raises(ModelError, match="no input is its embedding"):
        open_swapper(parse_catalog(TOY)["toy"], tmp_path, backend)


def test_a_file_that_is_not_there_is_to_be_fetched(tmp_path):
    with pytest.raises(ModelError, match=r"inswapper_128\.onnx cannot be read") as caught:
        open_swapper(CATALOG["inswapper_128"], tmp_path)
    assert "realtime models fetch" in caught.value.hint


def test_what_is_no_swapper(tmp_path):
    with pytest.raises(ModelError, match="arcface_w600k_r50 is a recogniser, not a swapper"):
        open_swapper(CATALOG["arcface_w600k_r50"], tmp_path)
    text = TOY.replace("output_range = [-0.5, 1.5]\n", "")
    swapper_network(tmp_path / "toy.onnx", side=24, mask=True)
    with pytest.raises(ModelError, match="does not say how toy swaps faces"):
        open_swapper(parse_catalog(text)["toy"], tmp_path)


def test_warming_up_is_not_stopped_by_what_is_painted(request, tmp_path):
    swapper = opened(request, toy(tmp_path, batch="n", fault="nan"), tmp_path)
    swapper._session = counting = Counting(swapper._session)
    swapper.warmup([feed_of((-9, -9, -9))] * 2)
    assert counting.fed[0]["target"][0] == (2, 24, 24, 3)
    swapper.close()
    swapper.close()
    with pytest.raises(BackendError, match="closed"):
        swapper.swap(crops_of(1, 24), [feed_of(COLOURS[0])])


def test_with_depth_two_faces_without_a_batch_overlap_and_come_out_the_same(tmp_path):
    model = CATALOG["hyperswap_1a_256"]
    swapper_network(tmp_path / model.file, side=256)
    contract = replace(model.contract, returns={"picture": (1, 3, 256, 256)})
    alone = replace(model, contract=contract)
    one, two = open_swapper(alone, tmp_path), open_swapper(alone, tmp_path, depth=2)
    assert not one.batches
    assert isinstance(two._session, Overlapping)
    assert not isinstance(one._session, Overlapping)
    crops, feeds = crops_of(3, 256), [feed_of(colour) for colour in COLOURS]
    np.testing.assert_allclose(two.swap(crops, feeds).bgr, one.swap(crops, feeds).bgr, atol=1)
    one.close()
    two.close()
