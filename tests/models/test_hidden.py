import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.hidden import FaceHider, HiddenFace
from models.topology import CANONICAL, LEFT_EYE, LIPS_INNER, OVAL, RIGHT_EYE
from realtime.compose import Paster
from tests.fakes.head import painted, picture_of, posed, skin_texture

BLUR, PIXEL = HiddenFace("blur", "blur"), HiddenFace("pixel", "pixel")


@pytest.fixture(params=[BLUR, PIXEL], ids=["blur", "pixel"])
def face(request):
    return request.param


def noise(seed, height=320, width=320):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)


def hidden(bgr, points, face):
    picture = bgr.copy()
    Paster().paste(picture, FaceHider().hide(bgr, points, face))
    return picture


def alpha_of(bgr, points, face):
    patch = FaceHider().hide(bgr, points, face)
    whole = np.zeros(bgr.shape[:2], np.uint8)
    whole[patch.y : patch.y + patch.alpha.shape[0], patch.x : patch.x + patch.alpha.shape[1]] = patch.alpha
    return whole


def hull_mask(points, height=320, width=320):
    mask = np.zeros((height, width), np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(np.rint(points[:, :2]).astype(np.int32)), (255,))
    return mask > 0


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from([BLUR, PIXEL]),
    st.tuples(st.floats(40, 280), st.floats(40, 280)),
    st.floats(16, 110),
    st.floats(-70, 70),
    st.floats(-30, 30),
    st.floats(-180, 180),
)
def test_all_of_the_face_is_covered_in_any_pose(face, centre, eyes_px, yaw, pitch, roll):
    points = posed(centre, eyes_px, yaw, pitch, roll)
    alpha = alpha_of(noise(1), points, face)
    assert alpha[hull_mask(points)].min(initial=255) >= 250


def test_forehead_ears_and_chin_are_covered_and_the_rest_is_not(face):
    alpha = alpha_of(noise(1), posed((160, 160), 90), face)
    eyes_y = 160 - round(0.3 * 90)
    assert alpha[eyes_y - 81, 160] == 255, "the hairline"
    assert alpha[eyes_y + 20, [160 - 81, 160 + 81]].min() == 255, "the ears"
    assert alpha[eyes_y + 120, 160] == 255, "the chin"
    assert alpha[:, :15].max() == 0
    assert alpha[-15:].max() == 0


@pytest.mark.parametrize("yaw", [-50, -30, 30, 50])
def test_a_turned_heads_ear_is_covered(face, yaw):
    eyes_px = 80
    points = posed((160, 160), eyes_px, yaw=yaw)
    back = np.cross(points[454] - points[234], points[152] - points[10])
    back *= eyes_px / np.linalg.norm(back)
    side = points[454] if back[0] > 0 else points[234]
    x, y = np.rint(side + 0.3 * back)[:2].astype(int)
    assert not hull_mask(points)[y, x]
    assert alpha_of(noise(1), points, face)[y, x] >= 250


@settings(max_examples=20, deadline=None)
@given(st.sampled_from([BLUR, PIXEL]), st.integers(0, 2**31 - 1))
def test_only_the_means_of_the_cells_get_through(face, seed):
    """Two pictures with the same coarse colours look the same hidden: nothing finer is left to restore."""
    points = posed((160, 160), 90)
    fine = noise(seed)
    coarse = cv2.blur(fine, (9, 9))
    inside = alpha_of(fine, points, face) == 255
    one, other = hidden(fine, points, face), hidden(coarse, points, face)
    assert np.abs(one.astype(int) - other)[inside].max() <= 24
    assert np.abs(one.astype(int) - other)[inside].mean() <= 3
    assert one[inside].std() < 0.35 * fine[inside].std()


def test_eyes_and_mouth_are_covered_too(face):
    points = posed((160, 160), 90)
    bgr = picture_of(skin_texture(), points)
    for ring in (LEFT_EYE, RIGHT_EYE, LIPS_INNER):
        cv2.fillPoly(bgr, [np.rint(points[ring, :2]).astype(np.int32)], (255, 0, 0))
    out = hidden(bgr, points, face)
    assert np.abs(out.astype(int) - (255, 0, 0)).max(axis=2).min() > 60


