import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.likeness import Likeness, shape_of
from models.mesh_fit import STEADY, fit_mesh
from models.source_face import SourceFace
from models.topology import CANONICAL, LEFT_EYE, LIPS_INNER, MIRROR, NOSE_TIP, OVAL, RIGHT_EYE
from tests.fakes.head import posed

EYES_PX = 90.0
HALF = len(LIPS_INNER) // 2
UPPER_LIP, LOWER_LIP = LIPS_INNER[1:HALF], LIPS_INNER[:HALF:-1]
CORNERS = LIPS_INNER[[0, HALF]]
UPPER_LIDS, LOWER_LIDS = [159, 386], [145, 374]
MEAN = shape_of(CANONICAL)
seeds = st.integers(0, 2**31 - 1)


def person(seed, strength=0.04):
    """(468, 3): somebody's proportions, mouth closed: the mean face bent by a few slow waves, its outline
    and what the head is fitted by as they are."""
    rng = np.random.default_rng(seed)
    bent = MEAN.copy()
    for _ in range(3):
        along, phase = rng.uniform(-3, 3, 3), rng.uniform(0, 6)
        wave = np.cos(MEAN @ along + phase)
        bent += (strength / 3 * wave[:, None] * rng.uniform(-1, 1, 3)).astype(np.float32)
    return shape_of(bent)


def gape(shape, gap):
    """The shape with its jaw dropped so that the lips part by `gap`."""
    middle = shape[[13, 14], 1].mean()
    below = np.clip((CANONICAL[:, 1] - middle) / 0.1 + 0.5, 0, 1)
    below[UPPER_LIP], below[LOWER_LIP], below[CORNERS] = 0, 1, 0.5
    dropped = shape.copy()
    dropped[:, 1] += (gap * below).astype(np.float32)
    return dropped


def blink(shape, share=1.0):
    """The shape with both eyes closed by `share`."""
    shut = shape.copy()
    for ring in (RIGHT_EYE, LEFT_EYE):
        shut[ring, 1] += np.float32(share) * (shape[ring, 1].mean() - shape[ring, 1])
    return shut


def watched(likeness, points, frames, source=MEAN, track_id=1):
    """The moves after the wearer was seen like this for so many frames."""
    for _ in range(frames):
        moves = likeness.moves(points, source, track_id)
    return moves


@settings(max_examples=20, deadline=None)
@given(seeds, st.floats(-20, 20), st.floats(20, 300))
def test_whose_proportions_are_the_sources_is_not_moved(seed, yaw, eyes_px):
    points = posed(eyes_px=eyes_px, yaw=yaw, shape=person(seed))
    first = Likeness().moves(points, shape_of(points), 1)
    known = watched(Likeness(), points, 120, shape_of(points))
    assert abs(known).max() < 0.01 * eyes_px
    assert abs(known).max() < 0.1 * abs(first).max() + 0.002 * eyes_px


def test_the_mean_face_is_not_moved_to_the_mean_face_from_the_first_frame_on():
    assert abs(Likeness().moves(posed(), MEAN, 1)).max() < 1e-3


@settings(max_examples=20, deadline=None)
@given(seeds, seeds)
def test_a_watched_wearer_is_given_the_sources_proportions(wearer, source):
    """Where nothing bounds it and no eye is near: below the eyes, away from the outline."""
    points, other = posed(shape=person(wearer)), person(source)
    inside = [NOSE_TIP, 2, 164, 0, 17, 13, 14]
    there = fit_mesh(points).to_front(points + watched(Likeness(), points, 120, other))
    np.testing.assert_allclose(there[inside], other[inside], atol=0.004)


@settings(max_examples=30, deadline=None)
@given(seeds, seeds, st.floats(-60, 60), st.floats(-60, 60), st.floats(0.01, 3))
def test_the_outline_never_moves_and_nothing_moves_far(wearer, source, yaw, roll, strength):
    points = posed(eyes_px=EYES_PX, yaw=yaw, roll=roll, shape=person(wearer))
    moves = Likeness().moves(points, person(source, strength), 1)
    assert moves.shape == (468, 3)
    assert moves.dtype == np.float32
    assert (moves[OVAL] == 0).all()
    along_the_face = fit_mesh(points).to_front(points + moves) - fit_mesh(points).to_front(points)
    assert abs(along_the_face).max() <= 0.25 + 1e-3


