import itertools

import cv2
import numpy as np
import pytest

from models.hidden import HiddenFace
from models.mesh import MeshSwapper
from models.topology import CANONICAL, LEFT_EYE, LIPS_INNER, LIPS_OUTER, OVAL, RIGHT_EYE, UV
from models.uv_mask import ring_mask
from realtime import personas
from realtime.compose import Paster

SIDE = 512


@pytest.fixture(params=personas.DRAWN)
def face(request):
    return personas.draw(request.param)


@pytest.fixture(scope="module")
def skin():
    """Where a face has skin on the texture plane."""
    holes = [ring_mask(tuple(ring), SIDE) for ring in (LIPS_INNER, LEFT_EYE, RIGHT_EYE)]
    return (ring_mask(tuple(OVAL), SIDE) > 0) & (np.maximum.reduce(holes) == 0)


def canonical_points(side):
    """The canonical face in the middle of a picture of `side` pixels."""
    points = CANONICAL * np.float32(side * 0.4)
    points[:, :2] += side / 2 - (CANONICAL[:, :2].max(axis=0) + CANONICAL[:, :2].min(axis=0)) * side * 0.2
    return points.astype(np.float32)


def test_four_are_drawn_two_hide_and_porcelain_is_the_default():
    assert personas.NAMES[0] == "porcelain"
    assert set(personas.DRAWN) == {"porcelain", "bronze", "ink", "collage"}
    assert set(personas.NAMES) == {*personas.DRAWN, "blur", "pixel"}
    assert all(persona.about for persona in personas.PERSONAS.values())


@pytest.mark.parametrize("name", ["blur", "pixel"])
def test_a_hidden_face_says_how(name):
    assert personas.draw(name) == HiddenFace(name, name)


def test_a_persona_is_a_texture_on_the_meshs_plane(face):
    assert face.texture.shape == (SIDE, SIDE, 3)
    assert face.texture.dtype == np.uint8
    assert face.texture.flags.c_contiguous
    assert face.coverage.shape == (SIDE, SIDE)
    assert face.coverage.dtype == np.uint8
    assert face.kind == "persona"
    assert face.keep_eyes
    assert face.keep_mouth


def test_it_covers_the_face_and_leaves_eyes_and_mouth(face):
    nose, cheek = UV[4], UV[205]
    for u, v in (nose, cheek):
        assert face.coverage[int(v * SIDE), int(u * SIDE)] == 255
    for ring in (LEFT_EYE, RIGHT_EYE, LIPS_INNER):
        u, v = UV[ring].mean(axis=0)
        assert face.coverage[int(v * SIDE), int(u * SIDE)] == 0
    assert not face.coverage[:20].any()


def test_it_is_painted_once_and_cannot_be_written_to(face):
    assert personas.draw(face.name) is face
    with pytest.raises(ValueError, match="read-only"):
        face.texture[0, 0] = 0


def test_painting_again_gives_the_same_texture(face):
    personas.draw.cache_clear()
    assert np.array_equal(personas.draw(face.name).texture, face.texture)


def test_no_two_look_alike(skin):
    for one, other in itertools.combinations(personas.DRAWN, 2):
        first, second = (personas.draw(name).texture[skin].astype(float) for name in (one, other))
        assert np.abs(first - second).mean() > 12, f"{one} looks like {other}"


def test_it_has_light_to_give_and_to_take(face, skin):
    luma = cv2.cvtColor(face.texture, cv2.COLOR_BGR2GRAY)[skin].astype(float)
    assert 50 < luma.mean() < 225, "there is no room for the wearer's light"
    assert luma.std() > 12, "it has no features"


def test_the_lips_stand_out(face):
    lips = (ring_mask(tuple(LIPS_OUTER), SIDE) > 0) & (ring_mask(tuple(LIPS_INNER), SIDE) == 0)
    around = cv2.dilate(lips.astype(np.uint8), np.ones((41, 41), np.uint8)) > 0
    around &= ring_mask(tuple(LIPS_OUTER), SIDE) == 0
    lab = cv2.cvtColor(face.texture, cv2.COLOR_BGR2LAB).astype(float)
    assert np.abs(lab[lips].mean(axis=0) - lab[around].mean(axis=0)).max() > 5


def test_another_name_is_unknown():
    with pytest.raises(KeyError):
        personas.draw("nobody")


def test_it_hides_the_face_that_wears_it(face):
    """Two wearers with different skin and brows look more alike with a persona on than without."""
    side = 320
    points = canonical_points(side)
    pale, dark = (
        np.full((side, side, 3), (190, 205, 230), np.uint8),
        np.full((side, side, 3), (60, 80, 110), np.uint8),
    )
    for u in range(0, side, 40):
        dark[:, u : u + 14] = (30, 40, 60)
    worn, swapper = [], MeshSwapper()
    for wearer in (pale, dark):
        picture = wearer.copy()
        Paster().paste(picture, swapper.swap(wearer, points, face))
        worn.append(picture.astype(float))
    middle = np.s_[120:220, 120:200]
    assert (
        np.abs(worn[0][middle] - worn[1][middle]).mean()
        < np.abs(pale[middle].astype(float) - dark[middle]).mean()
    )
    assert np.abs(worn[0][middle] - pale[middle]).mean() > 10
