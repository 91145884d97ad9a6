import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from models.smoothing import smooth


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31 - 1), st.floats(1, 12))
def test_means_lie_between_the_values_that_count(seed, sigma):
    rng = np.random.default_rng(seed)
    values = rng.uniform(10, 90, (30, 40)).astype(np.float32)
    weight = (rng.random((30, 40)) > 0.7).astype(np.float32)
    values[weight == 0] = 1e4
    mean = smooth(values, weight, sigma)
    assert mean.min() > 9
    assert mean.max() < 91


def test_a_constant_stays_itself_and_fills_what_does_not_count():
    values, weight = np.full((20, 20), 7, np.float32), np.zeros((20, 20), np.float32)
    weight[:, :3] = 1
    np.testing.assert_allclose(smooth(values * weight, weight, 2), 7, rtol=1e-4)


def test_where_nothing_is_near_the_other_values_stand():
    values, weight = np.zeros((40, 40), np.float32), np.zeros((40, 40), np.float32)
    values[:2], weight[:2] = 5, 1
    mean = smooth(values, weight, 2, np.full((40, 40), 30, np.float32))
    np.testing.assert_allclose(mean[30:], 30, rtol=1e-3)
    np.testing.assert_allclose(mean[0], 5, rtol=0.05)