def test_points_move_less_and_less_towards_the_outline():
    moves = Likeness().moves(posed(eyes_px=EYES_PX), MEAN + np.float32([0, 0.03, 0]), 1)
    depth = np.linalg.norm(CANONICAL[:, None] - CANONICAL[None, OVAL], axis=2).min(axis=1)
    away = np.linalg.norm(CANONICAL - CANONICAL[RIGHT_EYE].mean(axis=0), axis=1)
    plain = np.minimum(away, away[MIRROR]) > 0.45
    order = np.argsort(depth[plain])
    assert (np.diff(moves[plain, 1][order]) > -1e-3).all()
    assert 0.03 * EYES_PX <= moves[NOSE_TIP, 1] <= 1.2 * 0.03 * EYES_PX


def test_the_eyes_go_past_the_sources():
    moves = Likeness().moves(posed(eyes_px=EYES_PX), MEAN + np.float32([0, 0.03, 0]), 1)
    for ring in (RIGHT_EYE, LEFT_EYE):
        assert moves[ring, 1].mean() > 1.2 * 0.03 * EYES_PX
    assert moves[:, 1].max() < 2 * 0.03 * EYES_PX


@settings(max_examples=30, deadline=None)
@given(seeds, st.floats(-180, 180), st.floats(0.2, 5), st.floats(-500, 900), st.floats(-500, 900))
def test_the_moves_turn_grow_and_travel_with_the_picture(seed, degrees, scale, x, y):
    points, source = posed(eyes_px=EYES_PX, yaw=15, shape=person(seed)), person(seed + 1)
    a = np.radians(degrees)
    turn = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]]) * scale
    seen = (points @ turn.T + [x, y, 0]).astype(np.float32)
    moves = watched(Likeness(), points, 3, source)
    assert abs(moves).max() > 0.5
    np.testing.assert_allclose(watched(Likeness(), seen, 3, source), moves @ turn.T, atol=0.01 * scale)


@settings(max_examples=20, deadline=None)
@given(seeds, seeds, st.floats(0, 0.9))
def test_an_open_mouth_stays_as_open(wearer, source, gap):
    own, likeness = person(wearer), Likeness()
    watched(likeness, posed(shape=own), 10, person(source))
    points = posed(eyes_px=EYES_PX, shape=gape(own, gap))
    there = points + likeness.moves(points, person(source), 1)
    before, after = (face[LOWER_LIP] - face[UPPER_LIP] for face in (points, there))
    np.testing.assert_allclose(after, before, atol=0.01)


@settings(max_examples=20, deadline=None)
@given(seeds, seeds, st.floats(0, 0.5))
def test_a_source_with_parted_lips_does_not_open_a_closed_mouth(wearer, source, gap):
    points = posed(eyes_px=EYES_PX, shape=person(wearer))
    smiling = posed((300, 300), 150, shape=gape(person(source), gap))
    there = points + watched(Likeness(), points, 3, shape_of(smiling))
    np.testing.assert_allclose(there[LOWER_LIP], there[UPPER_LIP], atol=0.01)


@settings(max_examples=20, deadline=None)
@given(seeds, st.floats(-20, 20))
def test_where_the_wearers_eyes_are_closed_the_drawn_ones_are(source, yaw):
    """Landmarks leave a slit in closed eyes."""
    likeness = Likeness()
    watched(likeness, posed(eyes_px=EYES_PX, yaw=yaw), 10, person(source))
    points = posed(eyes_px=EYES_PX, yaw=yaw, shape=blink(MEAN, 0.55))
    slit = np.linalg.norm(points[UPPER_LIDS] - points[LOWER_LIDS], axis=1) / EYES_PX
    assert 0.03 < slit.max() < 0.06
    there = points + likeness.moves(points, person(source), 1)
    np.testing.assert_allclose(there[UPPER_LIDS], there[LOWER_LIDS], atol=0.05)


