import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from realtime.boxes import box_of
from realtime.cover import cover, uncover
from tests.fakes.head import posed

number = st.floats(-200, 300)


@given(st.tuples(number, number, number, number))
def test_any_box_is_covered_inside_the_picture_and_nothing_far_from_it_changes(corners: tuple) -> None:
    x0, x1 = sorted(corners[:2])
    y0, y1 = sorted(corners[2:])
    picture = np.random.default_rng(0).integers(0, 256, (100, 120, 3)).astype(np.uint8)
    before = picture.copy()
    cover(picture, (x0, y0, x1, y1))
    rows, columns = np.mgrid[0:100, 0:120]
    reach_x, reach_y = x1 - x0 + 2, y1 - y0 + 2
    far = (columns < x0 - reach_x) | (columns > x1 + reach_x) | (rows < y0 - reach_y) | (rows > y1 + reach_y)
    assert (picture[far] == before[far]).all()
    inside = (columns >= x0) & (columns < x1) & (rows >= y0) & (rows < y1)
    if inside.sum() > 200:
        assert len(np.unique(picture[inside], axis=0)) <= 16


def test_a_face_under_it_cannot_be_made_out() -> None:
    picture = np.zeros((100, 100, 3), np.uint8)
    picture[40:60:2, 40:60] = 255
    cover(picture, (40, 40, 60, 60))
    assert len(np.unique(picture[40:60, 40:60].reshape(-1, 3), axis=0)) <= 16
    assert abs(np.diff(picture[44:56, 44:56, 0].astype(int), axis=0)).max() < 128


def test_a_fading_cover_lies_between_the_full_one_and_what_is_there() -> None:
    bare = np.random.default_rng(1).integers(0, 256, (100, 100, 3)).astype(np.uint8)
    full, half, none = bare.copy(), bare.copy(), bare.copy()
    box = (30.0, 30.0, 70.0, 70.0)
    cover(full, box)
    cover(half, box, 0.5)
    cover(none, box, 0.0)
    assert (none == bare).all()
    assert np.abs(half.astype(int) - (full.astype(int) + bare) / 2).max() <= 1
    assert (half != bare).any()


def test_the_margin_is_a_part_of_the_side() -> None:
    bare = np.random.default_rng(1).integers(0, 256, (100, 100, 3)).astype(np.uint8)
    tight = bare.copy()
    cover(tight, (30, 30, 70, 70), margin=0.1)
    changed = np.flatnonzero((tight != bare).any(axis=(1, 2)))
    assert (changed.min(), changed.max()) == (26, 73)


def test_inside_the_outline_of_a_face_the_frame_comes_back() -> None:
    bgr = np.random.default_rng(1).integers(0, 256, (200, 200, 3)).astype(np.uint8)
    picture = np.zeros_like(bgr)
    points = posed((100, 100), eyes_px=50)
    uncover(picture, bgr, points)
    back = (picture == bgr).all(axis=2)
    for index in (33, 263, 13, 14, 1):
        x, y = points[index, :2].astype(int)
        assert back[y, x]
    x0, y0, x1, y1 = (round(edge) for edge in box_of(points))
    assert not picture[:y0].any()
    assert not picture[:, x1 + 2 :].any()
    assert not picture[y1 - 3 :, : x0 + 3].any()


@given(st.floats(-300, 500), st.floats(-300, 500))
def test_a_face_at_or_past_the_edge_is_no_error(x: float, y: float) -> None:
    bgr = np.full((100, 120, 3), 9, np.uint8)
    uncover(np.zeros_like(bgr), bgr, posed((x, y), eyes_px=40))
