import numpy as np
import pytest

from realtime.veil import veil
from tests.fakes.frames import secret_frame, shows_secret


@pytest.mark.parametrize("shape", [(720, 1280, 3), (1280, 720, 3), (3, 2, 3), (64, 64, 3)])
def test_the_size_stays_and_the_frame_is_left_alone(shape: tuple[int, int, int]) -> None:
    bgr = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    before = bgr.copy()
    assert veil(bgr).shape == shape
    assert (bgr == before).all()


def test_what_is_smaller_than_an_eighth_of_the_picture_is_gone() -> None:
    stripes = np.zeros((720, 1280, 3), np.uint8)
    stripes[:, (np.arange(1280) // 80) % 2 == 0] = 255
    assert veil(stripes).std() < 20
    frame = secret_frame(0, 0)
    assert shows_secret(frame.bgr)
    assert not shows_secret(veil(frame.bgr))


def test_its_large_colours_stay() -> None:
    halves = np.zeros((720, 1280, 3), np.uint8)
    halves[:, 640:] = (0, 0, 255)
    veiled = veil(halves)
    assert veiled[360, 1200, 2] > 200
    assert veiled[360, 80, 2] < 50
