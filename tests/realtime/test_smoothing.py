from math import cos, sin

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.mesh_fit import fit_mesh
from models.topology import LIPS_OUTER
from realtime.clock import NS_PER_S
from realtime.smoothing import LONGEST_GAP_NS, OneEuro, OneEuroSettings
from tests.fakes.head import posed

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
    track = np.repeat(posed(eyes_px=100)[None], 60, axis=0)
    mouth = list(LIPS_OUTER)
    track[:, mouth, 1] += (np.arange(60) * 3)[:, None]
    lag = track - run(track)
    assert abs(lag[30:, mouth]).max() < 3
    assert abs(lag[:, 10]).max() < 0.3


def test_a_turning_and_growing_head_holds_together() -> None:
    face = posed((0, 0), eyes_px=100)
    turns = [(0.02 * frame, 1 + 0.01 * frame) for frame in range(40)]
    track = np.stack(
        [
            face @ np.array([[cos(a) * k, sin(a) * k, 0], [-sin(a) * k, cos(a) * k, 0], [0, 0, k]])
            for a, k in turns
        ]
    ).astype(np.float32)
    last = fit_mesh(run(track)[-1])
    assert last.residual < 0.01
    assert last.size_px == pytest.approx(fit_mesh(track[-1]).size_px, rel=0.02)


def test_what_it_gave_out_is_never_written_to_again() -> None:
    smoother = OneEuro(SETTINGS)
    given = [smoother.update(points, 100, index * FRAME_NS) for index, points in enumerate(noise(5, 3.0))]
    kept = [points.copy() for points in given]
    smoother.update(noise(1, 9.0)[0], 100, 5 * FRAME_NS)
    assert all((a == b).all() for a, b in zip(given, kept, strict=True))


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
