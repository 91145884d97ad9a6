import numpy as np
import pytest

from models.errors import SwapError
from models.masks.enough import LEAST_SHARE, require_shown
from tests.fakes.head import posed

SIDE = 256
POINTS = posed((128, 128), 110)[:, :2]


def test_a_whole_face_and_half_a_face_are_enough() -> None:
    require_shown(np.full((SIDE, SIDE), 255, np.uint8), POINTS)
    half = np.full((SIDE, SIDE), 255, np.uint8)
    half[:, 128:] = 0
    require_shown(half, POINTS)


@pytest.mark.parametrize("level", [0, 20])
def test_next_to_nothing_is_refused(level: int) -> None:
    with pytest.raises(SwapError, match="would be seen"):
        require_shown(np.full((SIDE, SIDE), level, np.uint8), POINTS)


def test_what_counts_beside_the_face_does_not_help() -> None:
    corner = np.zeros((SIDE, SIDE), np.uint8)
    corner[:40, :40] = 255
    with pytest.raises(SwapError):
        require_shown(corner, POINTS)


def test_the_mouth_alone_is_what_a_user_may_ask_for() -> None:
    from models.topology import LIPS_OUTER

    lips = POINTS[list(LIPS_OUTER)]
    low, high = lips.min(axis=0).astype(int), np.ceil(lips.max(axis=0)).astype(int)
    mouth = np.zeros((SIDE, SIDE), np.uint8)
    mouth[low[1] : high[1], low[0] : high[0]] = 255
    require_shown(mouth, POINTS)


def test_landmarks_outside_of_the_square_are_not_taken() -> None:
    with pytest.raises(SwapError):
        require_shown(np.full((SIDE, SIDE), 255, np.uint8), POINTS + 2 * SIDE)


def test_landmarks_that_are_no_numbers_say_nothing() -> None:
    require_shown(np.zeros((SIDE, SIDE), np.uint8), np.full_like(POINTS, np.nan))


def test_the_share_is_of_landmarks() -> None:
    level = round(255 * LEAST_SHARE) + 1
    require_shown(np.full((SIDE, SIDE), level, np.uint8), POINTS)
