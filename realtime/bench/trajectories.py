"""Figures of tracked points against reference points: error, wander at rest, lag in motion. Pure.

Points are (frames, points, 2), pixels of the frame; the distance of the outer eye corners is the unit.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.mesh_fit import STEADY
from models.topology import LEFT_EYE_OUTER, RIGHT_EYE_OUTER
from realtime.clock import NS_PER_MS, NS_PER_S

__all__ = ["Points", "Run", "Wander", "at_rest", "errors", "eye_distance", "lag_ms", "rough_px", "wander"]

Points = NDArray[np.float32]

REST_SPEED = 0.1
"""Distances of the eyes a second below which a head is at rest."""
REST_FRAMES = 5
"""Frames before and after over which positions are averaged for that, so that noise is no speed."""
SHORTEST_RUN = 2 * REST_FRAMES + 1
LAGS_MS = range(-30, 151)
LAG_STRIDE = 8
"""Every so many points are looked at for the lag."""


@dataclass(frozen=True, slots=True)
class Run:
    """One face, frame after frame without a gap."""

    captured_ns: NDArray[np.int64]
    """(n,)"""
    tracked: Points
    reference: Points
    """Both (n, 468, 2)."""


@dataclass(frozen=True, slots=True)
class Wander:
    """Root mean square of what is not smooth in the paths of points, pixels."""

    tracked_px: float
    reference_px: float
    frames: int

    @property
    def ratio(self) -> float:
        return self.tracked_px / self.reference_px if self.reference_px > 0 else float("nan")


def eye_distance(points: Points) -> NDArray[np.float32]:
    """(frames,): pixels between the outer eye corners."""
    across = points[..., RIGHT_EYE_OUTER, :] - points[..., LEFT_EYE_OUTER, :]
    return np.asarray(np.linalg.norm(across, axis=-1), np.float32)


def errors(tracked: Points, reference: Points) -> NDArray[np.float32]:
    """(frames,): mean distance of the points, percent of the reference's distance of the eyes."""
    apart = np.linalg.norm(tracked - reference, axis=-1).mean(axis=-1)
    return np.asarray(100 * apart / np.maximum(eye_distance(reference), 1e-3), np.float32)


def at_rest(points: Points, captured_ns: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(frames,): whether the head is at rest, by the points that neither speech nor blinks move."""
    count = len(points)
    if count < SHORTEST_RUN:
        return np.zeros(count, bool)
    steady = points[:, STEADY].astype(np.float64)
    sums = np.concatenate([np.zeros_like(steady[:1]), np.cumsum(steady, axis=0)])
    first = np.maximum(np.arange(count) - REST_FRAMES, 0)
    last = np.minimum(np.arange(count) + REST_FRAMES + 1, count)
    smooth = (sums[last] - sums[first]) / (last - first)[:, None, None]
    seconds = captured_ns / NS_PER_S
    moved = np.linalg.norm(np.gradient(smooth, seconds, axis=0), axis=2).mean(axis=1)
    return np.asarray(moved / eye_distance(points).mean() < REST_SPEED, bool)


def wander(runs: Sequence[Run]) -> Wander:
    """Over the frames in which the head is at rest, judged by the reference.

    What is not smooth is the second difference of a path, scaled so that white noise gives its own size.
    """
    tracked, reference = [], []
    for run in runs:
        resting = at_rest(run.reference, run.captured_ns)[1:-1]
        tracked.append(_rough(run.tracked)[resting])
        reference.append(_rough(run.reference)[resting])
    if not tracked or not (frames := sum(len(part) for part in tracked)):
        return Wander(float("nan"), float("nan"), 0)
    return Wander(_root_mean_square(tracked), _root_mean_square(reference), frames)


def lag_ms(runs: Sequence[Run]) -> float:
    """The delay of the reference that best matches the tracked points; nan without frames."""
    runs = [run for run in runs if len(run.captured_ns) >= SHORTEST_RUN]
    if not runs:
        return float("nan")
    misfits = [sum(_misfit_delayed(run, lag * NS_PER_MS) for run in runs) for lag in LAGS_MS]
    return float(LAGS_MS[int(np.argmin(misfits))])


def rough_px(points: Points) -> float:
    """Root mean square of what is not smooth in the paths of the points, all frames."""
    return _root_mean_square([_rough(points)])


def _rough(points: Points) -> NDArray[np.float64]:
    path = points[:, STEADY].astype(np.float64)
    if len(path) < 3:
        return path[:0]
    rough: NDArray[np.float64] = (path[2:] - 2 * path[1:-1] + path[:-2]) / np.sqrt(6)
    return rough


def _root_mean_square(parts: list[NDArray[np.float64]]) -> float:
    return float(np.sqrt(np.concatenate([(part**2).sum(axis=2).ravel() for part in parts]).mean()))


def _misfit_delayed(run: Run, delay_ns: int) -> float:
    """Sum over the frames that every delay of LAGS_MS leaves inside the run."""
    times = run.captured_ns
    inside = (times - LAGS_MS[-1] * NS_PER_MS >= times[0]) & (times - LAGS_MS[0] * NS_PER_MS <= times[-1])
    if not inside.any():
        return 0.0
    wanted = times[inside] - delay_ns
    after = np.clip(np.searchsorted(times, wanted), 1, len(times) - 1)
    share = ((wanted - times[after - 1]) / (times[after] - times[after - 1]))[:, None, None]
    reference = run.reference[:, ::LAG_STRIDE]
    delayed = reference[after - 1] * (1 - share) + reference[after] * share
    return float(((run.tracked[inside, ::LAG_STRIDE] - delayed) ** 2).sum())
