import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.intrusion import keep_intruders

SIDE = 64
ANGLES = np.linspace(0, 2 * np.pi, 36, endpoint=False)
OUTLINE = np.stack([32 + 20 * np.cos(ANGLES), 32 + 24 * np.sin(ANGLES)], axis=1)


def visible():
    return np.full((SIDE, SIDE), 255, np.uint8)


def test_a_spot_in_the_middle_becomes_visible_with_its_soft_edge():
    mask = visible()
    mask[28:36, 28:36] = 120
    mask[30:34, 30:34] = 0
    keep_intruders(mask, OUTLINE)
    assert (mask == 255).all()


def test_what_comes_from_outside_stays_as_it_is():
    mask = visible()
    mask[30:40, 0:36] = 7
    before = mask.copy()
    keep_intruders(mask, OUTLINE)
    np.testing.assert_array_equal(mask, before)


def test_a_cover_that_ends_at_the_outline_stays():
    mask = visible()
    mask[28:36, 13:20] = 0
    before = mask.copy()
    keep_intruders(mask, OUTLINE)
    np.testing.assert_array_equal(mask, before)


def test_of_two_covers_only_the_one_from_outside_stays():
    mask = visible()
    mask[44:, 28:36] = 0
    mask[22:26, 30:34] = 0
    keep_intruders(mask, OUTLINE)
    assert (mask[44:, 28:36] == 0).all()
    assert (mask[18:30, 26:38] == 255).all()


def test_outside_the_face_nothing_changes():
    mask = visible()
    mask[:4] = 33
    mask[:, -3:] = 90
    before = mask.copy()
    keep_intruders(mask, OUTLINE)
    np.testing.assert_array_equal(mask, before)


@pytest.mark.parametrize("value", [0, 255])
def test_all_covered_and_all_visible_stay(value):
    mask = np.full((SIDE, SIDE), value, np.uint8)
    keep_intruders(mask, OUTLINE)
    assert (mask == value).all()


@given(st.integers(0, 2**31 - 1), st.floats(0, 1))
def test_nothing_becomes_more_covered(seed, share):
    rng = np.random.default_rng(seed)
    mask = np.where(rng.random((SIDE, SIDE)) < share, rng.integers(0, 256, (SIDE, SIDE)), 255).astype(
        np.uint8
    )
    before = mask.copy()
    keep_intruders(mask, OUTLINE)
    assert (mask >= before).all()
    assert set(np.unique(mask[mask != before])) <= {255}


def test_a_face_outside_the_mask_is_no_error():
    mask = visible()
    mask[10:20, 10:20] = 0
    before = mask.copy()
    keep_intruders(mask, OUTLINE + 500)
    np.testing.assert_array_equal(mask, before)
