import cv2
import numpy as np
import pytest

from models.source_face import TEXTURE_SIDE, prepare
from models.topology import UV
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


def test_under_a_fringe_the_target_keeps_its_own_forehead_and_the_change_is_gradual():
    points = posed(eyes_px=120)
    bare = prepare("bare", picture_of(skin_texture(), points), points)
    texture = skin_texture()
    texture[: int(UV[105, 1] * TEXTURE_SIDE) - 30] = (25, 35, 45)
    fringe = prepare("fringe", picture_of(texture, points, ground=(25, 35, 45)), points)
    x, y = (UV[[151, 9, 4]] * TEXTURE_SIDE).astype(int).T
    assert (bare.coverage[y, x] > 200).all()
    assert fringe.coverage[y[0], x[0]] < 60
    assert fringe.coverage[y[2], x[2]] == bare.coverage[y[2], x[2]]
    column = fringe.coverage[: y[2], x[0]].astype(int)
    assert abs(np.diff(column)).max() < 26


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
    assert abs(np.log(after)) < abs(np.log(before)) * 0.6


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
