import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.masks.edges import CENTRED, OUTSIDE, eye_distance, soften, to_size
from models.scratch import Scratch
from tests.fakes.head import posed


def half(size=101, begins=50):
    mask = np.zeros((size, size), np.uint8)
    mask[:, begins:] = 255
    return mask


@settings(deadline=None)
@given(st.integers(2, 20))
def test_an_outside_edge_keeps_all_that_was_taken_and_ends_within_its_reach(reach):
    mask = half()
    soften(mask, reach, OUTSIDE, Scratch())
    assert (mask[:, 50:] == 255).all()
    assert (mask[:, : 50 - reach] == 0).all()
    assert (np.diff(mask[0].astype(int)) >= 0).all()
    assert mask[0, 50 - reach // 2 - 1] < 255
    assert mask[0, 49] > 0


@settings(deadline=None)
@given(st.integers(2, 20))
def test_a_centred_edge_is_half_way_where_the_edge_was(reach):
    mask = half()
    soften(mask, reach, CENTRED, Scratch())
    assert (mask[:, 50 + reach :] == 255).all()
    assert (mask[:, : 50 - reach] == 0).all()
    assert mask[0, 49] < 128 < mask[0, 50]
    assert int(mask[0, 49]) + int(mask[0, 50]) == pytest.approx(255, abs=3)


def test_the_border_of_the_picture_is_no_edge():
    mask = np.full((40, 40), 255, np.uint8)
    soften(mask, 9, CENTRED, Scratch())
    assert (mask == 255).all()


def test_no_reach_is_the_least_reach():
    mask = half()
    soften(mask, 0, OUTSIDE, Scratch())
    assert (mask[:, 50:] == 255).all()
    assert (mask[:, :48] == 0).all()


@settings(deadline=None)
@given(st.floats(-75, 75), st.floats(-35, 35), st.floats(-180, 180))
def test_the_eye_distance_stays_when_the_head_turns(yaw, pitch, roll):
    frontal = eye_distance(posed(eyes_px=100))
    # A head that does both at once has neither at its full length.
    assert eye_distance(posed(eyes_px=100, yaw=yaw, roll=roll)) == pytest.approx(frontal, rel=0.06)
    assert eye_distance(posed(eyes_px=100, pitch=pitch, roll=roll)) == pytest.approx(frontal, rel=0.12)


def test_a_mask_is_brought_to_another_size():
    out = np.empty((202, 202), np.uint8)
    assert to_size(half(), 202, out) is out
    assert (out[:, :99] == 0).all()
    assert (out[:, 103:] == 255).all()
    same = np.empty((101, 101), np.uint8)
    assert (to_size(half(), 101, same) == half()).all()
