import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.clock import NS_PER_S
from realtime.smoothing import LONGEST_GAP_NS, OneEuro, OneEuroSettings

FRAME_NS = NS_PER_S // 30
SETTINGS = OneEuroSettings()


def run(track: np.ndarray, size_px: float = 200.0) -> np.ndarray:
    """`track`: (frames, points, 2)."""
    smoother = OneEuro(SETTINGS)
    return np.stack(
        [smoother.update(points, size_px, index * FRAME_NS) for index, points in enumerate(track)]
    )


def noise(frames: int, sigma: float) -> np.ndarray:
    return np.random.default_rng(7).normal(0, sigma, (frames, 40, 2)).astype(np.float32)


def test_at_rest_the_jitter_is_halved_at_least() -> None:
    track = np.full((150, 40, 2), 300, np.float32) + noise(150, 0.5)
    assert run(track)[30:].std() < 0.5 * track[30:].std()


def test_in_quick_motion_it_follows_within_a_fraction_of_a_frame() -> None:
    speed_px = 400 / 30
    track = (np.arange(60, dtype=np.float32) * speed_px)[:, None, None] + np.zeros((1, 40, 2), np.float32)
    lag_frames = (track[30:] - run(track)[30:]).mean() / speed_px
    assert 0 <= lag_frames < 0.25


def test_a_moving_mouth_does_not_wait_for_a_still_face() -> None:
    track = np.full((60, 40, 2), 300, np.float32)
    track[:, :5, 1] += (np.arange(60) * 6)[:, None]
    lag = track - run(track)
    assert abs(lag[30:, :5]).max() < 6
    assert abs(lag[:, 5:]).max() == 0


@given(st.floats(0.1, 10))
def test_the_result_does_not_depend_on_the_size_of_the_face(scale: float) -> None:
    track = np.cumsum(noise(20, 2.0), axis=0)
    small, large = run(track, 200.0), run((track * scale).astype(np.float32), 200.0 * scale)
    assert large == pytest.approx(small * scale, rel=2e-2, abs=2e-2 * scale)


def test_the_past_is_forgotten_after_a_reset_and_after_a_gap() -> None:
    smoother = OneEuro(SETTINGS)
    here, there = np.zeros((4, 3), np.float32), np.full((4, 3), 50, np.float32)
    smoother.update(here, 100, 0)
    assert (smoother.update(there, 100, LONGEST_GAP_NS + 1) == there).all()
    smoother.reset()
    assert (smoother.update(here, 100, LONGEST_GAP_NS + 2) == here).all()


def test_a_time_that_stands_still_gives_the_points_as_they_are() -> None:
    smoother = OneEuro(SETTINGS)
    smoother.update(np.zeros((4, 3), np.float32), 100, 5)
    points = np.ones((4, 3), np.float32)
    assert (smoother.update(points, 100, 5) == points).all()
