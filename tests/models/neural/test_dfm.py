"""DeepFaceLab's .dfm files: the same way as every other swapper, with the face in the file."""

import cv2
import numpy as np
import pytest

from models.added import add_model, known_models
from models.errors import ModelError, SettingError, SwapError
from models.neural.source_feed import source_feed, with_fidelity, with_morph
from models.neural.swapper import open_swapper
from tests.fakes.networks_swap import SHADE, dfm_network

BACKENDS = ["openvino", "onnx"]
SIDE = 48


@pytest.fixture
def folder(tmp_path, monkeypatch):
    folder = tmp_path / "models"
    monkeypatch.setenv("REALTIME_MODELS", str(folder))
    return folder


def added(folder, **options):
    path = dfm_network(folder.parent / "someone.dfm", side=SIDE, **options)
    add_model(path, "dfm")
    return known_models(folder)["someone"]


def opened(request, model, folder, backend):
    swapper = open_swapper(model, folder, backend)
    request.addfinalizer(swapper.close)
    return swapper


def crops_of(count):
    noise = np.random.default_rng(0).integers(60, 196, (count, SIDE, SIDE, 3), np.uint8)
    noise[:, 8:40, 8:40, :2] = 250  # what both masks take
    return noise


def sharpened(crop):
    """In float64, by the formula of the facts."""
    x = crop.astype(np.float64)
    return np.clip(1.75 * x - 0.75 * cv2.GaussianBlur(x, (0, 0), 2.0), 0, 255)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("batch", [1, "n"])
@pytest.mark.parametrize("morph", [True, False])
def test_a_dfm_that_was_added_paints_the_face_it_holds(request, folder, backend, batch, morph):
    model = added(folder, batch=batch, morph=morph)
    swapper = opened(request, model, folder, backend)
    assert (swapper.template, swapper.size, swapper.has_mask) == ("dfl_whole_face", SIDE, True)
    assert swapper.batches == (batch == "n")
    crops = crops_of(2)
    feed = source_feed(model, None, folder, backend, morph=0.25)
    swapped = swapper.swap(crops, [feed, feed])
    for crop, bgr in zip(crops, swapped.bgr, strict=True):
        wanted = np.clip(SHADE * sharpened(crop) + (0.25 * 255 if morph else 0), 0, 255)
        assert np.abs(bgr - wanted).max() <= 2  # sharpened in u8, painted in u8


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 2, 0), (2, 0, 1)])
def test_the_mask_is_the_lesser_of_both_drawn_in_and_softened(request, folder, order):
    swapper = opened(request, model := added(folder, order=order), folder, "openvino")
    crops = crops_of(1)
    crops[0, :, 30:, 1] = 0  # the other face's mask ends there
    mask = swapper.swap(crops, [source_feed(model, None, folder, morph=0.1)]).mask[0]
    both = np.minimum(*(sharpened(crops[0])[..., channel] for channel in (0, 1)))
    cross = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)
    wanted = cv2.GaussianBlur(cv2.erode(both, cross, iterations=2), (0, 0), 6.25)
    assert np.abs(mask - wanted).max() <= 3
    assert mask[24, 16] > 100 > mask[24, 44]


def test_each_face_has_its_own_morph(request, folder):
    model = added(folder, batch="n")
    swapper = opened(request, model, folder, "openvino")
    none = source_feed(model, None, folder, morph=0.0)
    crops = np.repeat(crops_of(1), 2, axis=0)
    swapped = swapper.swap(crops, [none, with_morph(none, 0.4)]).bgr.astype(int)
    lighter = swapped[1] - swapped[0]
    assert np.abs(lighter[swapped[1] < 255] - 102).max() <= 1


def test_there_is_no_fidelity_and_no_other_face(folder):
    model = added(folder)
    with pytest.raises(SettingError, match="no fidelity"):
        with_fidelity(source_feed(model, None, folder), np.ones(512, np.float32), 0.2)
    with pytest.raises(SettingError, match=r"the morph is 1\.5"):
        source_feed(model, None, folder, morph=1.5)


def test_masks_that_take_nothing_are_a_fault(request, folder):
    model = added(folder)
    swapper = opened(request, model, folder, "openvino")
    dark = np.random.default_rng(0).integers(0, 90, (1, SIDE, SIDE, 3), np.uint8)
    with pytest.raises(SwapError, match="its mask takes nothing of it"):
        swapper.swap(dark, [source_feed(model, None, folder, morph=0.1)])


def test_a_dfm_of_any_size_is_refused(folder):
    path = dfm_network(folder.parent / "free.dfm", side="side")
    add_model(path, "dfm")
    model = known_models(folder)["free"]
    with pytest.raises(ModelError, match="its picture is of any size"):
        open_swapper(model, folder)


def test_another_family_is_no_dfm(folder, tmp_path):
    from tests.fakes.networks_swap import swapper_network

    path = swapper_network(tmp_path / "odd.dfm", side=128)
    with pytest.raises(ModelError, match="not of the family dfm"):
        add_model(path, "dfm")
