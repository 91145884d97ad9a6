from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.catalog import load_catalog
from models.errors import ModelError, SettingError, SwapError
from models.geometry import template
from models.neural.emap import apply_emap
from models.neural.identity import PORTRAIT_PX, SourceIdentity, aligned_source
from models.neural.source_feed import SourceFeed, source_feed, with_fidelity, with_morph
from tests.fakes.five import upright
from tests.fakes.networks_swap import converter_network, permutation, swapper_network

BACKENDS = ["openvino", "onnx"]
RAW = (20 * np.random.default_rng(4).standard_normal(512) / np.sqrt(512)).astype(np.float32)
UNIT = RAW / np.linalg.norm(RAW)
OWN = (3 * np.random.default_rng(9).standard_normal(512)).astype(np.float32)
PERSON = SourceIdentity(
    RAW,
    np.random.default_rng(2).integers(0, 256, (PORTRAIT_PX, PORTRAIT_PX, 3), np.uint8),
    upright(PORTRAIT_PX, zoom=0.7).astype(np.float32),
    1,
    1.0,
)
CATALOG = load_catalog()


@pytest.fixture
def folder(tmp_path):
    swapper_network(tmp_path / "inswapper_128.onnx", side=128, emap=permutation())
    for name in ("simswap", "ghost", "hififace"):
        converter_network(tmp_path / f"crossface_{name}.onnx", permutation(len(name)))
    return tmp_path


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("name", "expected", "wearer_unit"),
    [
        ("inswapper_128", apply_emap(RAW, permutation()), True),
        ("hyperswap_1a_256", UNIT, True),
        ("alphaface_256", RAW, False),
        ("ghost_1_256", RAW @ permutation(5), False),
        ("hififace_unofficial_256", UNIT @ permutation(8) / 2, True),
        ("simswap_256", UNIT @ permutation(7) / 2, True),
        ("simswap_unofficial_512", UNIT @ permutation(7) / 2, True),
    ],
)
def test_every_family_gets_the_vector_it_was_trained_on(folder, backend, name, expected, wearer_unit):
    feed = source_feed(CATALOG[name], PERSON, folder, backend)
    assert set(feed.values) == {"embedding"}
    vector = feed.values["embedding"]
    assert (vector.shape, vector.dtype, vector.flags.c_contiguous) == ((1, 512), np.float32, True)
    assert vector[0] == pytest.approx(expected, abs=1e-5)
    assert feed.wearer_unit is wearer_unit


@pytest.mark.parametrize(
    ("name", "size", "points"), [("blendswap_256", 112, "arcface_112_v2"), ("uniface_256", 256, "ffhq_512")]
)
def test_a_family_fed_by_a_picture_gets_rgb_from_0_to_1(tmp_path, name, size, points):
    feed = source_feed(CATALOG[name], PERSON, tmp_path)
    assert set(feed.values) == {"source_picture"}
    assert feed.wearer_unit is None
    values = feed.values["source_picture"]
    assert (values.shape, values.dtype, values.flags.c_contiguous) == ((1, 3, size, size), np.float32, True)
    bgr = aligned_source(PERSON.portrait, PERSON.five, template(points, size), size)
    assert values[0].transpose(1, 2, 0)[:, :, ::-1] * 255 == pytest.approx(bgr.astype(float), abs=1e-3)


def test_a_dfm_needs_no_face_and_takes_a_morph(tmp_path):
    dfm = replace(CATALOG["inswapper_128"], name="own", contract=dfm_contract())
    assert source_feed(dfm, None, tmp_path).values["morph"].tolist() == [1.0]
    feed = source_feed(dfm, None, tmp_path, morph=0.25)
    assert feed.values["morph"].tolist() == [0.25]
    assert feed.wearer_unit is None
    assert with_morph(feed, 0.75).values["morph"].tolist() == [0.75]
    assert feed.values["morph"].tolist() == [0.25]


def dfm_contract():
    from models.catalog import load_families
    from models.catalog_file import family_member
    from models.entries import AddedSource

    values = {"about": "", "file": "own.onnx", "licence": "own", "source": AddedSource("own.dfm")}
    return family_member("own", "dfm", load_families(), values).contract


def test_a_model_that_paints_any_face_needs_one(folder):
    for name in ("inswapper_128", "blendswap_256"):
        with pytest.raises(ModelError, match=f"{name} paints any face") as caught:
            source_feed(CATALOG[name], None, folder)
        assert "--face" in caught.value.hint


def test_another_recognisers_vector_is_refused_by_its_size(folder):
    person = replace(PERSON, embedding=np.ones(128, np.float32))
    with pytest.raises(ModelError, match="told by 128 numbers, and this swapper takes 512") as caught:
        source_feed(CATALOG["hyperswap_1a_256"], person, folder)
    assert "arcface_w600k_r50" in caught.value.hint


