import numpy as np
import pytest

from models.calm import calmness
from models.topology import LIPS_INNER, LIPS_OUTER
from tests.fakes.head import posed

LIPS = [*LIPS_INNER, *LIPS_OUTER]


def mouth_closed(points):
    """The canonical mouth is slightly open."""
    moved = points.copy()
    moved[LIPS, 1] += (points[LIPS, 1].mean() - points[LIPS, 1]) * 0.9
    return moved


def mouth_opened(points, by):
    moved = points.copy()
    middle = points[LIPS, 1].mean()
    eyes = np.linalg.norm(points[33] - points[263])
    for lip in LIPS:
        moved[lip, 1] += np.sign(points[lip, 1] - middle) * by * eyes / 2
    return moved


def test_a_closed_mouth_is_calm_and_an_open_one_the_less_the_wider():
    calm = mouth_closed(posed())
    scores = [calmness(mouth_opened(calm, by)) for by in (0, 0.1, 0.2, 0.4)]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] > 0.95
    assert scores[-1] < 0.3


def test_a_mouth_drawn_to_one_side_is_less_calm():
    calm = mouth_closed(posed())
    skewed = calm.copy()
    skewed[LIPS, 0] += 25
    assert calmness(skewed) < 0.8 * calmness(calm)


@pytest.mark.parametrize(
    ("yaw", "pitch", "roll", "eyes_px"), [(35, 0, 0, 90), (-20, 15, 30, 40), (0, 0, 0, 400)]
)
def test_neither_pose_nor_size_counts(yaw, pitch, roll, eyes_px):
    plain = calmness(posed())
    assert calmness(posed((500, 400), eyes_px, yaw, pitch, roll)) == pytest.approx(plain, abs=1e-3)


def test_points_that_are_no_face_are_not_calm():
    assert calmness(np.zeros((468, 3), np.float32)) < 0.01
