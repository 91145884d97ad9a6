import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.boxes import Box, box_of, covered_share, iou, side_of

edges = st.floats(-500, 500)
boxes = st.builds(lambda x, y, u, v: (min(x, u), min(y, v), max(x, u), max(y, v)), edges, edges, edges, edges)


@given(boxes, boxes)
def test_overlaps_are_shares(a: Box, b: Box) -> None:
    assert iou(a, b) == pytest.approx(iou(b, a))
    assert 0 <= iou(a, b) <= 1 + 1e-9
    assert iou(a, b) <= covered_share(a, b) + 1e-9 <= 1 + 2e-9


def test_known_overlaps() -> None:
    assert iou((0, 0, 10, 10), (5, 0, 15, 10)) == pytest.approx(1 / 3)
    assert covered_share((0, 0, 10, 10), (5, 0, 15, 10)) == pytest.approx(1 / 2)
    assert covered_share((2, 2, 4, 4), (0, 0, 10, 10)) == 1
    assert iou((0, 0, 0, 0), (0, 0, 0, 0)) == covered_share((3, 3, 3, 3), (0, 0, 9, 9)) == 0


def test_the_box_of_points_takes_no_notice_of_depth() -> None:
    points = np.array([[3, 9, -100], [-2, 4, 50], [1, 20, 0]], np.float32)
    assert box_of(points) == (-2, 4, 3, 20)
    assert side_of(box_of(points)) == 16
