import numpy as np
import pytest

from models.train.occlusion_hands import draw_hand, posed_hand

SIDE = 160
LENGTH_PX = 100.0
MIDDLE = np.array([[1.0, 0.0, SIDE / 2], [0.0, 1.0, SIDE - 30.0]])
SKIN = np.array((120, 150, 200), np.float32)


def drawn(seed):
    rng = np.random.default_rng(seed)
    hand = posed_hand(rng, LENGTH_PX)
    return hand, *draw_hand(rng, hand, MIDDLE, SIDE, SKIN)


@pytest.mark.parametrize("seed", range(12))
def test_a_hand_covers_about_what_a_hand_does(seed):
    hand, covered, paint = drawn(seed)
    assert set(np.unique(covered)) == {0.0, 1.0}
    assert 0.03 < covered.mean() < 0.5
    assert covered[SIDE - 32, SIDE // 2] == 1
    assert paint.shape == (SIDE, SIDE, 3)
    assert np.isfinite(paint).all()
    assert (paint >= 0).all()
    assert (paint <= 255).all()
    assert np.linalg.norm(hand.tips, axis=1).max() < 1.3 * LENGTH_PX


@pytest.mark.parametrize("seed", range(12))
def test_every_finger_ends_on_the_hand(seed):
    hand, covered, _ = drawn(seed)
    for x, y in np.round(hand.tips + MIDDLE[:, 2]).astype(int):
        if 0 <= x < SIDE and 0 <= y < SIDE:
            assert covered[y, x] == 1


def test_the_hand_has_the_tone_of_the_skin():
    tones = []
    for seed in range(12):
        _, covered, paint = drawn(seed)
        tones.append(np.median(paint[covered > 0], axis=0))
    middle = np.median(tones, axis=0)
    np.testing.assert_allclose(middle / middle.sum(), SKIN / SKIN.sum(), atol=0.05)


def test_the_same_seed_gives_the_same_hand():
    for one, two in zip(drawn(3)[1:], drawn(3)[1:], strict=True):
        np.testing.assert_array_equal(one, two)
