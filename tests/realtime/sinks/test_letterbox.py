import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from realtime.sinks.letterbox import Letterbox, place

SIDES = st.integers(1, 400)


@given(SIDES, SIDES, SIDES, SIDES)
def test_the_picture_is_whole_centred_and_as_large_as_can_be(
    width: int, height: int, frame_width: int, frame_height: int
) -> None:
    placed = place(width, height, frame_width, frame_height)
    assert placed.x >= 0
    assert placed.y >= 0
    assert placed.x + placed.width <= frame_width
    assert placed.y + placed.height <= frame_height
    assert placed.width == frame_width or placed.height == frame_height
    assert abs(frame_width - placed.width - 2 * placed.x) <= 1
    assert abs(frame_height - placed.height - 2 * placed.y) <= 1


@given(SIDES, SIDES, SIDES, SIDES)
def test_proportions_are_kept_to_a_pixel(
    width: int, height: int, frame_width: int, frame_height: int
) -> None:
    placed = place(width, height, frame_width, frame_height)
    scale = min(frame_width / width, frame_height / height)
    assert abs(placed.width - width * scale) <= 1
    assert abs(placed.height - height * scale) <= 1


def test_a_picture_that_fits_is_not_copied() -> None:
    bgr = np.full((48, 64, 3), 7, np.uint8)
    assert np.shares_memory(Letterbox(64, 48).fit(bgr), bgr)


def test_an_odd_row_and_column_are_left_out() -> None:
    bgr = np.full((49, 65, 3), 7, np.uint8)
    fitted = Letterbox(64, 48).fit(bgr)
    assert fitted.shape == (48, 64, 3)
    assert np.shares_memory(fitted, bgr)


def test_the_rest_is_black() -> None:
    fitted = Letterbox(64, 48).fit(np.full((48, 32, 3), 200, np.uint8))
    assert (fitted[:, 16:48] == 200).all()
    assert (fitted[:, :16] == 0).all()
    assert (fitted[:, 48:] == 0).all()


def test_nothing_of_the_last_picture_shows_beside_the_next() -> None:
    letterbox = Letterbox(64, 48)
    letterbox.fit(np.full((24, 64, 3), 255, np.uint8))
    fitted = letterbox.fit(np.full((48, 16, 3), 200, np.uint8))
    assert (fitted[:, :24] == 0).all()
    assert (fitted[:, 40:] == 0).all()


def test_one_canvas_serves_pictures_of_one_size() -> None:
    letterbox = Letterbox(64, 48)
    first = letterbox.fit(np.zeros((24, 64, 3), np.uint8))
    second = letterbox.fit(np.zeros((24, 64, 3), np.uint8))
    assert first is second
