import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import SettingError
from models.masks.box import box_mask

NONE = (0.0, 0.0, 0.0, 0.0)


def test_the_middle_is_taken_and_the_rim_is_not():
    mask = box_mask(256, 0.3, NONE)
    assert mask.shape == (256, 256)
    assert mask.dtype == np.uint8
    assert (mask[64:192, 64:192] == 255).all()
    for rim in (mask[0], mask[-1], mask[:, 0], mask[:, -1]):
        assert (rim == 0).all()


def test_it_is_half_where_the_formula_cuts():
    # int(256 * 0.5 * 0.3) // 2 = 19 pixels are cut away before the blur.
    row = box_mask(256, 0.3, NONE)[128].astype(int)
    assert row[17] < 128 < row[20]
    assert (np.diff(row[:128]) >= 0).all()


@pytest.mark.parametrize(("side", "axis", "where"), [(0, 0, 0), (1, 1, -1), (2, 0, -1), (3, 1, 0)])
def test_each_padding_is_at_its_side(side, axis, where):
    padding = [0.0] * 4
    padding[side] = 40.0
    mask = box_mask(200, 0.1, tuple(padding))
    line = mask[:, 100] if axis == 0 else mask[100]
    padded = line[:70] if where == 0 else line[-70:]
    rest = line[100:185] if where == 0 else line[15:100]
    assert (padded == 0).all()
    assert (rest == 255).all()


@settings(deadline=None)
@given(st.integers(16, 600), st.floats(0, 1), st.tuples(*[st.floats(0, 100)] * 4))
def test_it_is_always_a_mask_that_ends_at_nothing(size, blur, padding):
    mask = box_mask(size, blur, padding)
    assert mask.shape == (size, size)
    assert max(mask[0].max(), mask[-1].max(), mask[:, 0].max(), mask[:, -1].max()) == 0


@pytest.mark.parametrize(("blur", "padding"), [(1.1, NONE), (-0.1, NONE), (0.3, (0, 0, 101, 0))])
def test_a_slider_outside_its_range_is_an_error(blur, padding):
    with pytest.raises(SettingError):
        box_mask(128, blur, padding)
