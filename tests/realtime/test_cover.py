import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from realtime.cover import cover

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
