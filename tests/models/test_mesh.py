import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.likeness import shape_of
from models.mesh import MeshSwapper
from models.source_face import SourceFace
from models.topology import CANONICAL, LEFT_EYE, LIPS_INNER, NOSE_TIP, OVAL, RIGHT_EYE, UV
from tests.fakes.head import painted, picture_of, posed, skin_texture

CHEEKS = [50, 280, 205, 425]


def at(picture, points, indices):
    x, y = points[indices, :2].round().astype(int).T
    return picture[y, x]


def middle(points, ring):
    return points[ring].mean(axis=0, keepdims=True)


def pasted(frame, patch):
    out = frame.astype(float)
    h, w = patch.alpha.shape
    share = patch.alpha[:, :, None] / 255
    region = out[patch.y : patch.y + h, patch.x : patch.x + w]
    out[patch.y : patch.y + h, patch.x : patch.x + w] = patch.bgr * share + region * (1 - share)
    return out


def local(points, patch):
    return points - np.array([patch.x, patch.y, 0], np.float32)


@pytest.mark.parametrize("yaw", [0, 25])
def test_a_face_put_on_itself_changes_little(yaw):
    points = posed(yaw=yaw)
    texture = skin_texture()
    frame = picture_of(texture, points)
    out = pasted(frame, MeshSwapper().swap(frame, points, painted(texture)))
    inside = cv2.fillPoly(np.zeros(frame.shape[:2], np.uint8), [points[OVAL, :2].astype(np.int32)], 1) > 0
    assert abs(out - frame)[inside].mean() < 4


def test_texture_lands_on_its_features():
    points = posed(yaw=20, roll=15)
    frame = picture_of(skin_texture(), points)
    texture = skin_texture()
    cv2.circle(texture, (150, 300), 20, (0, 0, 0), -1)
    marked = picture_of(texture, points)
    out = pasted(frame, MeshSwapper().swap(frame, points, painted(texture)))
    dark, expected = out.sum(axis=2) < 150, marked.sum(axis=2) < 20
    got = np.array(np.nonzero(dark & ~(frame.sum(axis=2) < 150))).mean(axis=1)
    assert abs(got - np.array(np.nonzero(expected)).mean(axis=1)).max() < 1.5


def test_eyes_mouth_and_surroundings_stay_the_targets():
    points = posed()
    frame = picture_of(skin_texture(), points)
    patch = MeshSwapper().swap(frame, points, painted(skin_texture()))
    inner = local(points, patch)
    for ring in (LEFT_EYE, RIGHT_EYE, LIPS_INNER):
        assert at(patch.alpha, middle(inner, ring), [0]) < 40
    assert at(patch.alpha, inner, CHEEKS).min() == 255
    border = np.concatenate([patch.alpha[[0, -1]].ravel(), patch.alpha[:, [0, -1]].ravel()])
    assert border.max() <= 12


MEAN = shape_of(CANONICAL)


def moved(indices, x, y, reach=0.2):
    """The mean face's proportions with the region round the points moved, in eye distances."""
    away = np.linalg.norm(CANONICAL - CANONICAL[indices].mean(axis=0), axis=1)
    return MEAN + np.exp(-((away / reach) ** 4))[:, None].astype(np.float32) * np.float32([x, y, 0])


def of_shape(texture, shape, kind="persona"):
    plain = painted(texture, kind)
    return SourceFace("shaped", plain.texture, plain.coverage, kind, shape)


def centre_of(mask):
    return np.array(np.nonzero(mask)).mean(axis=1)[::-1]


@pytest.mark.parametrize(("x", "y"), [(0, 0.06), (0, -0.06), (0.05, 0)])
def test_the_wearer_takes_on_the_sources_proportions(x, y):
    points = posed(eyes_px=120)
    frame = picture_of(skin_texture(), points)
    texture = np.full((512, 512, 3), 120, np.uint8)
    cv2.circle(texture, tuple((UV[NOSE_TIP] * 512).astype(int).tolist()), 18, (0, 0, 0), -1)
    spots = []
    for shape in (MEAN, MEAN + np.float32([x, y, 0])):
        out = pasted(frame, MeshSwapper().swap(frame, points, of_shape(texture, shape)))
        spots.append(centre_of(out[100:240, 110:210].sum(axis=2) < 60))
    np.testing.assert_allclose(spots[1] - spots[0], np.multiply((x, y), 120), atol=1.2)


def marked(points, ring, radius=4):
    """The frame of a wearer with a blue eye."""
    frame = picture_of(skin_texture(), points)
    cv2.fillPoly(frame, [points[ring, :2].round().astype(np.int32)], (250, 250, 250))
    middle = points[ring, :2].mean(axis=0).round().astype(int)
    cv2.circle(frame, tuple(middle.tolist()), radius, (255, 0, 0), -1)
    return frame


def blue(picture):
    return (picture[..., 0] > 180) & (picture[..., 1:].max(axis=2) < 100)


