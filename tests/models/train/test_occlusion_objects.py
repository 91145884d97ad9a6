import numpy as np
import pytest

from models.topology import CANONICAL, RIGHT_EYE
from models.train.occlusion_objects import MAKERS, Scene, glasses, light_field, texture

SIDE = 128


@pytest.fixture
def scene():
    points = (CANONICAL[:, :2] * 55 + (64, 50)).astype(np.float32)
    other = np.random.default_rng(0).integers(0, 256, (200, 160, 3), dtype=np.uint8)
    skin, hair = np.array((120, 150, 200), np.float32), np.array((30, 40, 60), np.float32)
    return Scene(points, SIDE, skin, hair, other)


@pytest.mark.parametrize("maker", [maker for _, maker in MAKERS], ids=lambda maker: maker.__name__)
def test_every_cover_hides_some_of_the_face_and_not_all_of_it(maker, scene):
    shares = []
    for seed in range(25):
        cover = maker(np.random.default_rng(seed), scene)
        assert cover.alpha.shape == (SIDE, SIDE)
        assert cover.paint.shape == (SIDE, SIDE, 3)
        assert cover.alpha.min() >= 0
        assert cover.alpha.max() <= 1
        assert cover.paint.min() >= 0
        assert np.isfinite(cover.paint).all()
        shares.append(cover.alpha.mean())
    assert 0.002 < np.median(shares) < 0.5


def test_clear_glasses_hide_the_frame_and_not_the_eye(scene):
    eye = np.round(scene.points[RIGHT_EYE].mean(axis=0)).astype(int)
    hidden = [glasses(np.random.default_rng(seed), scene).alpha[eye[1], eye[0]] for seed in range(40)]
    assert 0.5 < np.mean(np.array(hidden) < 0.2) < 0.9
    assert np.max(hidden) > 0.6


def test_light_without_strength_changes_nothing():
    np.testing.assert_array_equal(light_field(np.random.default_rng(0), 32, 0.0), 1)


def test_textures_differ(scene):
    stuffs = [texture(np.random.default_rng(seed), scene) for seed in range(8)]
    assert len({round(float(stuff.mean()), 3) for stuff in stuffs}) == 8
