import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.grain import Grain
from models.topology import OVAL
from tests.fakes.head import picture_of, posed, skin_texture

SIZE = (320, 320)
SKIN_LEVEL = 130


def flat():
    return np.full((*SIZE, 3), SKIN_LEVEL, np.uint8)


def noisy(sigma, seed=0, grey=True):
    values = np.random.default_rng(seed).normal(0, sigma, (*SIZE, 1 if grey else 3))
    return np.clip(np.round(flat() + values), 0, 255).astype(np.uint8)


def scaled_up(sigma, seed=0):
    small = np.random.default_rng(seed).normal(0, sigma, (SIZE[0] // 2, SIZE[1] // 2)).astype(np.float32)
    return np.clip(np.round(flat() + cv2.resize(small, SIZE)[:, :, None]), 0, 255).astype(np.uint8)


def matched(frame, drawn=flat, frames=40, grain=None, track=1):
    """The last of some frames that all look like what `frame(seed)` gives."""
    grain = grain or Grain()
    for seed in range(frames):
        out = drawn()
        grain.add(out, frame(seed), posed(), track)
    return out


def luma(bgr):
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY).astype(float)


def side_by_side(bgr):
    """How alike the noise of neighbours is, from 0 to 1."""
    values = luma(bgr)
    values -= values.mean()
    return (values[:, 1:] * values[:, :-1]).mean() / (values**2).mean()


@pytest.mark.parametrize("sigma", [2, 3, 6, 10])
def test_a_drawn_face_takes_on_the_frames_noise(sigma):
    out = matched(lambda seed: noisy(sigma, seed))
    assert luma(out).std() == pytest.approx(sigma, rel=0.12)
    assert luma(out).mean() == pytest.approx(SKIN_LEVEL, abs=0.3)
    assert abs(side_by_side(out)) < 0.15, "white noise is fine"


def test_noise_that_was_scaled_up_is_coarse():
    out = matched(lambda seed: scaled_up(8, seed))
    assert luma(out).std() == pytest.approx(luma(scaled_up(8)).std(), rel=0.25)
    assert side_by_side(out) == pytest.approx(side_by_side(scaled_up(8)), abs=0.15)


def test_compressed_noise_is_neither_fine_nor_as_coarse():
    def compressed(seed):
        data = cv2.imencode(".jpg", noisy(6, seed), [cv2.IMWRITE_JPEG_QUALITY, 80])[1]
        return cv2.imdecode(data, cv2.IMREAD_COLOR)

    out = matched(compressed)
    assert luma(out).std() == pytest.approx(luma(compressed(0)).std(), rel=0.25)
    assert 0.2 < side_by_side(out) < 0.7


def test_grey_noise_stays_grey_and_coloured_noise_coloured():
    grey = matched(lambda seed: noisy(6, seed)).astype(float)
    coloured = matched(lambda seed: noisy(6, seed, grey=False)).astype(float)
    assert (grey[..., 2] - grey[..., 0]).std() < 1.5
    assert (coloured[..., 2] - coloured[..., 0]).std() == pytest.approx(6 * 2**0.5, rel=0.2)


@pytest.mark.parametrize("sigma", [0, 0.8])
def test_nothing_is_added_for_a_frame_whose_noise_is_not_seen(sigma):
    np.testing.assert_array_equal(matched(lambda seed: noisy(sigma, seed)), flat())


def test_a_face_that_has_the_noise_already_gets_no_more():
    out = matched(lambda seed: noisy(5, seed), drawn=lambda: noisy(5, 99))
    np.testing.assert_array_equal(out, noisy(5, 99))


def test_half_of_the_noise_is_made_up_to_the_whole():
    out = matched(lambda seed: noisy(5, seed), drawn=lambda: noisy(3, 99))
    assert luma(out).std() == pytest.approx(5, rel=0.12)


def test_pores_and_freckles_are_no_noise():
    frame = picture_of(skin_texture(), posed())
    np.testing.assert_array_equal(matched(lambda _: frame), flat())


def test_hair_over_some_of_the_face_is_no_noise():
    frame = flat()
    points = posed()
    low = int(points[:, 1].min())
    frame[low : low + 60] = noisy(40)[low : low + 60]
    np.testing.assert_array_equal(matched(lambda _: frame), flat())


def test_noise_lives():
    grain = Grain()
    first, second = flat(), flat()
    grain.add(first, noisy(5), posed())
    grain.add(second, noisy(5), posed())
    change = luma(first) - luma(second)
    assert change.std() == pytest.approx(5 * 2**0.5, rel=0.2)


def test_noise_is_bounded():
    assert luma(matched(lambda seed: noisy(40, seed))).std() < 14


def test_noise_comes_and_goes_slowly():
    grain = Grain()
    matched(lambda seed: noisy(6, seed), grain=grain)
    after = luma(matched(lambda _: flat(), frames=4, grain=grain)).std()
    assert 3 < after < 6
    np.testing.assert_array_equal(matched(lambda _: flat(), frames=150, grain=grain), flat())


def test_each_face_has_its_own_noise():
    grain = Grain()
    matched(lambda seed: noisy(6, seed), grain=grain, track=1)
    np.testing.assert_array_equal(matched(lambda _: flat(), grain=grain, track=2), flat())


def test_the_faces_of_long_ago_are_forgotten():
    grain = Grain()
    for track in range(50):
        grain.add(flat(), noisy(6), posed(), track)
    assert len(grain._tracks) <= 16


def test_what_is_burnt_out_tells_nothing():
    white = np.full((*SIZE, 3), 255, np.uint8)
    grain = Grain()
    matched(lambda seed: noisy(6, seed), grain=grain)
    out = matched(lambda _: white, frames=100, grain=grain)
    assert luma(out).std() == pytest.approx(6, rel=0.15), "what was known before stays"


@settings(max_examples=60, deadline=None)
@given(st.integers(8, 700), st.integers(8, 700), st.floats(-300, 600), st.floats(1, 600), st.floats(-90, 90))
def test_any_face_in_any_region(width, height, at, eyes_px, yaw):
    target = np.random.default_rng(1).integers(0, 255, (height, width, 3)).astype(np.uint8)
    before = target.copy()
    drawn = np.full_like(target, SKIN_LEVEL)
    GRAIN.add(drawn, target, posed((at, at), eyes_px, yaw), 3)
    np.testing.assert_array_equal(target, before)
    assert abs(drawn.astype(int) - SKIN_LEVEL).max() < 127


GRAIN = Grain()


def test_the_outline_is_not_looked_at():
    """Beside the head is whatever stands there."""
    frame = noisy(30)
    inside = cv2.fillPoly(np.zeros(SIZE, np.uint8), [posed()[OVAL, :2].astype(np.int32)], 1)
    frame[cv2.erode(inside, np.ones((9, 9), np.uint8)) > 0] = SKIN_LEVEL
    np.testing.assert_array_equal(matched(lambda _: frame), flat())