def test_few_colours_remain_of_blocks():
    points = posed((160, 160), 100)
    patch = FaceHider().hide(noise(1), points, PIXEL)
    bgr, share = np.unique(patch.bgr[patch.alpha == 255].reshape(-1, 3), axis=0, return_counts=True)
    large = share > 300
    assert 25 <= large.sum() <= 108
    assert share[large].sum() > 0.75 * share.sum()
    assert len(bgr) > 1


@pytest.mark.parametrize("roll", [0, 20, 45, -70])
def test_blocks_turn_with_the_head(roll):
    points = posed((160, 160), 100, roll=roll)
    out = hidden(noise(3), points, PIXEL).astype(int)
    turn = np.radians(roll)
    along, down = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
    middle = points[[33, 263], :2].mean(axis=0)
    reach = 13.0
    corners = [middle + reach * (i * along + j * down) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    colours = np.array([out[round(float(y)), round(float(x))] for x, y in corners])
    assert np.ptp(colours, axis=0).max() <= 1, "one cell, one colour"


@pytest.mark.parametrize("shift", [0.25, 0.5])
def test_a_small_step_of_the_face_is_a_small_change(face, shift):
    points = posed((160, 160), 90)
    bgr = cv2.GaussianBlur(noise(4), (0, 0), 3)
    still, moved = alpha_of(bgr, points, face), alpha_of(bgr, points + np.float32(shift), face)
    assert np.abs(still.astype(int) - moved).mean() < 2
    before, after = hidden(bgr, points, face), hidden(bgr, points + np.float32(shift), face)
    assert np.abs(before.astype(int) - after).mean() < 1.5


def test_the_grid_does_not_follow_the_mouth():
    points = posed((160, 160), 90)
    bgr = noise(5)
    spoken = points.copy()
    spoken[LIPS_INNER, 1] += 9
    np.testing.assert_array_equal(hidden(bgr, points, PIXEL), hidden(bgr, spoken, PIXEL))


def test_an_open_mouths_chin_is_covered(face):
    points = posed((160, 160), 80)
    low = points[OVAL, 1] > np.percentile(points[OVAL, 1], 70)
    points[OVAL[low], 1] += 30
    assert alpha_of(noise(1), points, face)[hull_mask(points)].min() >= 250


@pytest.mark.parametrize("centre", [(-500, 100), (100, 900)])
def test_a_face_outside_is_nothing(face, centre):
    patch = FaceHider().hide(noise(1), posed(centre, 60), face)
    assert patch.alpha.size == 0
    assert patch.bgr.size == 0


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_points_that_are_no_numbers_are_nothing(face, value):
    points = posed()
    points[7, 1] = value
    assert FaceHider().hide(noise(1), points, face).alpha.size == 0


def test_points_that_coincide_do_not_crash(face):
    points = np.full(CANONICAL.shape, 50, np.float32)
    patch = FaceHider().hide(noise(1, 100, 100), points, face)
    assert patch.bgr.shape[:2] == patch.alpha.shape


def test_the_frame_is_not_written_to_and_the_next_call_is_as_the_first(face):
    bgr = noise(6)
    kept = bgr.copy()
    hider = FaceHider()
    first = hider.hide(bgr, posed((100, 120), 60), face)
    first = (first.bgr.copy(), first.alpha.copy())
    hider.hide(bgr, posed((160, 160), 110), face)
    again = hider.hide(bgr, posed((100, 120), 60), face)
    np.testing.assert_array_equal(again.bgr, first[0])
    np.testing.assert_array_equal(again.alpha, first[1])
    np.testing.assert_array_equal(bgr, kept)


def test_a_persona_with_a_texture_is_no_hidden_face():
    assert not isinstance(painted(skin_texture()), HiddenFace)
