import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.relight import GREATEST_GAIN, SKIN, palette, persona_gain, picture_gain, sample
from models.topology import BROWS, CANONICAL, LIPS_OUTER, POINT_COUNT

TRUST = SKIN + np.float32(1e-4)
COLOUR = np.array([120, 150, 200], np.float32)


def flat(colour=COLOUR):
    return np.tile(np.asarray(colour, np.float32), (POINT_COUNT, 1))


def test_skin_is_neither_brows_nor_lips():
    assert SKIN[[50, 280, 151]].min() == 1
    assert SKIN[np.concatenate([*BROWS, LIPS_OUTER])].max() == 0


@settings(max_examples=25, deadline=None)
@given(st.floats(0.5, 2.0))
def test_gain_is_the_ratio_of_light(ratio):
    gain = picture_gain(flat() * np.float32(ratio), flat(), TRUST)
    np.testing.assert_allclose(gain, ratio, rtol=0.06)


def test_light_from_one_side_is_taken_over():
    slope = np.clip(1 + CANONICAL[:, :1], 0.5, 1.5)
    gain = picture_gain(flat() * slope, flat(), TRUST)
    assert gain[454].mean() > gain[234].mean() * 1.3


def test_hair_over_the_forehead_does_not_darken_it():
    target = flat()
    hair = np.flatnonzero((CANONICAL[:, 1] < -0.35) & (CANONICAL[:, 0] > 0.2))
    target[hair] = 15
    gain = picture_gain(target, flat(), TRUST)
    assert gain[hair].min() > 0.85


def test_features_do_not_reach_the_gain():
    target = flat()
    target[np.concatenate([*BROWS, LIPS_OUTER])] = 0
    np.testing.assert_allclose(picture_gain(target, flat(), TRUST), 1, atol=0.02)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31 - 1), st.booleans())
def test_gains_are_bounded_whatever_is_seen(seed, hidden):
    rng = np.random.default_rng(seed)
    target, source = rng.uniform(0, 255, (2, POINT_COUNT, 3)).astype(np.float32)
    trust = np.zeros(POINT_COUNT, np.float32) if hidden else rng.random(POINT_COUNT, np.float32)
    for gain in (picture_gain(target, source, trust), persona_gain(target, source, trust)):
        assert np.isfinite(gain).all()
        assert gain.min() > 0
        assert gain.max() <= GREATEST_GAIN
    assert np.isfinite(palette(target, source, trust)).all()


def test_a_persona_keeps_its_colours():
    target = flat((60, 60, 220)) * np.clip(1 + CANONICAL[:, :1], 0.5, 1.5)
    gain = persona_gain(target, flat((200, 90, 40)), TRUST)
    np.testing.assert_allclose(gain, gain[:, :1].repeat(3, axis=1))
    assert gain[454, 0] > gain[234, 0] * 1.2


def test_palette_brings_skin_to_the_targets_hue_and_leaves_grey():
    source, target = flat((90, 140, 210)), flat((130, 150, 190))
    matrix = palette(target, source, TRUST)
    np.testing.assert_allclose(matrix @ [77, 77, 77], 77, atol=0.3)
    before = np.abs(source[0] / source[0].sum() - target[0] / target[0].sum()).max()
    moved = matrix @ source[0]
    after = np.abs(moved / moved.sum() - target[0] / target[0].sum()).max()
    assert after < before / 3


def test_palette_of_equal_faces_changes_nothing():
    np.testing.assert_allclose(palette(flat(), flat(), TRUST), np.eye(3), atol=1e-4)


def test_samples_are_the_colours_at_the_points():
    y, x = np.mgrid[0:40, 0:60]
    picture = np.dstack([x, y, x + y]).astype(np.uint8)
    points = np.column_stack([np.linspace(0, 59, POINT_COUNT), np.linspace(0, 39, POINT_COUNT)])
    colours = sample(picture, points.astype(np.float32))
    np.testing.assert_allclose(colours[:, :2], points, atol=0.6)
    assert sample(picture, np.full((POINT_COUNT, 2), -50, np.float32))[0] == pytest.approx([0, 0, 0])
