import numpy as np
import pytest

from realtime.bench.trajectories import Run, at_rest, errors, lag_ms, rough_px, wander
from realtime.clock import NS_PER_MS
from tests.fakes.head import posed

FRAME_NS = 33 * NS_PER_MS
FACE = posed(eyes_px=100)[:, :2]


def run(tracked: np.ndarray, reference: np.ndarray) -> Run:
    times = np.arange(len(tracked), dtype=np.int64) * FRAME_NS
    return Run(times, tracked.astype(np.float32), reference.astype(np.float32))


def walk(frames: int, delay_ms: float = 0.0) -> np.ndarray:
    """A face that sways, as it was `delay_ms` before each frame."""
    seconds = (np.arange(frames) * 33 - delay_ms) / 1000
    return FACE[None] + (60 * np.sin(2 * seconds))[:, None, None]


def test_an_offset_is_told_in_percent_of_the_distance_of_the_eyes() -> None:
    faces = np.repeat(FACE[None], 3, axis=0)
    assert errors(faces + np.float32([3, 4]), faces) == pytest.approx([5, 5, 5], rel=1e-3)


@pytest.mark.parametrize("delay_ms", [0, 17, 60])
def test_a_delay_is_told_in_milliseconds(delay_ms: int) -> None:
    assert lag_ms([run(walk(90, delay_ms), walk(90))]) == pytest.approx(delay_ms, abs=2)


def test_the_lag_of_nothing_is_no_number() -> None:
    assert np.isnan(lag_ms([]))
    assert np.isnan(lag_ms([run(walk(5), walk(5))]))


def test_wander_is_the_size_of_white_noise_and_motion_is_none() -> None:
    rng = np.random.default_rng(1)
    still = np.repeat(FACE[None], 200, axis=0)
    noisy = still + rng.normal(0, 1.0, still.shape)
    calmer = still + rng.normal(0, 0.25, still.shape)
    found = wander([run(calmer, noisy)])
    assert found.reference_px == pytest.approx(np.sqrt(2), rel=0.05)
    assert found.ratio == pytest.approx(0.25, rel=0.05)
    assert rough_px(walk(200)) < 0.2


def test_only_heads_at_rest_count() -> None:
    moving, still = walk(60), np.repeat(FACE[None], 60, axis=0)
    times = np.arange(120, dtype=np.int64) * FRAME_NS
    resting = at_rest(np.concatenate([moving, still]).astype(np.float32), times)
    assert not resting[3:20].any()
    assert resting[70:].all()
    assert wander([run(moving[:9], moving[:9])]).frames == 0
