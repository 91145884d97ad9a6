import dataclasses

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.catalog import lookup
from models.errors import ModelError, SettingError, SwapError
from models.neural.upscaler import SIDES, STAYS, WORTH, input_side, open_upscaler
from tests.data import model as shared_model
from tests.fakes.networks_enhance import upscaler_network

NAMES = ("realesrgan_general_x4", "lsdir_compact_x4")


@pytest.fixture(params=["openvino", "onnx"])
def opened(request, tmp_path):
    held = []

    def made(*, kind=None, **chosen):
        model = lookup([NAMES[0]])[0]
        upscaler_network(tmp_path / model.file, **(kind or {}))
        held.append(open_upscaler(model, tmp_path, request.param, **chosen))
        return held[-1]

    yield made
    for each in held:
        each.close()


def picture(side=512, seed=2):
    """Smooth and of all colours."""
    coarse = np.random.default_rng(seed).integers(0, 255, (1, 8, 8, 3), dtype=np.uint8)
    return np.ascontiguousarray(cv2.resize(coarse[0], (side, side), interpolation=cv2.INTER_CUBIC))[None]


@pytest.mark.parametrize(
    ("shown", "known", "side"),
    [
        (512, 128, 128),  # a swapper of 128 px seen large
        (512, 96, 96),
        (300, 64, 64),
        (150, 128, 0),  # it has the pixels it is shown with
        (170, 128, 0),
        (200, 128, 128),
        (512, 0, 128),  # drawn in the frame: its finer half anew
        (200, 0, 96),
        (150, 0, 64),
        (80, 0, 0),  # too small for any of it to be seen
        (100, 40, 64),
        (0, 0, 0),
    ],
)
def test_no_more_goes_in_than_there_is_and_nothing_in_vain(shown, known, side):
    assert input_side(shown, known) == side


@settings(deadline=None)
@given(st.floats(0, 4000), st.floats(0, 600), st.sampled_from(SIDES))
def test_the_size_is_one_of_those_and_worth_its_while(shown, known, finest):
    side = input_side(shown, known, finest=finest)
    assert side in (0, *SIDES)
    assert side <= finest
    if side:
        assert shown >= WORTH * side or side == SIDES[0]
        assert known == 0 or side <= max(known, SIDES[0])


@settings(deadline=None)
@given(st.floats(30, 1000), st.floats(0, 300))
def test_a_larger_face_never_gets_a_smaller_input(shown, known):
    assert input_side(shown * 1.3, known) >= input_side(shown, known)


def test_it_does_not_flicker_between_two_sizes():
    edge = 2 * SIDES[1]
    taken = [0]
    for step in range(20):
        taken.append(input_side(edge * (1 + 0.05 * (-1) ** step), now=taken[-1]))
    assert len(set(taken[1:])) == 1
    assert input_side(edge / STAYS / 1.02, now=SIDES[1]) == SIDES[0]


def test_the_answer_has_the_crop_s_size_and_lies_where_the_crop_does(opened):
    """Nearest enlargement: the picture again, but for the pixels that it was reduced to."""
    upscaler = opened(strength=1.0)
    crops = picture()
    given = upscaler.enhance(crops)
    assert given.shape == crops.shape
    assert np.abs(given.astype(int) - crops).mean() < 4
    reduced = cv2.resize(crops[0], (128, 128), interpolation=cv2.INTER_AREA)
    wanted = np.repeat(np.repeat(reduced, 4, axis=0), 4, axis=1)
    assert np.abs(given[0].astype(int) - wanted).max() <= 1


def test_colours_keep_their_order(opened):
    crops = np.zeros((1, 512, 512, 3), np.uint8)
    crops[..., 0] = 200
    crops[:, :256, :, 2] = 90
    given = opened(strength=1.0).enhance(crops)
    assert np.abs(given[0, 100, 100].astype(int) - (200, 0, 90)).max() <= 1


def test_the_strength_is_the_share_of_the_answer(opened):
    upscaler = opened(strength=1.0)
    crops = picture()
    whole = upscaler.enhance(crops).astype(float)
    upscaler.strength = 0.5
    assert np.abs(upscaler.enhance(crops) - (whole + crops) / 2).max() <= 1
    upscaler.strength = 0.0
    assert (upscaler.enhance(crops) == crops).all()


@pytest.mark.parametrize("size", [512, 256, 300])
def test_any_crop_will_do_and_several(opened, size):
    upscaler = opened(strength=1.0)
    crops = np.concatenate([picture(size, 1), picture(size, 5)])
    before = crops.copy()
    given = upscaler.enhance(crops)
    assert given.shape == crops.shape
    assert (crops == before).all()
    assert [np.abs(a.astype(int) - b).mean() < 6 for a, b in zip(given, crops, strict=True)] == [True, True]


def test_a_face_shown_small_stays_as_it_is(opened):
    upscaler = opened(known_px=128.0)
    crops = picture()
    assert upscaler.enhance(crops, shown_px=150.0) is crops
    assert upscaler.enhance(crops, shown_px=400.0) is not crops


@pytest.mark.parametrize("fault", ["nan", "constant"])
def test_an_answer_that_is_no_face_is_an_error(opened, fault):
    upscaler = opened(kind={"fault": fault})
    with pytest.raises(SwapError) as caught:
        upscaler.enhance(picture())
    assert caught.value.faces == (0,)


def test_the_error_says_which_of_them(opened):
    upscaler = opened(strength=1.0)
    network = upscaler._networks[128].session
    runs = []

    class SecondFails:
        def run(self, feeds):
            runs.append(1)
            if len(runs) == 2:
                raise SwapError("no numbers", "fp32", (0,))
            return network.run(feeds)

        def close(self):
            network.close()

    upscaler._networks[128] = dataclasses.replace(upscaler._networks[128], session=SecondFails())
    with pytest.raises(SwapError) as caught:
        upscaler.enhance(np.concatenate([picture(seed=1), picture(seed=2)]))
    assert caught.value.faces == (1,)


def test_a_network_that_enlarges_otherwise_is_refused(opened):
    with pytest.raises(ModelError) as caught:
        opened(kind={"times": 2}).enhance(picture())
    assert "256" in caught.value.message


@pytest.mark.parametrize("strength", [-0.1, 1.1, float("nan")])
def test_a_slider_outside_its_range_is_an_error(opened, strength):
    with pytest.raises(SettingError):
        opened(strength=strength)


@pytest.mark.parametrize("name", NAMES)
def test_the_real_ones_give_the_picture_back_larger(name):
    model = lookup([name])[0]
    upscaler = open_upscaler(model, shared_model(model.file).parent, sides=(64,), strength=1.0)
    crops = picture(256)
    given = upscaler.enhance(crops)
    assert np.abs(given.astype(int) - crops).mean() < 16
    upscaler.close()
    upscaler.close()


def test_it_warms_up(opened):
    upscaler = opened(sides=(64, 96))
    upscaler.warmup()
    assert upscaler.enhance(picture()).shape == (1, 512, 512, 3)
