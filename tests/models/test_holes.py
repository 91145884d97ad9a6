import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.holes import HoleMover
from models.topology import HOLES, LEFT_EYE, LIPS_INNER, OVAL, RIGHT_EYE
from tests.fakes.head import posed

FACE = posed((150, 100), 70)


def speckled(width=300, height=200):
    """A picture no part of which is like another."""
    return np.random.default_rng(7).integers(0, 256, (height, width, 3)).astype(np.uint8)


SLOPE = 4
"""Grey levels a pixel."""


def shaded(middle, width=300, height=200):
    """A picture whose blue and green say where they lie, in pixels from `middle`, up to 30."""
    rows, columns = np.indices((height, width))
    ways = columns - middle[0], rows - middle[1], np.zeros((height, width))
    return np.clip(np.round(128 + SLOPE * np.dstack(ways)), 0, 255).astype(np.uint8)


def came_from(hole, middle, there):
    """Of the pixels `there`: whence each came, and where it is, (n, 2) pixels from `middle`."""
    rows, columns = np.nonzero(there)
    place = np.stack([columns + hole.x - middle[0], rows + hole.y - middle[1]], axis=1)
    return (hole.bgr[there][:, :2].astype(float) - 128) / SLOPE, place


def everywhere(x, y):
    return np.full((468, 3), (x, y, 0), np.float32)


def inside(ring, hole):
    """Which pixels of the hole's rectangle lie in the ring, (N, 2) pixels of the target."""
    mask = np.zeros(hole.bgr.shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.round(ring - (hole.x, hole.y)).astype(np.int32)], 1)
    return mask > 0


@settings(deadline=None)
@given(st.integers(0, 2**31 - 1), st.floats(0, 0.29))
def test_what_moves_less_than_can_be_seen_is_left(seed, most):
    moves = np.random.default_rng(seed).uniform(-most, most, (468, 3)).astype(np.float32)
    moves[:, 2] *= 100
    assert HoleMover().moved(speckled(), FACE, moves) == []


@pytest.mark.parametrize(("point", "axis", "by"), [(4, 0, 0.35), (300, 1, -0.35)])
def test_one_point_that_moves_is_enough(point, axis, by):
    moves = np.zeros((468, 3), np.float32)
    moves[point, axis] = by
    assert len(HoleMover().moved(speckled(), FACE, moves)) == 3


@settings(max_examples=40, deadline=None)
@given(st.integers(-9, 9), st.integers(-9, 9), st.floats(-25, 25))
def test_eyes_and_mouth_move_by_exactly_the_shift(x, y, yaw):
    target, points = speckled(), posed((150, 100), 70, yaw)
    holes = HoleMover().moved(target, points, everywhere(x, y))
    if x == y == 0:
        assert holes == []
        return
    shifted = np.roll(target, (y, x), (0, 1))
    for ring, hole in zip(HOLES, holes, strict=True):
        height, width = hole.bgr.shape[:2]
        expected = shifted[hole.y : hole.y + height, hole.x : hole.x + width]
        there = inside(points[ring, :2] + (x, y), hole)
        assert there.sum() > 20
        np.testing.assert_array_equal(hole.bgr[there], expected[there])


@settings(max_examples=30, deadline=None)
@given(st.floats(-9, 9), st.floats(-9, 9))
def test_fractions_of_a_pixel_count(x, y):
    for number, ring in enumerate(HOLES):
        middle = FACE[ring, :2].mean(axis=0)
        holes = HoleMover().moved(shaded(middle), FACE, everywhere(x, y))
        if holes:
            there = inside(FACE[ring, :2] + (x, y), holes[number])
            before, after = came_from(holes[number], middle, there)
            np.testing.assert_allclose(after - before, np.broadcast_to((x, y), before.shape), atol=0.2)


def test_each_hole_goes_its_own_way():
    moves = np.zeros((468, 3), np.float32)
    ways = (0, -4), (-5, 2), (3, 3)
    for ring, way in zip(HOLES, ways, strict=True):
        away = np.linalg.norm(FACE - FACE[ring].mean(axis=0), axis=1)
        moves[away < 27, :2] = way
    for number, (ring, way) in enumerate(zip(HOLES, ways, strict=True)):
        middle = FACE[ring, :2].mean(axis=0)
        hole = HoleMover().moved(shaded(middle), FACE, moves)[number]
        before, after = came_from(hole, middle, inside(FACE[ring, :2] + way, hole))
        np.testing.assert_allclose(np.median(after - before, axis=0), way, atol=0.15)


