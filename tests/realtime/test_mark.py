import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.mark import Mark, draw_badge

SIZES = [(144, 176), (360, 640), (720, 1280), (1080, 1920), (1280, 720)]


def marked(shape, level):
    picture = np.full((*shape, 3), level, np.uint8)
    Mark().apply(picture)
    return picture


@pytest.mark.parametrize("shape", SIZES)
@pytest.mark.parametrize("level", [0, 128, 255])
def test_the_badge_is_legible_on_any_ground(shape, level):
    picture = marked(shape, level)
    ys, xs, _ = np.nonzero(picture != level)
    badge = picture[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1]
    assert badge.max() > 235
    assert badge.shape[0] >= shape[0] / 30
    assert badge.shape[1] > 2 * badge.shape[0]
    middle = badge[badge.shape[0] // 2].astype(int)
    luma = middle @ (0.114, 0.587, 0.299)
    assert luma.max() - np.median(luma) > 60, "letters do not stand out from their plate"


@pytest.mark.parametrize("shape", SIZES)
def test_it_is_in_the_upper_left_and_nowhere_else(shape):
    picture = marked(shape, 90)
    changed = (picture != 90).any(axis=2)
    ys, xs = np.nonzero(changed)
    assert ys.max() < shape[0] / 4
    assert 0 < xs.min() < shape[1] / 10
    assert changed.sum() < changed.size / 8


@given(height=st.integers(1, 60), width=st.integers(1, 200))
@settings(max_examples=60)
def test_no_picture_is_too_small(height, width):
    picture = np.zeros((height, width, 3), np.uint8)
    Mark().apply(picture)
    assert picture.any() or min(height, width) < 8


def test_the_size_may_change_between_pictures():
    mark = Mark()
    large, small = np.zeros((720, 1280, 3), np.uint8), np.zeros((180, 320, 3), np.uint8)
    again = large.copy()
    for picture in (large, small, again):
        mark.apply(picture)
    assert np.array_equal(large, again)
    alone = np.zeros_like(small)
    Mark().apply(alone)
    assert np.array_equal(small, alone)


def test_it_works_in_place_on_a_strided_view():
    whole = np.zeros((400, 800, 3), np.uint8)
    view = whole[20:380, 40:680]
    Mark().apply(view)
    assert whole[20:60, 40:300].any()
    assert not whole[:20].any()


def test_off_leaves_the_picture_alone():
    picture = np.full((360, 640, 3), 77, np.uint8)
    Mark(enabled=False).apply(picture)
    assert (picture == 77).all()


def test_the_ground_shows_through_the_plate_but_not_through_the_letters():
    bgr, alpha = draw_badge("AI", 40)
    assert bgr.shape == (*alpha.shape, 3)
    assert alpha.shape[0] == 40
    assert alpha[0, 0] < 20
    plate = int(np.median(alpha[alpha > 0]))
    assert 120 < plate < 230
    assert (alpha > 250).any()
