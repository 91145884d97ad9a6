import cv2
import numpy as np
import pytest

from models.skin import face_mask
from models.topology import OVAL, UV
from tests.fakes.head import picture_of, posed, skin_texture

POINTS = posed(eyes_px=110)
HAIR = (25, 35, 45)


def at(mask, indices):
    x, y = POINTS[indices, :2].round().astype(int).T
    return mask[y, x]


def with_fringe(colour=HAIR, skin=(140, 165, 215)):
    texture = skin_texture(colour=skin)
    texture[: int(UV[105, 1] * 512) - 30] = colour
    return picture_of(texture, POINTS, ground=colour)


def test_skin_and_features_are_face():
    mask = face_mask(picture_of(skin_texture(), POINTS), POINTS)
    assert mask.shape == (320, 320)
    assert at(mask, [50, 280, 1, 13, 105, 334, 151]).min() == 255


@pytest.mark.parametrize("skin", [(140, 165, 215), (60, 80, 120), (40, 50, 75)])
def test_a_fringe_is_not_on_any_skin(skin):
    mask = face_mask(
        with_fringe((110, 190, 220), skin) if max(skin) < 100 else with_fringe(skin=skin), POINTS
    )
    assert at(mask, [10, 109, 338]).max() == 0
    assert at(mask, [50, 280, 1]).min() == 255


def test_a_beard_stays():
    texture = skin_texture()
    cv2.ellipse(texture, (256, int(UV[152, 1] * 512) - 30), (90, 60), 0, 0, 360, HAIR, -1)
    mask = face_mask(picture_of(texture, POINTS), POINTS)
    assert at(mask, [199, 18, 200]).min() == 255


def test_what_is_outside_the_oval_counts_for_little():
    mask = face_mask(picture_of(skin_texture(), POINTS), POINTS)
    oval = cv2.fillPoly(np.zeros_like(mask), [POINTS[OVAL, :2].astype(np.int32)], 1)
    far = cv2.dilate(oval, np.ones((41, 41), np.uint8)) == 0
    assert (mask[far] > 0).mean() < 0.05


def test_it_is_the_same_each_time():
    np.testing.assert_array_equal(face_mask(with_fringe(), POINTS), face_mask(with_fringe(), POINTS))
