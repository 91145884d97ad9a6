import numpy as np
import pytest

from models.topology import OVAL, UV
from realtime.personas.relief import SIZE, hollows, light, noise, normals, oval_mask, shine


def at(plane, index):
    u, v = UV[index]
    return plane[int(v * SIZE), int(u * SIZE)]


NOSE_TIP, LEFT_CHEEK, RIGHT_CHEEK, EYE_CORNERS = 4, 205, 425, (133, 362)
LEFT_JAW, RIGHT_JAW = 132, 361


def test_normals_are_of_length_one_everywhere():
    assert normals().shape == (SIZE, SIZE, 3)
    assert np.linalg.norm(normals(), axis=2) == pytest.approx(np.ones((SIZE, SIZE)), abs=1e-4)


def test_the_front_looks_at_us_and_the_sides_away():
    assert at(normals(), 151)[2] < -0.9
    assert at(normals(), LEFT_JAW)[0] < -0.6
    assert at(normals(), RIGHT_JAW)[0] > 0.6


def test_the_form_is_the_same_on_both_sides():
    mirrored = normals()[:, ::-1] * (-1, 1, 1)
    inside = oval_mask() > 250
    assert np.abs(normals() - mirrored)[inside].mean() < 0.05


def test_the_nose_is_raised_and_the_corners_of_the_eyes_are_hollow():
    assert at(hollows(), NOSE_TIP) < -1
    for corner in EYE_CORNERS:
        assert at(hollows(), corner) > 0.5


def test_light_falls_on_the_side_it_comes_from():
    lit = light((-0.8, 0.0, -0.6))
    assert lit.min() >= 0
    assert lit.max() <= 1
    assert at(lit, LEFT_JAW) > at(lit, RIGHT_JAW) + 0.5
    assert light((-0.8, 0.0, -0.6), wrap=1.0).mean() > lit.mean()


def test_a_sharper_shine_is_smaller():
    wide, sharp = shine((0.0, -0.3, -1.0), 5), shine((0.0, -0.3, -1.0), 80)
    assert sharp.min() >= 0
    assert sharp.mean() < wide.mean() / 2
    assert wide.max() <= 1 + 1e-5


def test_bumps_catch_the_light():
    step = np.zeros((SIZE, SIZE), np.float32)
    step[:, SIZE // 2 :] = 4
    flat, bumped = light((-1.0, 0.0, -1.0)), light((-1.0, 0.0, -1.0), bumps=step)
    column = np.s_[80:120, SIZE // 2 - 1 : SIZE // 2 + 1]
    assert bumped[column].mean() > flat[column].mean() + 0.1
    away = np.s_[80:120, 20:40]
    assert bumped[away] == pytest.approx(flat[away], abs=1e-5)


def test_noise_is_even_and_repeatable():
    plane = noise(3, 12)
    assert plane.mean() == pytest.approx(0, abs=1e-3)
    assert plane.std() == pytest.approx(1, abs=1e-3)
    assert np.array_equal(plane, noise(3, 12))
    assert not np.array_equal(plane, noise(4, 12))
    assert np.abs(np.diff(noise(3, 60))).mean() < np.abs(np.diff(noise(3, 6))).mean()


def test_the_oval_holds_the_face():
    mask = oval_mask()
    middle = UV[OVAL].mean(axis=0)
    assert mask[int(middle[1] * SIZE), int(middle[0] * SIZE)] == 255
    assert mask[0, 0] == 0