@pytest.mark.parametrize("ring", [RIGHT_EYE, LEFT_EYE])
def test_the_wearers_own_eyes_show_where_the_drawn_face_has_them(ring):
    points = posed(eyes_px=110)
    frame = marked(points, ring)
    source = painted(skin_texture())
    assert (
        abs(
            centre_of(blue(pasted(frame, MeshSwapper().swap(frame, points, source))))
            - (centre_of(blue(frame)))
        ).max()
        < 0.5
    )
    shape = moved(ring, 0.03, 0.06)
    patch = MeshSwapper().swap(frame, points, of_shape(skin_texture(), shape, "picture"))
    out = pasted(frame, patch)
    went = centre_of(blue(out)) - centre_of(blue(frame))
    assert went[1] > 0.05 * 110, "down, and past the source's place to make up for eyes that are not its own"
    assert 0.3 * went[1] < went[0] < 0.7 * went[1]
    assert blue(out).sum() > 0.7 * blue(frame).sum()
    x, y = points[ring, :2].mean(axis=0).round().astype(int)
    assert patch.alpha[y - patch.y, x - patch.x] == 255, "where the eye was is skin, and covers it"


def test_an_eye_that_moved_is_in_the_wearers_own_colours():
    points = posed(eyes_px=110)
    frame = marked(points, RIGHT_EYE)
    shape = moved(RIGHT_EYE, 0, 0.05)
    patch = MeshSwapper().swap(frame, points, of_shape(np.full((256, 256, 3), 30, np.uint8), shape))
    blues = pasted(frame, patch)[blue(pasted(frame, patch))]
    np.testing.assert_allclose(np.median(blues, axis=0), (255, 0, 0), atol=3)


@pytest.mark.parametrize("yaw", [0, 20])
def test_ears_hair_and_background_stay_whatever_the_sources_proportions(yaw):
    points = posed(eyes_px=110, yaw=yaw)
    frame = picture_of(skin_texture(), points)
    shape = MEAN + np.random.default_rng(2).uniform(-0.05, 0.05, 3).astype(np.float32)
    out = pasted(frame, MeshSwapper().swap(frame, points, of_shape(skin_texture(), shape, "picture")))
    hull = cv2.convexHull(points[:, :2].astype(np.float32)).astype(np.int32)
    face = cv2.dilate(cv2.fillPoly(np.zeros(frame.shape[:2], np.uint8), [hull], 1), np.ones((5, 5)))
    assert abs(out - frame)[face == 0].max() <= 12


def test_no_seam_shows_round_an_eye_that_moved():
    """Skin, drawn skin and the wearer's eye, all of one tone."""
    points = posed(eyes_px=120)
    plain = np.full((512, 512, 3), (140, 165, 215), np.uint8)
    frame = picture_of(plain, points)
    out = pasted(
        frame, MeshSwapper().swap(frame, points, of_shape(plain, moved(RIGHT_EYE, 0, 0.06), "picture"))
    )
    x, y = points[RIGHT_EYE, :2].mean(axis=0).astype(int)
    assert np.ptp(out[y - 25 : y + 35, x - 35 : x + 35].reshape(-1, 3), axis=0).max() < 14


def test_the_edge_fades():
    points = posed(eyes_px=150, centre=(200, 200))
    frame = picture_of(skin_texture(), points, (400, 400))
    patch = MeshSwapper().swap(frame, points, painted(skin_texture()))
    steps = abs(np.diff(patch.alpha.astype(int), axis=1))
    eyes = local(points, patch)[[10, 151], 1].astype(int)
    assert steps[eyes[0] : eyes[1]].max() < 90


def test_the_targets_tone_and_light_are_taken_over():
    points = posed()
    for factor in (0.45, 0.8):
        frame = (picture_of(skin_texture(), points) * factor).astype(np.uint8)
        out = pasted(frame, MeshSwapper().swap(frame, points, painted(skin_texture(colour=(120, 180, 235)))))
        np.testing.assert_allclose(
            at(out, points, CHEEKS).mean(axis=0), at(frame, points, CHEEKS).mean(axis=0), atol=12
        )


def test_a_persona_keeps_its_own_tone():
    points = posed()
    frame = picture_of(skin_texture(), points)
    green = np.full((256, 256, 3), (60, 160, 60), np.uint8)
    out = pasted(frame, MeshSwapper().swap(frame, points, painted(green, "persona")))
    blue_, green_, red_ = at(out, points, CHEEKS).mean(axis=0)
    assert green_ > 2 * blue_
    assert green_ > 2 * red_


@pytest.mark.parametrize("yaw", [-75, 75])
def test_at_a_large_yaw_the_far_half_is_not_smeared_over_the_near_one(yaw):
    points = posed(yaw=yaw)
    frame = picture_of(skin_texture(), points)
    halves = np.full((512, 512, 3), (200, 40, 40), np.uint8)
    halves[:, 256:] = (40, 40, 200)
    patch = MeshSwapper().swap(frame, points, painted(halves, "persona"))
    blue, red = (int((patch.alpha[patch.bgr.argmax(axis=2) == channel] > 128).sum()) for channel in (0, 2))
    assert max(blue, red) > 2000
    assert min(blue, red) < max(blue, red) / 4


