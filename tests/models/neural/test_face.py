import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.geometry import apply
from models.landmarker import five_points
from models.neural.align import align
from models.neural.face import GivenFace, MadeFace, follow
from models.neural.source_feed import SourceFeed
from tests.fakes.head import posed

SIZE = 128


def made(points: np.ndarray) -> MadeFace:
    where = align(five_points(points), "arcface_128", SIZE)
    blank = np.zeros((SIZE, SIZE), np.uint8)
    return MadeFace(
        GivenFace(1, 0, points, SourceFeed(), {}), where, np.zeros((SIZE, SIZE, 3), np.uint8), blank
    )


def test_a_face_that_stays_stays_in_its_square() -> None:
    face = made(posed((200, 200), 70))
    assert follow(face, face.given.points.copy()) is face.where


@given(st.floats(-150, 150), st.floats(-150, 150), st.floats(0.5, 2), st.floats(-3.1, 3.1))
def test_a_face_that_is_moved_turned_and_brought_nearer_stays_in_its_square(
    x: float, y: float, scale: float, angle: float
) -> None:
    points = posed((200, 200), 70)
    face = made(points)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = points.copy()
    moved[:, :2] = points[:, :2] @ turn.T + (x, y)
    where = follow(face, moved)
    before, after = apply(face.where.matrix, points[:, :2]), apply(where.matrix, moved[:, :2])
    np.testing.assert_allclose(after, before, atol=0.05)
    assert where.size == SIZE


def test_a_head_that_turns_grows_narrow() -> None:
    points = posed((200, 200), 70)
    narrow = points.copy()
    narrow[:, 0] = 200 + 0.8 * (points[:, 0] - 200)
    face = made(points)
    before = apply(face.where.matrix, points[:, :2])
    np.testing.assert_allclose(apply(follow(face, narrow).matrix, narrow[:, :2]), before, atol=0.05)


def test_landmarks_that_collapse_do_not_squeeze_the_face() -> None:
    points = posed((200, 200), 70)
    face = made(points)
    flat = points.copy()
    flat[:, 0] = 200 + 0.1 * (points[:, 0] - 200)
    linear = follow(face, flat).matrix[:, :2]
    widths = np.linalg.svd(linear, compute_uv=False)
    assert widths[1] == pytest.approx(widths[0])


def test_landmarks_on_a_line_are_followed_as_far_as_they_tell() -> None:
    points = posed((200, 200), 70)
    line = points.copy()
    line[:, 0] = 200.0
    assert np.isfinite(follow(made(points), line).matrix).all()
