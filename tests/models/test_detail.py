import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.detail import DetailEnhancer
from models.patch import Patch

SIDE = 300


def solid(bgr):
    return Patch(0, 0, bgr, np.full(bgr.shape[:2], 255, np.uint8))


def enhanced(patch):
    copy = Patch(patch.x, patch.y, patch.bgr.copy(), patch.alpha)
    DetailEnhancer().enhance(copy)
    return copy.bgr


def grey(values):
    return np.repeat(np.clip(np.rint(values), 0, 255).astype(np.uint8)[:, :, None], 3, axis=2)


def oval(height, width):
    alpha = np.zeros((height, width), np.uint8)
    cv2.ellipse(alpha, (width // 2, height // 2), (width // 3, height // 3), 0, 0, 360, 255, -1)
    return cv2.blur(alpha, (9, 9))


def noisy(seed, height, width):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 330), st.integers(1, 330), st.tuples(*[st.integers(0, 255)] * 3))
def test_flat_stays_flat_at_any_size(height, width, colour):
    bgr = np.empty((height, width, 3), np.uint8)
    bgr[:] = colour
    change = enhanced(solid(bgr)).astype(int) - bgr
    assert abs(change).max() <= 1


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 200), st.integers(1, 200), st.integers(0, 2**31 - 1))
def test_what_lies_where_alpha_is_0_has_no_influence_and_stays(height, width, seed):
    alpha = cv2.threshold(cv2.blur(noisy(seed + 2, height, width)[:, :, 0], (5, 5)), 125, 255, 3)[1]
    first = noisy(seed, height, width)
    second = np.where(alpha[:, :, None] > 0, first, noisy(seed + 1, height, width))
    one, other = enhanced(Patch(0, 0, first, alpha)), enhanced(Patch(0, 0, second, alpha))
    np.testing.assert_array_equal(one[alpha > 0], other[alpha > 0])
    np.testing.assert_array_equal(one[alpha == 0], first[alpha == 0])


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 200), st.integers(2, 200), st.integers(0, 2**31 - 1))
def test_no_pixel_leaves_what_its_neighbours_span(height, width, seed):
    values = cv2.GaussianBlur(noisy(seed, height, width)[:, :, 0], (0, 0), 2)
    bgr = grey(cv2.normalize(values, None, 0, 255, cv2.NORM_MINMAX))
    alpha = cv2.threshold(cv2.blur(noisy(seed + 1, height, width)[:, :, 0], (9, 9)), 120, 255, 3)[1]
    out = enhanced(Patch(0, 0, bgr, alpha)).astype(int)
    kernel, shown = np.ones((5, 5), np.uint8), alpha > 0
    most = cv2.dilate(np.where(shown[:, :, None], bgr, 0), kernel).astype(int)
    least = cv2.erode(np.where(shown[:, :, None], bgr, 255).astype(np.uint8), kernel).astype(int)
    assert (out <= most + 4)[shown].all()
    assert (out >= least - 4)[shown].all()


@pytest.mark.parametrize(("deviation", "left"), [(2, 0.55), (3, 0.6), (4, 0.7), (6, 1.0)])
def test_noise_goes_down(deviation, left):
    rng = np.random.default_rng(4)
    bgr = grey(140 + rng.normal(0, deviation, (SIDE, SIDE)))
    assert enhanced(solid(bgr)).std() < left * bgr.std()


