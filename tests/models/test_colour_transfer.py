import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.colour_transfer import IDENTITY, Tone, inliers, mapping, opponent
from models.colour_transfer import tone as tone_of_colours

SKIN = (120.0, 140.0, 180.0)
EVEN = np.ones(4000, np.float32)


def skin(seed, spread=12.0, mean=SKIN, axes=((1, 0.1, 0.0), (0.9, 0.2, -0.1), (0.8, -0.1, 0.2)), count=4000):
    """(count, 3) uint8 BGR: colours about `mean`, that vary mostly in brightness."""
    values = np.random.default_rng(seed).normal(0, 1, (count, 3)) @ np.array(axes).T * spread + mean
    return np.clip(values, 0, 255).round().astype(np.uint8)


def tone(bgr, weight):
    return tone_of_colours(opponent(bgr), weight)


def mapped(bgr, matrix):
    return bgr @ matrix[:, :3].T.astype(float) + matrix[:, 3]


def as_tone(values):
    """The tone of float colours."""
    to_opponent = np.array([[0.114, 0.587, 0.299], [-0.081312, -0.418688, 0.5], [0.5, -0.331264, -0.168736]])
    return Tone(to_opponent @ values.mean(axis=0), to_opponent @ np.cov(values.T, bias=True) @ to_opponent.T)


def test_a_tone_is_the_weighted_mean_and_covariance():
    bgr = np.array([[0, 0, 0], [200, 100, 50], [9, 9, 9]], np.uint8)
    found = tone(bgr, np.array([1, 3, 0], np.float32))
    many = as_tone(bgr[[0, 1, 1, 1]].astype(float))
    np.testing.assert_allclose(found.mean, many.mean, atol=1e-3)
    np.testing.assert_allclose(found.covariance, many.covariance, rtol=1e-5, atol=1e-3)
    assert found.mean[0] == pytest.approx(0.75 * (0.114 * 200 + 0.587 * 100 + 0.299 * 50), abs=1e-3)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 999),
    mean=st.tuples(*[st.floats(70, 190)] * 3),
    spreads=st.tuples(st.floats(4, 16), st.floats(4, 16)),
)
def test_the_mean_becomes_the_targets(seed, mean, spreads):
    source, target = skin(seed, spreads[0]), skin(seed + 1, spreads[1], mean)
    matrix = mapping(tone(source, EVEN), tone(target, EVEN))
    np.testing.assert_allclose(mapped(source, matrix).mean(axis=0), target.mean(axis=0), atol=0.05)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 999),
    gain=st.tuples(*[st.floats(0.6, 1.3)] * 3),
    contrast=st.floats(0.95, 1.1),
    turn=st.floats(-0.05, 0.05),
)
def test_within_the_limits_the_covariance_becomes_the_targets(seed, gain, contrast, turn):
    axes = ((1, 0.4 + turn, 0.1), (0.9, 0.5, -0.3 + turn), (0.8 + turn, -0.4, 0.5))
    source = skin(seed, axes=((1, 0.4, 0.1), (0.9, 0.5, -0.3), (0.8, -0.4, 0.5)))
    target = skin(seed + 1, 12 * contrast, SKIN, axes) * np.array(gain)
    matrix = mapping(tone(source, EVEN), as_tone(target))
    found, wanted = as_tone(mapped(source, matrix)).covariance, as_tone(target).covariance
    np.testing.assert_allclose(found, wanted, atol=0.05 * np.trace(wanted))


def test_equal_tones_give_the_identity():
    one = tone(skin(1), EVEN)
    np.testing.assert_allclose(mapping(one, one), IDENTITY, atol=1e-4)


@settings(max_examples=40, deadline=None)
@given(gain=st.tuples(*[st.floats(0.4, 1.6)] * 3))
def test_another_light_is_undone_exactly(gain):
    """A gain for each channel: then every colour, not only skin, is as under that light."""
    source = skin(1)
    matrix = mapping(tone(source, EVEN), as_tone(source * np.array(gain)))
    others = np.array([[0, 0, 0], [255, 255, 255], [60, 60, 170], [30, 40, 50]], np.uint8)
    # What a lower contrast leaves to the noise is the only difference.
    np.testing.assert_allclose(mapped(others, matrix), others * np.array(gain), atol=8)


@pytest.mark.parametrize(
    "target", [skin(2, 3.0, (60, 60, 70)), skin(2, 30.0), skin(2, 0.0), skin(2, 5.0, (250, 250, 250))]
)
@pytest.mark.parametrize("source", [skin(1, 25.0), skin(1, 0.0), skin(1, 4.0, (20, 30, 30))])
def test_black_stays_black_whatever_the_contrast(source, target):
    """No milky eyes, no coloured ones."""
    matrix = mapping(tone(source, EVEN), tone(target, EVEN))
    to_opponent = np.array([[0.114, 0.587, 0.299], [-0.081312, -0.418688, 0.5], [0.5, -0.331264, -0.168736]])
    luma = (to_opponent @ mapped(source, matrix).mean(axis=0))[0]
    black = to_opponent @ matrix[:, 3]
    assert -0.14 * luma <= black[0] <= 0.08 * luma
    assert abs(black[1:]).max() <= 0.04 * luma


@pytest.mark.parametrize("level", [0, 1, 90, 255])
@pytest.mark.parametrize("other", [0, 1, 90, 255])
def test_even_pictures_have_a_calm_map(level, other):
    """No covariance to invert, and no noise to blow up."""
    source, target = np.full((4000, 3), level, np.uint8), np.full((4000, 3), other, np.uint8)
    matrix = mapping(tone(source, EVEN), tone(target, EVEN))
    assert np.isfinite(matrix).all()
    assert abs(matrix[:, :3]).max() <= 3.1
    reached = min(max(other, 0.1 * level), 3 * level)
    np.testing.assert_allclose(mapped(source, matrix), reached, atol=5)


def test_noise_is_not_blown_up():
    """An even source and a lively target: its contrast grows by the limit, not by the ratio."""
    source, target = skin(1, 1.0), skin(2, 20.0)
    matrix = mapping(tone(source, EVEN), tone(target, EVEN))
    assert mapped(source, matrix).std(axis=0).max() < 2 * source.std(axis=0).max()


def test_colours_unlike_the_rest_count_less():
    bgr = np.concatenate([skin(1, 6.0, count=3600), np.full((400, 3), 15, np.uint8)])
    weight = inliers(opponent(bgr), EVEN)
    assert weight[3600:].max() < 0.1
    assert np.median(weight[:3600]) > 0.95
    assert weight.max() <= 1


def test_weights_are_lowered_not_replaced():
    given_ = np.linspace(0, 1, 4000).astype(np.float32)
    assert (inliers(opponent(skin(1)), given_) <= given_ + 1e-6).all()
