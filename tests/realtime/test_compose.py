import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.patch import Patch
from realtime.compose import Paster


def rng_picture(seed, height, width):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)


@settings(max_examples=40, deadline=None)
@given(st.data(), st.integers(0, 2**31 - 1))
def test_blends_like_floats_and_leaves_the_rest(data, seed):
    height, width = data.draw(st.integers(1, 60)), data.draw(st.integers(1, 60))
    y, x = data.draw(st.integers(0, height - 1)), data.draw(st.integers(0, width - 1))
    h, w = data.draw(st.integers(1, height - y)), data.draw(st.integers(1, width - x))
    picture, front = rng_picture(seed, height, width), rng_picture(seed + 1, h, w)
    alpha = rng_picture(seed + 2, h, w)[:, :, 0].copy()
    expected = picture.astype(float)
    share = alpha[:, :, None] / 255
    expected[y : y + h, x : x + w] = front * share + expected[y : y + h, x : x + w] * (1 - share)
    before = picture.copy()
    Paster().paste(picture, Patch(x, y, front, alpha))
    error = abs(picture - expected)
    assert error.max() <= 1 + 1e-6
    outside = np.ones((height, width), bool)
    outside[y : y + h, x : x + w] = False
    np.testing.assert_array_equal(picture[outside], before[outside])


@pytest.mark.parametrize("whole", [0, 255])
def test_nothing_and_everything_are_exact(whole):
    picture, front = rng_picture(1, 40, 40), rng_picture(2, 20, 20)
    expected = picture.copy()
    if whole:
        expected[5:25, 7:27] = front
    Paster().paste(picture, Patch(7, 5, front, np.full((20, 20), whole, np.uint8)))
    np.testing.assert_array_equal(picture, expected)


def test_an_empty_patch_changes_nothing():
    picture = rng_picture(1, 10, 10)
    before = picture.copy()
    Paster().paste(picture, Patch(0, 0, picture[:0, :0], picture[:0, :0, 0]))
    np.testing.assert_array_equal(picture, before)


def test_the_patch_itself_is_not_changed():
    front, alpha = rng_picture(2, 9, 9), np.full((9, 9), 128, np.uint8)
    kept = front.copy()
    Paster().paste(rng_picture(1, 9, 9), Patch(0, 0, front, alpha))
    np.testing.assert_array_equal(front, kept)
    assert (alpha == 128).all()


def test_the_error_of_rounding_is_small_on_average():
    picture, front = rng_picture(1, 200, 200), rng_picture(2, 200, 200)
    alpha = rng_picture(3, 200, 200)[:, :, 0].copy()
    share = alpha[:, :, None] / 255
    expected = front * share + picture * (1 - share)
    Paster().paste(picture, Patch(0, 0, front, alpha))
    assert abs(picture - expected).mean() < 0.5