@pytest.mark.parametrize("growth", [0.15, -0.15])
def test_what_moves_more_and_more_is_stretched(growth):
    """The movement is drawn coarsely; where it differs from pixel to pixel that must not show."""
    points = posed((300, 200), 140)
    moves = ((points - points[4]) * np.float32([growth, growth, 0])).astype(np.float32)
    for number, ring in enumerate(HOLES):
        middle = (points + moves)[ring, :2].mean(axis=0)
        hole = HoleMover().moved(shaded(middle, 600, 400), points, moves)[number]
        there = inside((points + moves)[ring, :2], hole)
        rows, columns = np.nonzero(there)
        place = np.stack([columns + hole.x, rows + hole.y], axis=1)
        origin = points[4, :2] + (place - points[4, :2]) / (1 + growth) - middle
        before = came_from(hole, middle, there)[0]
        near = abs(origin).max(axis=1) < 28
        assert near.sum() > 100
        np.testing.assert_allclose(before[near], origin[near], atol=0.3)


def test_a_rectangle_has_room_for_its_hole_and_little_more():
    moves = everywhere(6, 4)
    mouth, right, left = HoleMover().moved(speckled(), FACE, moves)
    for ring, hole in ((LIPS_INNER, mouth), (RIGHT_EYE, right), (LEFT_EYE, left)):
        low, high = (FACE[ring, :2] + (6, 4)).min(axis=0), (FACE[ring, :2] + (6, 4)).max(axis=0)
        height, width = hole.bgr.shape[:2]
        assert (np.array([hole.x, hole.y]) < low - 3).all()
        assert (np.array([hole.x + width - 1, hole.y + height - 1]) > high + 3).all()
        assert max(width, height) < 2 * (high - low).max() + 10
    assert right.x < left.x
    assert right.x + right.bgr.shape[1] < left.x, "the eyes do not share pixels"


def test_the_target_is_only_read():
    target = speckled()
    target.setflags(write=False)
    before = target.copy()
    points, moves = FACE.copy(), everywhere(5, 5)
    holes = HoleMover().moved(target, points, moves)
    np.testing.assert_array_equal(target, before)
    np.testing.assert_array_equal(points, FACE)
    np.testing.assert_array_equal(moves, everywhere(5, 5))
    assert not any(np.shares_memory(hole.bgr, target) for hole in holes)


def test_one_face_after_the_other_is_moved_like_the_first():
    mover, target = HoleMover(), speckled()
    first = mover.moved(target, FACE, everywhere(5, -3))
    mover.moved(speckled(90, 120), posed((40, 60), 30, 20), everywhere(-7, 9))
    for before, after in zip(first, mover.moved(target, FACE, everywhere(5, -3)), strict=True):
        assert (before.x, before.y) == (after.x, after.y)
        np.testing.assert_array_equal(before.bgr, after.bgr)


@settings(max_examples=80, deadline=None)
@given(
    st.floats(-150, 450),
    st.floats(-150, 350),
    st.floats(0.5, 300),
    st.floats(-180, 180),
    st.integers(0, 2**31 - 1),
    st.floats(0, 0.4),
)
def test_rectangles_lie_in_the_target_wherever_and_however_small_the_face_is(x, y, eyes_px, yaw, seed, most):
    target = np.full((200, 300, 3), 90, np.uint8)
    moves = np.random.default_rng(seed).uniform(-most, most, (468, 3)).astype(np.float32) * eyes_px
    for hole in MOVER.moved(target, posed((x, y), eyes_px, yaw), moves):
        height, width = hole.bgr.shape[:2]
        assert hole.x >= 0
        assert hole.y >= 0
        assert 2 <= width <= 300 - hole.x
        assert 2 <= height <= 200 - hole.y
        assert hole.bgr.dtype == np.uint8
        assert (hole.bgr == 90).all(), "nothing but the target's own pixels"


MOVER = HoleMover()


def test_an_eye_that_comes_from_beyond_the_edge_is_the_edge_drawn_out():
    target = speckled()
    points = posed((150, 100), 70)
    points[:, 0] -= points[RIGHT_EYE, 0].max() - 2
    holes = HoleMover().moved(target, points, everywhere(12, 0))
    right = min(holes, key=lambda hole: hole.x + 1000 * (hole.y > points[OVAL, 1].mean()))
    there = inside(points[RIGHT_EYE, :2] + (12, 0), right)
    rows, columns = np.nonzero(there)
    expected = target[rows + right.y, np.maximum(columns + right.x - 12, 0)]
    np.testing.assert_array_equal(right.bgr[there], expected)


@pytest.mark.parametrize("centre", [(-500, 100), (900, 100), (150, -500), (150, 700)])
def test_a_face_beside_the_picture_has_no_holes(centre):
    assert HoleMover().moved(speckled(), posed(centre, 70), everywhere(5, 5)) == []
