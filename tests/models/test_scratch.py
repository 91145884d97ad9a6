import numpy as np

from models.scratch import Scratch


def test_smaller_and_equal_sizes_share_the_memory():
    scratch = Scratch()
    large = scratch.u8("a", 40, 50, 3)
    small = scratch.f32("a", 10, 20)
    assert large.shape == (40, 50, 3)
    assert small.shape == (10, 20)
    assert small.dtype == np.float32
    assert small.flags.c_contiguous
    assert np.shares_memory(large, small)


def test_names_keep_apart_and_growth_is_possible():
    scratch = Scratch()
    one, other = scratch.u8("a", 8), scratch.u8("b", 8)
    assert not np.shares_memory(one, other)
    assert scratch.u8("a", 800).size == 800