def test_a_swapper_without_its_converter(folder):
    (folder / "crossface_simswap.onnx").unlink()
    with pytest.raises(ModelError, match="needs the converter crossface_simswap, which is not in") as caught:
        source_feed(CATALOG["simswap_256"], PERSON, folder)
    assert caught.value.hint == "run: realtime models fetch crossface_simswap"
    bare = replace(CATALOG["simswap_256"], needs=("arcface_w600k_r50",))
    with pytest.raises(ModelError, match="names no converter"):
        source_feed(bare, PERSON, folder)


@pytest.mark.parametrize("matrix", [np.zeros((512, 512)), np.full((512, 512), np.nan)])
def test_a_converter_that_makes_nothing(folder, matrix):
    converter_network(folder / "crossface_simswap.onnx", matrix.astype(np.float32))
    with pytest.raises(ModelError, match="comes out as nothing for simswap_256"):
        source_feed(CATALOG["simswap_256"], PERSON, folder)


def test_a_converter_is_closed_even_if_it_fails(folder, monkeypatch):
    closed = []
    from models.loading import open_model as really_open

    def open_watched(*arguments, **options):
        opened = really_open(*arguments, **options)
        close = opened.session.close
        monkeypatch.setattr(opened.session, "close", lambda: (closed.append(1), close()))
        if len(closed) == 1:
            monkeypatch.setattr(opened.session, "run", broken)
        return opened

    def broken(feeds):
        raise SwapError("broken", "mend it")

    monkeypatch.setattr("models.neural.source_feed.open_model", open_watched)
    source_feed(CATALOG["simswap_256"], PERSON, folder)
    assert closed == [1]
    with pytest.raises(SwapError):
        source_feed(CATALOG["simswap_256"], PERSON, folder)
    assert closed == [1, 1]


def test_a_form_that_nobody_knows(folder):
    model = CATALOG["hyperswap_1a_256"]
    odd = replace(model, contract=replace(model.contract, embedding="squared"))
    with pytest.raises(ModelError, match="says 'squared' of a vector"):
        source_feed(odd, PERSON, folder)


def feed_of(vector=RAW, wearer_unit=True):
    return SourceFeed({"embedding": vector.reshape(1, -1)}, wearer_unit)


def test_at_one_half_nothing_changes_and_no_vector_is_needed():
    feed = feed_of()
    assert with_fidelity(feed, None, 0.5) is feed
    picture = SourceFeed({"source_picture": np.zeros((1, 3, 2, 2), np.float32)})
    assert with_fidelity(picture, None, 0.5) is picture


@pytest.mark.parametrize("wearer_unit", [True, False])
@pytest.mark.parametrize(("fidelity", "weight"), [(0.0, 0.35), (0.25, 0.175), (1.0, -0.35)])
def test_the_wearer_is_mixed_in_or_taken_away(wearer_unit, fidelity, weight):
    own = OWN / np.linalg.norm(OWN) if wearer_unit else OWN
    mixed = with_fidelity(feed_of(wearer_unit=wearer_unit), OWN, fidelity).values["embedding"]
    assert mixed[0] == pytest.approx(RAW * (1 - weight) + own * weight, abs=1e-5)
    assert (mixed.shape, mixed.dtype) == ((1, 512), np.float32)


@given(st.floats(0, 1), st.floats(0, 1))
def test_more_fidelity_is_never_more_like_the_wearer(one, other):
    low, high = sorted((one, other))
    own = OWN / np.linalg.norm(OWN)
    like = [
        float(with_fidelity(feed_of(UNIT), OWN, each).values["embedding"][0] @ own) for each in (low, high)
    ]
    assert like[0] >= like[1] - 1e-5


@pytest.mark.parametrize("value", [-0.01, 1.01, float("nan"), float("inf")])
def test_sliders_outside_their_range(value):
    with pytest.raises(SettingError, match="the fidelity is"):
        with_fidelity(feed_of(), OWN, value)
    with pytest.raises(SettingError, match="the morph is"):
        with_morph(SourceFeed({"morph": np.ones(1, np.float32)}), value)


@pytest.mark.parametrize("wearer", [None, np.zeros(512, np.float32), np.full(512, np.nan, np.float32)])
def test_a_wearer_without_a_vector_is_one_face_that_fails(wearer):
    with pytest.raises(SwapError, match="the wearer's own face has no vector"):
        with_fidelity(feed_of(), wearer, 0.25)


def test_sliders_that_a_family_does_not_have():
    picture = SourceFeed({"source_picture": np.zeros((1, 3, 2, 2), np.float32)})
    with pytest.raises(SettingError, match="no fidelity to set"):
        with_fidelity(picture, OWN, 0.25)
    with pytest.raises(SettingError, match="has no morph"):
        with_morph(feed_of(), 0.5)
    with pytest.raises(ModelError, match="told by 128 numbers"):
        with_fidelity(feed_of(), np.ones(128, np.float32), 0.25)
