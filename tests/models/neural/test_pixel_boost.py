import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import ModelError
from models.neural.pixel_boost import OFFERED, factor, join, offered, proposed, take_apart


def random(*shape):
    return np.random.default_rng(7).integers(0, 256, shape, np.uint8)


@given(st.integers(1, 3), st.integers(1, 5), st.integers(1, 9))
def test_joining_undoes_taking_apart(count, k, side):
    crops = random(count, k * side, k * side, 3)
    apart = take_apart(crops, k, np.zeros((count * k * k, side, side, 3), np.uint8))
    assert (join(apart, k, np.zeros_like(crops)) == crops).all()


@given(st.integers(1, 3), st.integers(1, 4), st.integers(1, 6), st.data())
def test_each_part_holds_every_kth_pixel(count, k, side, data):
    crops = random(count, k * side, k * side, 3)
    apart = take_apart(crops, k, np.zeros((count * k * k, side, side, 3), np.uint8))
    number, row, column = (data.draw(st.integers(0, most - 1)) for most in (count, k, k))
    assert (apart[number * k * k + row * k + column] == crops[number, row::k, column::k]).all()


def test_masks_are_joined_as_pictures_are():
    parts = random(2 * 9, 4, 4)
    joined = join(parts, 3, np.zeros((2, 12, 12), np.uint8))
    assert (joined[1, 1::3, 2::3] == parts[9 + 3 + 2]).all()


@pytest.mark.parametrize("side", OFFERED)
def test_every_offered_side_is_a_multiple(side):
    assert offered(side)[0] == side
    assert [factor(each, side) * side for each in offered(side)] == list(offered(side))


def test_a_network_of_another_side_has_only_its_own():
    assert offered(224) == (224,)
    assert proposed(0.5, 224) == 1


@pytest.mark.parametrize(("wanted", "side"), [(384, 256), (128, 256), (640, 128), (0, 128)])
def test_what_is_not_offered_is_refused(wanted, side):
    with pytest.raises(ModelError, match=f"{side} px cannot be boosted to {wanted} px") as caught:
        factor(wanted, side)
    assert str(offered(side)[-1]) in caught.value.hint


@pytest.mark.parametrize(
    ("scale", "side", "boosted"),
    [
        (0.6, 128, 512),
        (1.0, 128, 512),
        (1.01, 128, 384),
        (1.75, 128, 384),
        (1.76, 128, 256),
        (2.0, 128, 256),
        (2.01, 128, 128),
        (1.0, 256, 512),
        (1.01, 256, 256),
        (9.0, 256, 256),
        (0.5, 512, 512),
    ],
)
def test_no_more_is_proposed_than_the_frame_has(scale, side, boosted):
    assert proposed(scale, side) * side == boosted
