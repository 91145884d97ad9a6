import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.neural.answer import faults_of, least_mask, soften


def pictures(count=3, side=8):
    return np.random.default_rng(0).integers(0, 256, (count, side, side, 3), np.uint8)


def test_a_whole_answer_has_no_fault():
    assert faults_of(pictures(), None) == {}
    assert faults_of(pictures(), np.full((3, 8, 8), 128, np.uint8)) == {}


@pytest.mark.parametrize(("noise", "fault"), [(0, True), (2, True), (3, False)])
def test_one_colour_but_for_its_rounding_is_a_fault(noise, fault):
    painted = pictures()
    painted[1] = 77
    painted[1, 2, 3, 1] += noise
    assert (1 in faults_of(painted, None)) is fault


def test_one_colour_is_one_in_each_channel():
    painted = pictures()
    painted[1] = (10, 120, 240)
    assert faults_of(painted, None) == {1: "it painted nothing but one colour"}
    painted[1, 0, 0, 2] = 200
    assert faults_of(painted, None) == {}


@pytest.mark.parametrize(("change", "fault"), [(0, True), (1, True), (3, False)])
def test_the_wearers_own_face_given_back_is_a_fault(change, fault):
    wearers = np.minimum(pictures(), 250)
    painted = pictures()[::-1].copy()
    painted[1] = wearers[1] + change
    assert faults_of(painted, None) == {}
    assert (faults_of(painted, None, wearers) == {1: "it gave the wearer's own face back"}) is fault


def test_a_mask_that_hides_the_new_face_is_a_fault():
    mask = np.full((3, 8, 8), 255, np.uint8)
    mask[2] = 127
    assert faults_of(pictures(), mask) == {2: "its mask takes nothing of it"}


@given(st.permutations(range(3)))
def test_the_least_of_several_masks_whatever_their_order(order):
    masks = np.random.default_rng(1).random((3, 2, 1, 5, 5), np.float32)
    out = np.empty((2, 5, 5), np.uint8)
    least_mask([masks[index] for index in order], out)
    assert np.abs(out - masks.min(axis=0)[:, 0] * 255).max() <= 0.51


def test_values_beyond_the_range_are_cut_and_half_precision_is_read():
    out = np.empty((1, 1, 3), np.uint8)
    least_mask([np.array([[[[-3.0, 0.5, 7.0]]]], np.float16)], out)
    assert out[0, 0].tolist() == [0, 128, 255]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_mask_with_one_bad_number_is_empty_and_the_others_are_not(bad):
    mask = np.ones((3, 1, 4, 4), np.float32)
    mask[1, 0, 2, 2] = bad
    out = np.empty((3, 4, 4), np.uint8)
    least_mask([np.ones_like(mask), mask], out)
    assert out.reshape(3, -1).min(axis=1).tolist() == out.reshape(3, -1).max(axis=1).tolist() == [255, 0, 255]


def test_softening_draws_the_edge_in():
    masks = np.zeros((1, 40, 40), np.uint8)
    masks[0, 10:30, 10:30] = 255
    soften(masks, (3, 0.6))
    assert masks[0, 20, 11] <= 2
    assert masks[0, 20, 20] == 255
    assert 0 < masks[0, 20, 13] < 255