@pytest.mark.parametrize("yaw", [-40, 40])
def test_skin_seen_at_a_grazing_angle_fades(yaw):
    points = posed(yaw=yaw, eyes_px=120)
    frame = picture_of(skin_texture(), points)
    whole = SourceFace("whole", skin_texture(), np.full((512, 512), 255, np.uint8), "picture")
    patch = MeshSwapper().swap(frame, points, whole)
    eyes, mouth = local(points, patch)[[33, 61], 1].round().astype(int)
    rows = patch.alpha[eyes + 10 : mouth - 10, :: 1 if yaw > 0 else -1]
    far = [int((row >= 240).argmax() - (row > 15).argmax()) for row in rows]
    assert np.median(far) > 4, "the far edge fades over more than its softened rim"


@settings(max_examples=60, deadline=None)
@given(
    st.floats(-400, 700), st.floats(-400, 700), st.floats(1, 500), st.floats(-180, 180), st.floats(-60, 60)
)
def test_the_patch_lies_in_the_frame_wherever_the_face_is(x, y, eyes_px, yaw, roll):
    frame = np.full((200, 300, 3), 90, np.uint8)
    points = posed((x, y), eyes_px, yaw, 0, roll)
    patch = SWAPPER.swap(frame, points, SOURCE)
    height, width = patch.alpha.shape
    assert patch.bgr.shape == (height, width, 3)
    assert patch.bgr.dtype == patch.alpha.dtype == np.uint8
    assert patch.x >= 0
    assert patch.y >= 0
    assert patch.x + width <= 300
    assert patch.y + height <= 200
    assert (frame == 90).all()


SWAPPER, SOURCE = MeshSwapper(), painted(skin_texture(128))


@pytest.mark.parametrize("spoil", [np.nan, np.inf])
def test_points_that_are_no_numbers_give_an_empty_patch(spoil):
    points = posed()
    points[7, 1] = spoil
    frame = np.zeros((100, 100, 3), np.uint8)
    assert MeshSwapper().swap(frame, points, SOURCE).alpha.size == 0


@pytest.mark.parametrize("value", [0.0, 50.0])
def test_points_that_all_coincide_give_an_empty_patch_and_leave_no_trace(value):
    frame, swapper = picture_of(skin_texture(), posed()), MeshSwapper()
    assert swapper.swap(frame, np.full((468, 3), value, np.float32), SOURCE, 1).alpha.size == 0
    again = swapper.swap(frame, posed(), SOURCE, 1)
    expected = MeshSwapper().swap(frame, posed(), SOURCE, 1)
    np.testing.assert_array_equal(again.alpha, expected.alpha)


def test_a_face_outside_gives_an_empty_patch():
    frame = np.zeros((100, 100, 3), np.uint8)
    assert MeshSwapper().swap(frame, posed((900, 900)), SOURCE).alpha.size == 0


def test_faces_one_after_the_other_do_not_disturb_each_other():
    swapper = MeshSwapper()
    frame = picture_of(skin_texture(), posed())
    one, other = painted(skin_texture()), painted(np.full((256, 256, 3), (50, 200, 50), np.uint8), "persona")
    first = swapper.swap(frame, posed(), one, 1)
    kept = first.bgr.copy(), first.alpha.copy()
    swapper.swap(frame, posed((150, 140), 120, yaw=30), other, 2)
    again = swapper.swap(frame, posed(), one, 3)
    np.testing.assert_array_equal(again.bgr, kept[0])
    np.testing.assert_array_equal(again.alpha, kept[1])


def test_each_wearer_is_known_by_the_track():
    """Two wearers of unlike proportions, in turn: each is drawn as if alone."""
    long = CANONICAL * np.float32([1, 1.1, 1])
    one, other = posed(), posed((150, 140), 100, shape=long)
    frame, source = picture_of(skin_texture(), one), painted(skin_texture())
    both, alone, mixed = MeshSwapper(), MeshSwapper(), MeshSwapper()
    for _ in range(4):
        both.swap(frame, one, source, 1)
        mixed.swap(frame, one, source, 7)
        kept = both.swap(frame, other, source, 2).bgr.copy()
        confused = mixed.swap(frame, other, source, 7).bgr.copy()
        expected = alone.swap(frame, other, source, 5).bgr
    np.testing.assert_array_equal(kept, expected)
    assert confused.shape != expected.shape or abs(confused.astype(int) - expected).max() > 10


def test_many_sources_do_not_pile_up():
    swapper = MeshSwapper()
    frame = picture_of(skin_texture(64), posed())
    tones = range(20, 220, 10)
    for tone in tones:
        source = painted(np.full((64, 64, 3), tone, np.uint8), "persona")
        patch = swapper.swap(frame, posed(), source)
        assert abs(float(np.median(patch.bgr)) / tone - 1) < 1.6
    assert len(swapper._layers) < len(tones)
