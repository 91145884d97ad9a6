import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from realtime.arrivals import AGAIN_NS, CELLS, FIRST_SAVED, MOST_SAVED, Arrivals, thumbnail
from realtime.boxes import Box
from realtime.clock import NS_PER_S

SIZE = (1280, 720)
FRAME_NS = NS_PER_S // 24
NOBODY: list[Box] = []
ROOM = np.random.default_rng(4).integers(40, 180, CELLS[::-1]).astype(np.uint8)


def with_a_patch(left: int, top: int, wide: int = 3, tall: int = 3) -> np.ndarray:
    picture = ROOM.copy()
    picture[top : top + tall, left : left + wide] += 60
    return picture


def watching() -> Arrivals:
    arrivals = Arrivals()
    arrivals.looked(ROOM, 0)
    return arrivals


def test_somebody_who_comes_in_is_noticed() -> None:
    assert watching().somebody(with_a_patch(0, 5), SIZE, NOBODY, AGAIN_NS)


def test_the_same_picture_noise_and_a_change_of_light_are_nobody() -> None:
    noise = np.random.default_rng(5).integers(-4, 5, ROOM.shape)
    for picture in (ROOM, (ROOM + noise).astype(np.uint8), ROOM + np.uint8(40), with_a_patch(4, 4, 1, 3)):
        assert not watching().somebody(picture, SIZE, NOBODY, AGAIN_NS)


def test_what_a_followed_person_does_is_no_arrival() -> None:
    face = (560.0, 200.0, 760.0, 400.0)
    for left, top in ((14, 2), (12, 6), (18, 6), (15, 14)):
        assert not watching().somebody(with_a_patch(left, top), SIZE, [face], AGAIN_NS)
    assert watching().somebody(with_a_patch(28, 6), SIZE, [face], AGAIN_NS)
    assert watching().somebody(with_a_patch(1, 14), SIZE, [face], AGAIN_NS)


def test_the_detector_is_not_asked_again_at_once() -> None:
    assert not watching().somebody(with_a_patch(0, 5), SIZE, NOBODY, AGAIN_NS - 1)


def test_before_the_first_look_there_is_nothing_to_compare() -> None:
    assert not Arrivals().somebody(ROOM, SIZE, NOBODY, NS_PER_S)


@given(st.integers(1, 60), st.integers(20, 120))
def test_whatever_moves_on_and_on_costs_a_look_a_second(calm_s: int, fps: int) -> None:
    arrivals = watching()
    arrivals.somebody(ROOM, SIZE, NOBODY, 0)
    now_ns = calm_s * NS_PER_S
    looks = 0
    seconds = 20
    for frame in range(seconds * fps):
        now_ns += NS_PER_S // fps
        picture = with_a_patch(frame % 20, 5)
        if arrivals.somebody(picture, SIZE, NOBODY, now_ns):
            looks += 1
            arrivals.looked(picture, now_ns)
    assert looks <= min(FIRST_SAVED + calm_s, MOST_SAVED) + seconds
    assert looks > seconds / 2


def test_a_thumbnail_keeps_the_places() -> None:
    bgr = np.zeros((720, 1280, 3), np.uint8)
    bgr[0:40, 0:40] = 200
    bgr[680:720, 1240:1280] = 100
    small = thumbnail(bgr)
    assert small.shape == (18, 32)
    assert small.dtype == np.uint8
    assert (small[0, 0], small[-1, -1], small[9, 16]) == (200, 100, 0)


def test_a_tiny_picture_has_a_thumbnail_too() -> None:
    assert thumbnail(np.full((8, 8, 3), 7, np.uint8)).tolist() == np.full((18, 32), 7).tolist()
