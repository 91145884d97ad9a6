import numpy as np
import pytest

from models.landmarker import five_points
from models.neural.align import Alignment, align
from models.skin_weight import skin_weight
from models.topology import CANONICAL, LEFT_EYE, LIPS_OUTER, OVAL, RIGHT_BROW

FACE = CANONICAL[:, :2] * 190 + (640, 300)
"""The mean face, its outer eye corners 190 pixels apart."""
WHERE = align(five_points(FACE), "ffhq_512", 512)


def at(points, size, where=WHERE):
    matrix = where.resized(size).matrix
    return np.rint(points @ matrix[:, :2].T + matrix[:, 2]).astype(int)


@pytest.mark.parametrize("size", [32, 64, 128])
def test_it_is_skin_and_neither_features_nor_surroundings(size):
    weight = skin_weight(FACE, WHERE, size)
    assert weight.shape == (size, size)
    assert set(np.unique(weight)) == {0, 255}
    for ring in (LEFT_EYE, RIGHT_BROW, LIPS_OUTER, OVAL):
        x, y = at(FACE[ring], size).T
        assert not weight[y, x].any()
    for ring in (LEFT_EYE, RIGHT_BROW, LIPS_OUTER):
        x, y = at(FACE[ring].mean(axis=0), size)
        assert weight[y, x] == 0
    x, y = at(FACE[[2, 97, 326]], size).T
    assert not weight[y, x].any(), "nostrils"
    # Cheeks, forehead, chin.
    x, y = at(FACE[[50, 280, 151, 199]], size).T
    assert weight[y, x].all()
    assert not weight[0].any()
    assert 0.05 < (weight > 0).mean() < 0.3


@pytest.mark.parametrize("turn", [0.7, 1.5708, -2.5])
def test_it_lies_in_the_square_however_the_face_is_turned(turn):
    turned = (FACE - (640, 300)) @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    where = align(five_points(turned), "ffhq_512", 256)
    upright, found = skin_weight(FACE, WHERE, 64), skin_weight(turned, where, 64)
    assert (upright != found).mean() < 0.01


def test_it_follows_the_face_within_the_square():
    aside = skin_weight(FACE + 0.125 * 512 / WHERE.scale, WHERE, 64)
    assert (aside[8:, 8:] != skin_weight(FACE, WHERE, 64)[:-8, :-8]).mean() < 0.01


def test_a_face_far_outside_has_none():
    assert not skin_weight(FACE, Alignment(WHERE.matrix + np.array([[0, 0, 1e7], [0, 0, 0]]), 512), 64).any()
    assert not skin_weight(FACE * 1e12, WHERE, 64)[:, :8].any()


def test_points_with_depth_do_as_well():
    deep = np.hstack([FACE, np.ones((468, 1))])
    np.testing.assert_array_equal(skin_weight(deep, WHERE, 64), skin_weight(FACE, WHERE, 64))
