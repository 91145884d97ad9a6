import cv2
import numpy as np
import pytest

from models.eyewear import dark_glasses, lens_darkness
from models.landmarker import Landmarks
from tests.fakes.head import picture_of, posed, skin_texture

EYES = ((33, 133), (362, 263))


def with_lenses(picture, points, tone, eyes=EYES, thickness=-1):
    worn = picture.copy()
    size = np.linalg.norm(points[263, :2] - points[33, :2])
    for corners in eyes:
        x, y = points[list(corners), :2].mean(axis=0)
        axes = (int(size * 0.27), int(size * 0.21))
        cv2.ellipse(worn, (int(x), int(y + 0.05 * size)), axes, 0, 0, 360, tone, thickness, cv2.LINE_AA)
    return worn


@pytest.fixture(params=[(140, 165, 215), (40, 60, 95)], ids=["light", "dark"])
def bare(request):
    points = posed(eyes_px=110)
    return picture_of(skin_texture(colour=request.param), points), points


def test_dark_lenses_are_seen_on_light_and_dark_skin(bare):
    picture, points = bare
    assert not dark_glasses(picture, points)
    assert dark_glasses(with_lenses(picture, points, (12, 12, 12)), points)


def test_frames_without_dark_lenses_are_not(bare):
    picture, points = bare
    assert not dark_glasses(with_lenses(picture, points, (12, 12, 12), thickness=5), points)


def test_dark_eyes_and_lashes_are_not(bare):
    picture, points = bare
    eyed = picture.copy()
    for corners in EYES:
        x, y = points[list(corners), :2].mean(axis=0)
        cv2.ellipse(eyed, (int(x), int(y)), (16, 8), 0, 0, 360, (10, 10, 10), -1, cv2.LINE_AA)
    assert not dark_glasses(eyed, points)


def test_one_dark_eye_is_shadow_or_hair(bare):
    picture, points = bare
    assert not dark_glasses(with_lenses(picture, points, (12, 12, 12), EYES[:1]), points)


def test_light_and_size_of_the_picture_do_not_count():
    points = posed((600, 600), 400, roll=25)
    picture = picture_of(skin_texture(), points, (1200, 1200))
    plain = lens_darkness(picture, points)
    dim = (picture * 0.5).astype(np.uint8)
    small = cv2.resize(picture, (150, 150), interpolation=cv2.INTER_AREA)
    assert lens_darkness(dim, points) == pytest.approx(plain, abs=0.06)
    assert lens_darkness(small, Landmarks(points / 8, 1.0).points) == pytest.approx(plain, abs=0.06)
    assert dark_glasses(with_lenses(dim, points, (6, 6, 6)), points)


def test_a_face_at_the_edge_and_a_black_picture_are_no_trouble():
    points = posed((10, 10), 100)
    assert not dark_glasses(np.zeros((60, 60, 3), np.uint8), points)
