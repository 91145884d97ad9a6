import cv2
import numpy as np
import pytest

from models.topology import CANONICAL, OVAL
from models.train.occlusion_data import any_cover, false_sign, sample, taken_badly
from models.train.occlusion_faces import GLASSES, SIDE, cut, studied, with_expression
from models.train.occlusion_objects import Scene

SKIN = (120, 150, 200)


def portrait(name="drawn", fringe=False):
    """A flat face with features, hair above it on demand."""
    points = CANONICAL.copy()
    points = points * 110 + np.array((160, 150, 0), np.float32)
    bgr = np.full((360, 320, 3), (150, 90, 60), np.uint8)
    oval = np.round(points[OVAL, :2]).astype(np.int32)
    cv2.fillPoly(bgr, [oval], SKIN)
    cv2.rectangle(bgr, (0, 0), (320, int(points[10, 1]) + (25 if fringe else -30)), (20, 22, 25), -1)
    noise = np.random.default_rng(0).normal(0, 4, bgr.shape)
    return studied(name, np.clip(bgr + noise, 0, 255).astype(np.uint8), points.astype(np.float32))


def test_a_bare_face_is_known_to_be_face():
    face = portrait()
    x, y = np.round(face.points[[4, 50, 280, 9, 199], :2]).astype(int).T
    assert (face.known[y, x] == 255).all()
    assert (face.hair[y, x] == 0).all()
    np.testing.assert_allclose(face.skin, SKIN, atol=4)


def test_a_fringe_is_known_to_be_before_the_face():
    face = portrait(fringe=True)
    x, y = np.round(face.points[10, :2]).astype(int) + np.array((0, 10))
    assert face.hair[y, x] == 255
    assert face.known[y, x] == 255


def test_nothing_is_known_about_eyes_behind_glasses():
    face = portrait(name=min(GLASSES))
    for index in (33, 263, 168):
        x, y = np.round(face.points[index, :2]).astype(int)
        assert face.known[y, x] == 0
    x, y = np.round(face.points[17, :2]).astype(int)
    assert face.known[y, x] == 255


def test_the_crop_carries_the_landmarks_along():
    source = portrait()
    for index in (50, 280, 199):
        spot = tuple(int(value) for value in np.round(source.points[index, :2]))
        cv2.circle(source.bgr, spot, 4, (0, 255, 0), -1)
    for seed in range(10):
        face = cut(np.random.default_rng(seed), source)
        for index in (50, 280, 199):
            x, y = np.round(face.points[index]).astype(int)
            blue, green, red = face.bgr[y, x].astype(int)
            assert green > blue + 60
            assert green > red + 60


def test_only_the_face_counts():
    face = cut(np.random.default_rng(1), portrait())
    assert face.weight[2:6].max() == 0
    assert face.weight[int(face.points[4, 1]), int(face.points[4, 0])] == 1


def test_an_expression_hides_nothing():
    face = cut(np.random.default_rng(1), portrait())
    for seed in range(10):
        bent = with_expression(np.random.default_rng(seed), face)
        assert bent.bgr.shape == face.bgr.shape
        assert bent.covered.max() <= 1
        assert bent.covered.mean() < face.covered.mean() + 0.01


def test_samples_hold_covers_and_clean_faces():
    one, two = portrait(), portrait(fringe=True)
    samples = [sample(np.random.default_rng(seed), one, two) for seed in range(40)]
    assert all(made.shape == (SIDE, SIDE, 5) and made.dtype == np.uint8 for made in samples)
    covered = np.array([((made[..., 3] > 127) & (made[..., 4] > 127)).mean() for made in samples])
    assert 0.15 < (covered < 0.013).mean() < 0.6
    assert (covered > 0.03).mean() > 0.3
    np.testing.assert_array_equal(samples[3], sample(np.random.default_rng(3), one, two))


@pytest.mark.parametrize("seed", range(15))
def test_signs_that_are_none_and_bad_cameras_keep_the_picture_finite(seed):
    rng = np.random.default_rng(seed)
    source = portrait()
    face = cut(rng, source)
    scene = Scene(face.points, SIDE, source.skin, source.hair_tone, source.bgr)
    assert any_cover(rng, scene).alpha.shape == (SIDE, SIDE)
    picture = false_sign(rng, face.bgr.astype(np.float32), scene)
    assert np.isfinite(picture).all()
    whole = taken_badly(rng, picture)
    assert whole.shape == (SIDE, SIDE, 3)
    assert whole.dtype == np.uint8
