import numpy as np
import pytest

from models.landmarker import five_points
from models.neural.align import align, crop
from models.topology import LEFT_EYE, LIPS_OUTER, RIGHT_EYE
from realtime.bench.chain_scene import drawn_scene


@pytest.mark.parametrize("count", [1, 2, 4])
def test_so_many_faces_of_that_width_stand_in_a_row(count):
    scene = drawn_scene(960, 540, 200, count)
    assert scene.bgr.shape == (540, 960, 3)
    assert len(scene.faces) == count
    for number, points in enumerate(scene.faces):
        assert points.shape == (468, 3)
        assert np.ptp(points[:, 0]) == pytest.approx(200, rel=0.04)
        assert points[:, 0].mean() == pytest.approx((number + 0.5) * 960 / count, abs=20)
        assert points[:, 1].mean() == pytest.approx(270, abs=40)


def test_the_landmarks_lie_on_the_drawn_face():
    """Eyes are darker and less red than the cheeks, lips redder; each face turned its own way."""
    scene = drawn_scene(1280, 720, 250, 2)
    for points in scene.faces:
        face = crop(scene.bgr, align(five_points(points), "arcface_128", 256)).astype(int)
        matrix = align(five_points(points), "arcface_128", 256).matrix
        inside = points[:, :2] @ matrix[:, :2].T + matrix[:, 2]

        def colour(indices, face=face, inside=inside):
            x, y = inside[indices].mean(axis=0).round().astype(int)
            return face[y - 3 : y + 4, x - 3 : x + 4].mean(axis=(0, 1))

        cheek = (colour([50]) + colour([280])) / 2
        for eye in (LEFT_EYE, RIGHT_EYE):
            assert colour(eye)[2] < cheek[2] - 60
        lips = colour(LIPS_OUTER)
        assert lips[2] / lips[1] > 1.3 * cheek[2] / cheek[1]


def test_faces_side_by_side_are_turned_differently():
    one, other = drawn_scene(1280, 720, 250, 2).faces
    turn = [np.arctan2(*(five_points(each)[1] - five_points(each)[0])[::-1]) for each in (one, other)]
    assert turn[0] == pytest.approx(0.12, abs=0.02)
    assert turn[1] == pytest.approx(-0.12, abs=0.02)
