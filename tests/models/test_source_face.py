import cv2
import numpy as np
import pytest

from models.likeness import shape_of
from models.source_face import TEXTURE_SIDE, SourceFace, prepare, unwrapped
from models.topology import CANONICAL, HOLES, UV
from tests.fakes.head import SKIN_BGR, picture_of, posed, skin_texture

FOREHEAD, CHEEKS = [10, 109, 338, 151], [50, 280, 205, 425]


def on(texture, indices):
    """Colours round points, the freckles averaged out."""
    x, y = (UV[indices] * texture.shape[0]).astype(int).T
    return cv2.blur(texture, (9, 9))[y, x].astype(float)


def brows(texture):
    middles = (UV[[105, 334]] + UV[[52, 282]]) / 2
    x, y = (middles * texture.shape[0]).astype(int).T
    return texture[y, x].astype(float)


def alike(colour, other, tolerance):
    assert abs(np.asarray(colour, float) - np.asarray(other, float)).max() < tolerance


def test_the_texture_is_the_face_laid_flat():
    points = posed(eyes_px=120)
    face = prepare("anna", picture_of(skin_texture(), points), points)
    assert face.name == "anna"
    assert face.kind == "picture"
    assert face.texture.shape == (TEXTURE_SIDE, TEXTURE_SIDE, 3)
    assert face.coverage.shape == (TEXTURE_SIDE, TEXTURE_SIDE)
    alike(on(face.texture, CHEEKS).mean(axis=0), SKIN_BGR, 15)
    assert brows(face.texture).mean() < 80


def test_a_fringe_is_replaced_by_skin():
    points = posed(eyes_px=120)
    texture = skin_texture()
    top = int(UV[105, 1] * TEXTURE_SIDE) - 30
    texture[:top] = (25, 35, 45)
    picture = picture_of(texture, points, ground=(25, 35, 45))
    face = prepare("fringe", picture, points)
    alike(on(face.texture, FOREHEAD).mean(axis=0), SKIN_BGR, 30)


@pytest.mark.parametrize("fringe", [False, True])
def test_the_whole_face_is_covered_whatever_the_picture_shows(fringe):
    points = posed(eyes_px=120)
    texture = skin_texture()
    if fringe:
        texture[: int(UV[105, 1] * TEXTURE_SIDE) - 30] = (25, 35, 45)
    face = prepare("face", picture_of(texture, points, ground=(25, 35, 45)), points)
    inner = [151, 9, 4, 18, *CHEEKS]
    x, y = (UV[inner] * TEXTURE_SIDE).astype(int).T
    assert (face.coverage[y, x] == 255).all()
    assert face.coverage[0].max() == 0
    for ring in HOLES:
        x, y = (UV[ring].mean(axis=0) * TEXTURE_SIDE).astype(int)
        assert face.coverage[y, x] == 0


def test_between_a_fringe_and_the_skin_made_up_for_it_no_line_shows():
    points = posed(eyes_px=120)
    texture = np.full((TEXTURE_SIDE, TEXTURE_SIDE, 3), SKIN_BGR, np.uint8)
    texture[: int(UV[105, 1] * TEXTURE_SIDE) - 30] = (25, 35, 45)
    face = prepare("fringe", picture_of(texture, points, ground=(25, 35, 45)), points)
    x = int(UV[151, 0] * TEXTURE_SIDE)
    column = face.texture[int(UV[10, 1] * TEXTURE_SIDE) + 20 : int(UV[4, 1] * TEXTURE_SIDE), x - 20 : x + 20]
    tones = column.mean(axis=1).astype(float)
    assert np.ptp(tones, axis=0).max() < 45
    assert abs(np.diff(tones, axis=0)).max() < 4


def test_the_proportions_are_the_pictures_own():
    wide = CANONICAL * np.float32([1, 1.08, 1])
    points = posed(eyes_px=120, shape=wide, roll=20)
    picture = picture_of(skin_texture(), points)
    face = prepare("long", picture, points)
    np.testing.assert_allclose(face.shape, shape_of(points), atol=1e-5)
    mean = SourceFace("mean", face.texture, face.coverage, "picture").shape
    long, usual = (shape[152, 1] - shape[10, 1] for shape in (face.shape, mean))
    assert long > 1.02 * usual


def test_without_a_picture_the_proportions_are_the_mean_faces():
    face = SourceFace("blank", np.zeros((8, 8, 3), np.uint8), np.zeros((8, 8), np.uint8), "persona")
    np.testing.assert_array_equal(face.shape, shape_of(CANONICAL))


def test_a_large_picture_has_the_proportions_of_a_small_one():
    small, large = (posed((side / 2, side / 2), side / 3, yaw=20) for side in (300, 1500))
    picture = picture_of(skin_texture(), large, (1500, 1500))
    of_small = unwrapped(cv2.resize(picture, (300, 300), interpolation=cv2.INTER_AREA), small)
    np.testing.assert_allclose(of_small.shape, unwrapped(picture, large).shape, atol=1e-3)


def test_skin_that_is_turned_away_comes_from_the_other_half():
    points = posed(eyes_px=120, yaw=50)
    texture = skin_texture()
    for side in (UV[50], UV[280]):
        cv2.circle(texture, tuple((side * TEXTURE_SIDE).astype(int).tolist()), 14, (60, 60, 160), -1)
    face = prepare("turned", picture_of(texture, points), points)
    left, right = on(face.texture, [50])[0], on(face.texture, [280])[0]
    alike(left, right, 60)
    assert max(left[0], right[0]) < 110


def test_light_from_one_side_is_evened_out():
    points = posed(eyes_px=120)
    slope = np.linspace(0.55, 1.2, TEXTURE_SIDE)[None, :, None]
    lit = np.clip(skin_texture() * slope, 0, 255).astype(np.uint8)
    before = on(lit, [50]).mean() / on(lit, [280]).mean()
    face = prepare("lit", picture_of(lit, points), points)
    after = on(face.texture, [50]).mean() / on(face.texture, [280]).mean()
    assert abs(np.log(after)) < abs(np.log(before)) * 0.8


@pytest.mark.parametrize("eyes_px", [30, 600])
def test_small_and_large_faces_are_prepared_alike(eyes_px):
    points = posed((eyes_px * 1.5, eyes_px * 1.5), eyes_px)
    side = int(eyes_px * 3)
    face = prepare("size", picture_of(skin_texture(), points, (side, side)), points)
    alike(on(face.texture, CHEEKS).mean(axis=0), SKIN_BGR, 20)
    assert brows(face.texture).mean() < 110


def test_preparing_twice_gives_the_same():
    points = posed()
    picture = picture_of(skin_texture(), points)
    np.testing.assert_array_equal(
        prepare("a", picture, points).texture, prepare("a", picture, points).texture
    )


@pytest.mark.parametrize("tone", [0, 128, 255])
def test_a_face_without_any_contrast_is_no_trouble(tone):
    face = prepare("flat", np.full((320, 320, 3), tone, np.uint8), posed())
    alike(on(face.texture, CHEEKS).mean(axis=0), [tone] * 3, 12)


def test_a_face_cut_by_the_edge_is_no_trouble():
    points = posed((20, 30))
    face = prepare("cut", picture_of(skin_texture(), points, (160, 160)), points)
    assert face.texture.dtype == np.uint8
