import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from models.texture import calmed, cleared, completed, evened, flattened, mirrored
from tests.fakes.head import SKIN_BGR, skin_texture

SIDE = 256
ALL = np.ones((SIDE, SIDE), np.float32)


def skin():
    return skin_texture(SIDE).astype(np.float32)


def test_what_is_known_stays_and_the_rest_gets_the_tone_of_skin():
    known = ALL.copy()
    known[:80] = 0
    texture = skin()
    texture[:80] = (10, 200, 10)
    whole = completed(texture, known)
    np.testing.assert_allclose(whole[110:], texture[110:], atol=0.5)
    np.testing.assert_allclose(whole[:80].mean(axis=(0, 1)), SKIN_BGR, atol=6)
    assert abs(cv2.blur(whole[:80], (9, 9)) - SKIN_BGR).max() < 25, "nothing of what is not known shows"


def test_where_what_is_filled_begins_no_line_shows():
    known = ALL.copy()
    known[:80] = 0
    texture = np.full((SIDE, SIDE, 3), SKIN_BGR, np.float32)
    texture[:130] *= np.linspace(0.8, 1, 130, dtype=np.float32)[:, None, None]
    texture[:80] = (10, 200, 10)
    column = completed(texture, known)[40:140].mean(axis=(1, 2))
    assert abs(np.diff(column)).max() < 2


def test_what_is_filled_has_the_grain_of_the_skin():
    noise = np.random.default_rng(1).normal(0, 6, (SIDE, SIDE, 1)).astype(np.float32)
    known = ALL.copy()
    known[:, :128] = 0
    grainy = completed(np.clip(skin() + noise, 0, 255), known)[:, 20:60].std()
    plain = completed(np.full((SIDE, SIDE, 3), 150, np.float32), known)[:, 20:60].std()
    assert plain < 0.5
    assert grainy > plain + 2


def fine(texture):
    """What is finer than light."""
    return texture - cv2.GaussianBlur(texture, (0, 0), 3)


def test_the_missing_side_is_the_other_one_mirrored():
    known = ALL.copy()
    known[:, :128] = 0
    texture = skin()
    texture[:, :110] = (10, 200, 10)
    mixed, now_known = mirrored(texture, known)
    got, other = fine(mixed)[:, 20:100], fine(texture[:, ::-1])[:, 20:100]
    assert np.corrcoef(got.ravel(), other.ravel())[0, 1] > 0.97
    np.testing.assert_allclose(mixed[:, 160:210], texture[:, 160:210], atol=1)
    plain = mixed[190:230, 60:100].mean(axis=(0, 1))
    np.testing.assert_allclose(plain, SKIN_BGR, rtol=0.1)
    assert now_known[:, 40:110].min() > 0.9


BESIDE = np.array((90, 80, 70), np.float32)
"""What lies beside a face."""


def test_what_is_lent_takes_the_tone_of_the_side_it_comes_to():
    """The right side is in shade, and a part of it is not known: it is filled as dark as what is round it."""
    texture = np.full((SIDE, SIDE, 3), SKIN_BGR, np.float32)
    texture[:, 128:] *= np.float32(0.7)
    known = ALL.copy()
    known[100:140, 170:210] = 0
    texture[100:140, 170:210] = BESIDE
    filled = mirrored(texture, known)[0][112:128, 182:198].mean(axis=(0, 1))
    np.testing.assert_allclose(filled, np.multiply(SKIN_BGR, 0.7), rtol=0.1)


def test_where_the_lent_side_begins_no_line_shows():
    texture = np.full((SIDE, SIDE, 3), SKIN_BGR, np.float32)
    texture[:, 128:] *= np.float32(0.75)
    known = ALL.copy()
    known[:, :60] = 0
    row = mirrored(texture, known)[0][:, :110].mean(axis=(0, 2))
    assert abs(np.diff(row)).max() < 3


def test_the_edge_of_what_is_known_is_the_other_sides():
    """What lies beyond tints it."""
    texture = np.full((SIDE, SIDE, 3), SKIN_BGR, np.float32)
    known = ALL.copy()
    known[:, 200:] = 0
    texture[:, 199:] = BESIDE
    mixed, now_known = mirrored(texture, known)
    tint = abs(mixed[:, 199] - SKIN_BGR) / abs(BESIDE - SKIN_BGR)
    assert tint.max() < 0.45
    assert now_known[:, 100:240].min() > 0.95


def test_where_neither_side_is_known_nothing_is():
    known = ALL.copy()
    known[40:80] = 0
    assert mirrored(skin(), known)[1][45:75].max() < 0.1


def test_a_lit_side_and_a_dark_one_come_together():
    texture = skin() * np.linspace(0.6, 1.1, SIDE, dtype=np.float32)[None, :, None]
    even, known = evened(texture, ALL)
    ratio = np.log(even[:, 190:220].mean() / even[:, 36:66].mean())
    assert 0 <= ratio < 0.7 * np.log(texture[:, 190:220].mean() / texture[:, 36:66].mean())
    assert known.max() <= 1


def test_a_symmetric_face_is_even_already():
    texture = (skin() + skin()[:, ::-1]) / 2
    even, known = evened(texture, ALL)
    np.testing.assert_allclose(even, texture, rtol=0.02)
    assert known.min() == 1


def test_a_side_in_deep_shadow_is_not_drawn_from_itself():
    texture = skin()
    texture[:, :128] *= np.float32(0.3)
    known = evened(texture, ALL)[1]
    assert known[60:200, 40:90].max() < 0.2
    assert known[:, 160:].min() == 1


def test_flattening_takes_shading_from_above_in_part():
    shaded = skin() * np.linspace(1.2, 0.7, SIDE, dtype=np.float32)[:, None, None]
    before = shaded[40:60].mean() / shaded[190:210].mean()
    flat = flattened(shaded, ALL)
    assert 1 < flat[40:60].mean() / flat[190:210].mean() < before


def test_clearing_raises_features_and_leaves_plain_skin():
    texture = skin()
    clear = cleared(texture)
    assert clear.std() > texture.std()
    np.testing.assert_allclose(cleared(np.full((64, 64, 3), 90, np.float32)), 90, atol=1e-3)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**31 - 1))
def test_dark_parts_do_not_glow(seed):
    texture = skin()
    texture[90:120, 60:200] = np.random.default_rng(seed).uniform(0, 60, 3)
    calm = calmed(texture)
    assert calm.dtype == np.uint8
    spread = np.ptp(calm[95:115, 70:190].reshape(-1, 3).astype(int), axis=1).max()
    assert spread <= np.ptp(texture[100, 100]) + 3
    np.testing.assert_allclose(calm[200:230, 100:150].mean(axis=(0, 1)), SKIN_BGR, atol=5)