def test_only_the_eye_that_is_closed_is_drawn_closed_and_by_its_upper_lid():
    wink = MEAN.copy()
    wink[RIGHT_EYE] = blink(MEAN, 0.55)[RIGHT_EYE]
    points = posed(eyes_px=EYES_PX, shape=wink)
    there = points + Likeness().moves(points, MEAN, 1)
    right, left = np.linalg.norm(there[UPPER_LIDS] - there[LOWER_LIDS], axis=1) / EYES_PX
    assert right < 1e-3
    assert left == pytest.approx(np.linalg.norm(MEAN[386] - MEAN[374]), abs=0.01)
    lower = there[LOWER_LIDS[0], 1] - points[LOWER_LIDS[0], 1]
    upper = there[UPPER_LIDS[0], 1] - points[UPPER_LIDS[0], 1]
    assert abs(lower) < 0.25 * upper
    far = np.linalg.norm(CANONICAL - CANONICAL[RIGHT_EYE].mean(axis=0), axis=1) > 0.4
    assert abs((there - points)[far]).max() < 0.01 * EYES_PX


def test_an_eye_closes_without_a_jump():
    gaps = []
    for share in np.linspace(0, 1, 60):
        points = posed(eyes_px=EYES_PX, shape=blink(MEAN, share))
        there = points + Likeness().moves(points, MEAN, 1)
        gaps.append(np.linalg.norm(there[159] - there[145]) / EYES_PX)
    steps = np.diff(gaps)
    assert steps.max() < 1e-3
    assert steps.min() > -0.02


def test_a_source_that_says_nothing_of_its_proportions_does_not_open_a_closed_mouth():
    blank = np.zeros((8, 8, 3), np.uint8)
    shape = SourceFace("blank", blank, blank[..., 0], "persona").shape
    np.testing.assert_allclose(shape[LOWER_LIP], shape[UPPER_LIP], atol=1e-6)


def test_closing_the_lips_leaves_the_rest_of_the_face():
    smiling = gape(MEAN, 0.3)
    closed = shape_of(posed(shape=smiling))
    far = np.linalg.norm(CANONICAL[:, None] - CANONICAL[None, LIPS_INNER], axis=2).min(axis=1) > 0.35
    np.testing.assert_allclose(closed[far], smiling[far], atol=0.004)
    middle = (smiling[UPPER_LIP] + smiling[LOWER_LIP]) / 2
    np.testing.assert_allclose(closed[UPPER_LIP], middle, atol=4e-3)
    np.testing.assert_allclose(closed[CORNERS], smiling[CORNERS], atol=4e-3)


@settings(deadline=None)
@given(seeds, st.floats(-60, 60), st.floats(-60, 60), st.floats(20, 500))
def test_a_shape_is_the_same_in_any_pose_and_at_any_size(seed, yaw, roll, eyes_px):
    shape = person(seed)
    np.testing.assert_allclose(
        shape_of(posed((500, 200), eyes_px, yaw, 10, roll, shape)), shape_of(posed(shape=shape)), atol=1e-3
    )


@settings(deadline=None)
@given(seeds)
def test_a_shape_is_alike_on_both_sides(seed):
    crooked = MEAN + np.random.default_rng(seed).normal(0, 0.02, (468, 3)).astype(np.float32)
    shape = shape_of(posed(shape=crooked))
    np.testing.assert_allclose(shape[MIRROR] * [-1, 1, 1], shape, atol=1e-4)


def learnt(disturbance, frames=10):
    """How far in eye distances each point's known place goes by so many frames of `disturbance`."""
    likeness, calm = Likeness(), posed(eyes_px=EYES_PX, shape=MEAN)
    before = watched(likeness, calm, 50)
    watched(likeness, disturbance, frames)
    return np.linalg.norm(likeness.moves(calm, MEAN, 1) - before, axis=1) / EYES_PX


def test_gapes_hardly_change_what_is_known():
    gap = 0.9
    went = learnt(posed(eyes_px=EYES_PX, shape=gape(MEAN, gap)))
    by_mean_alone = gap / 2 * 10 / 60
    assert went[[13, 14, 17]].max() < 0.3 * by_mean_alone
    assert learnt(posed(eyes_px=EYES_PX, shape=gape(MEAN, 0.1)))[17] > 0.5 * 0.1 / 2 * 10 / 60


def test_blinks_hardly_change_what_is_known():
    lids = UPPER_LIDS + LOWER_LIDS
    squint, shut = (learnt(posed(eyes_px=EYES_PX, shape=blink(MEAN, share))) for share in (0.3, 1))
    assert squint[lids].min() > 0.001
    assert (shut[lids] < 0.25 * squint[lids]).all()