@pytest.mark.parametrize("blur", [1.5, 2.5])
def test_an_edge_gets_steeper_and_does_not_ring(blur):
    step = np.full((SIDE, SIDE), 90.0)
    step[:, SIDE // 2 :] = 170
    bgr = grey(cv2.GaussianBlur(step, (0, 0), blur))
    before, after = bgr[SIDE // 2, :, 0].astype(int), enhanced(solid(bgr))[SIDE // 2, :, 0].astype(int)
    assert np.diff(after).max() > 1.2 * np.diff(before).max()
    assert before.min() - 9 <= after.min()
    assert after.max() <= before.max() + 9
    near = np.abs(np.arange(SIDE) - SIDE // 2) > SIDE // 5
    assert abs(after - before)[near].max() <= 1, "what is far from the edge changed"


def test_fine_lines_gain_contrast():
    bgr = grey(140 + 20 * np.sin(np.arange(SIDE) * 0.9)[None, :].repeat(SIDE, axis=0))
    assert enhanced(solid(bgr)).std() > 1.15 * bgr.std()


def test_a_size_larger_reads_alike():
    """Twice the face, the same picture of it."""
    values = cv2.GaussianBlur(noisy(7, 150, 150)[:, :, 0], (0, 0), 3).astype(np.float32)
    values = cv2.normalize(values, None, 60, 200, cv2.NORM_MINMAX)
    large = cv2.resize(values, (300, 300), interpolation=cv2.INTER_CUBIC)
    small_change = enhanced(solid(grey(values)))[:, :, 0].astype(float) - grey(values)[:, :, 0]
    large_change = enhanced(solid(grey(large)))[:, :, 0].astype(float) - grey(large)[:, :, 0]
    reduced = cv2.resize(large_change, (150, 150), interpolation=cv2.INTER_AREA)
    assert np.corrcoef(small_change.ravel(), reduced.ravel())[0, 1] > 0.8


def test_a_small_face_is_sharpened_less():
    steeper = []
    for side in (40, 150):
        step = np.where(np.arange(side) < side // 2, 90.0, 170.0)[None, :].repeat(side, axis=0)
        bgr = grey(cv2.GaussianBlur(step, (0, 0), 2))
        before, after = bgr[side // 2, :, 0].astype(int), enhanced(solid(bgr))[side // 2, :, 0].astype(int)
        steeper.append(np.diff(after).max() / np.diff(before).max())
    assert 1 < steeper[0] < steeper[1] - 0.05


def test_hue_is_kept():
    rng = np.random.default_rng(5)
    base = np.clip(rng.normal(0, 14, (SIDE, SIDE)), -50, 50)
    bgr = np.clip(np.array([100, 130, 190]) + base[:, :, None], 0, 255).astype(np.uint8)
    out = enhanced(solid(bgr)).astype(int)
    np.testing.assert_array_equal(out[:, :, 2] - out[:, :, 0], bgr[:, :, 2].astype(int) - bgr[:, :, 0])


def test_the_tone_at_the_rim_stays():
    """A dark frame behind a light face: no bright or dark seam along the mask's edge."""
    alpha = oval(SIDE, SIDE)
    bgr = np.where(alpha[:, :, None] > 0, np.uint8(180), np.uint8(10)).repeat(3, axis=2)
    out = enhanced(Patch(0, 0, bgr, alpha)).astype(int)
    assert abs(out[alpha > 0] - 180).max() <= 1


def test_the_tone_at_the_rim_of_a_shaded_face_stays():
    alpha = np.zeros((SIDE, SIDE), np.uint8)
    alpha[60:240, 110:190] = 255
    bgr = grey(140 + 2.5 * (np.arange(SIDE) - SIDE // 2)[None, :].repeat(SIDE, axis=0))
    change = enhanced(Patch(0, 0, bgr, alpha)).astype(int) - bgr
    for rim in (np.s_[110:114], np.s_[186:190]):
        assert abs(change[100:200, rim].mean()) < 1


@pytest.mark.parametrize("shape", [(0, 0), (0, 9), (9, 0)])
def test_an_empty_patch_is_nothing_to_do(shape):
    DetailEnhancer().enhance(Patch(0, 0, np.zeros((*shape, 3), np.uint8), np.zeros(shape, np.uint8)))


def test_a_patch_shown_nowhere_stays():
    bgr = noisy(1, 60, 50)
    out = enhanced(Patch(3, 4, bgr, np.zeros((60, 50), np.uint8)))
    np.testing.assert_array_equal(out, bgr)


def test_what_came_before_does_not_matter():
    """The buffers of a larger patch leave no trace in a smaller one."""
    enhancer = DetailEnhancer()
    enhancer.enhance(solid(noisy(1, 330, 310)))
    small, alpha = noisy(2, 301, 283), np.full((301, 283), 255, np.uint8)
    worn = small.copy()
    enhancer.enhance(Patch(0, 0, worn, alpha))
    np.testing.assert_array_equal(worn, enhanced(Patch(0, 0, small, alpha)))


def test_alpha_is_not_written_to():
    alpha = oval(90, 80)
    kept = alpha.copy()
    DetailEnhancer().enhance(Patch(0, 0, noisy(1, 90, 80), alpha))
    np.testing.assert_array_equal(alpha, kept)


def test_it_works_on_a_part_of_a_larger_array():
    whole = noisy(1, 120, 140)
    inner = whole[10:90, 20:100]
    expected = enhanced(solid(inner.copy()))
    before = whole.copy()
    DetailEnhancer().enhance(Patch(20, 10, inner, np.full((80, 80), 255, np.uint8)))
    np.testing.assert_array_equal(whole[10:90, 20:100], expected)
    before[10:90, 20:100] = expected
    np.testing.assert_array_equal(whole, before)