def test_one_closed_eye_is_a_blink_too():
    wink = MEAN.copy()
    wink[RIGHT_EYE] = blink(MEAN)[RIGHT_EYE]
    squint = learnt(posed(eyes_px=EYES_PX, shape=blink(MEAN, 0.3)))
    assert learnt(posed(eyes_px=EYES_PX, shape=wink))[UPPER_LIDS].max() < 0.25 * squint[UPPER_LIDS].min()


def test_a_turned_head_says_little():
    other = MEAN.copy()
    other[:, 1] += 0.05 * np.exp(-(((CANONICAL - CANONICAL[NOSE_TIP]) / 0.3) ** 2).sum(axis=1))
    other[STEADY] = MEAN[STEADY]
    below = 0
    front, side = (learnt(posed(eyes_px=EYES_PX, yaw=yaw, shape=other))[below] for yaw in (0, 60))
    assert front > 1e-3
    assert side < 0.1 * front


def test_what_is_known_follows_a_change_and_forgets_the_past():
    likeness = Likeness()
    one, other = person(1), person(2)
    watched(likeness, posed(eyes_px=EYES_PX, shape=one), 600)
    points = posed(eyes_px=EYES_PX, shape=other)
    steps = [abs(likeness.moves(points, shape_of(points), 1)).max() for _ in range(900)]
    assert steps[-1] < 0.15 * steps[0]
    assert all(after <= before + 1e-3 for before, after in itertools.pairwise(steps))


def test_moves_do_not_jump_while_a_wearer_becomes_known():
    likeness, points = Likeness(), posed(eyes_px=EYES_PX, shape=person(5))
    moves = [likeness.moves(points, person(6), 1) for _ in range(30)]
    steps = [abs(after - before).max() for before, after in itertools.pairwise(moves)]
    assert steps == sorted(steps, reverse=True)
    assert steps[0] < 0.02 * EYES_PX


def test_each_track_is_known_by_itself():
    one, other = posed(shape=person(1)), posed((90, 90), 60, yaw=10, shape=person(2))
    together, alone, alone_too = Likeness(), Likeness(), Likeness()
    for _ in range(5):
        np.testing.assert_array_equal(together.moves(one, MEAN, 1), alone.moves(one, MEAN, 1))
        np.testing.assert_array_equal(together.moves(other, MEAN, 2), alone_too.moves(other, MEAN, 2))


def test_sixteen_wearers_are_kept_and_who_was_away_longest_is_forgotten():
    likeness, points = Likeness(), posed(shape=person(1))
    fresh = Likeness().moves(points, MEAN, 1)
    for track_id in range(1, 17):
        watched(likeness, points, 20, track_id=track_id)
    known = likeness.moves(points, MEAN, 1)
    assert abs(known - fresh).max() > 0.5
    likeness.moves(points, MEAN, 17)
    assert len(likeness._wearers) == 16
    assert abs(likeness.moves(points, MEAN, 1) - known).max() < 0.1, "just seen, so kept"
    np.testing.assert_array_equal(likeness.moves(points, MEAN, 2), fresh)


@pytest.mark.parametrize("value", [0.0, 40.0])
def test_points_that_are_no_face_do_not_move_and_nothing_is_learnt_of_them(value):
    likeness, undisturbed = Likeness(), Likeness()
    nothing = np.full((468, 3), value, np.float32)
    assert (likeness.moves(nothing, person(2), 1) == 0).all()
    points = posed(shape=person(1))
    for _ in range(3):
        moves = likeness.moves(points, person(2), 1)
        np.testing.assert_array_equal(moves, undisturbed.moves(points, person(2), 1))
        assert (likeness.moves(nothing, person(2), 1) == 0).all()


def test_points_that_are_no_numbers_do_not_move_and_nothing_is_learnt_of_them():
    likeness, points = Likeness(), posed(shape=person(1))
    spoilt = points.copy()
    spoilt[7, 1] = np.nan
    assert (likeness.moves(spoilt, MEAN, 1) == 0).all()
    np.testing.assert_array_equal(likeness.moves(points, MEAN, 1), Likeness().moves(points, MEAN, 1))
