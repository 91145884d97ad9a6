"""Tracked points against a fresh detection in each frame, and those of `still:` against its truth.

A fresh look is the configured detector and two passes of the landmarker. The motion of `still:` is known
exactly; where its points lie in the picture is not, so that is taken from all fresh looks together: the
median of their points, carried back into the picture.
"""

import argparse
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from models.fetch import ensure
from models.geometry import Matrix, invert
from models.mesh_fit import STEADY
from realtime.assembly import backends, build_pipeline, model_names
from realtime.bench.fresh_look import open_fresh_look
from realtime.bench.pairing import Pairing, Seen
from realtime.bench.replay import replay
from realtime.bench.trajectories import Points, Run, errors, eye_distance, lag_ms, rough_px, wander
from realtime.capture.registry import open_source
from realtime.capture.still import StillSource
from realtime.clock import MonotonicClock
from realtime.commands.flags import configured, start_logging
from realtime.config import Config
from realtime.frame import Outcome
from realtime.pipeline import PipelineFigures
from realtime.terminal import Terminal

__all__ = ["measure"]


@dataclass(frozen=True, slots=True)
class _Recorded:
    pairing: Pairing
    figures: PipelineFigures
    frames: int
    swapped: int


def measure(clips: list[str], arguments: argparse.Namespace) -> tuple[dict[str, Any], int]:
    """Figures of the first `--seconds` of each clip."""
    config = configured(arguments)
    start_logging(config.log.level, Terminal(sys.stderr))
    folder = next(iter(ensure(model_names(config)).values())).parent
    measured = {uri: _clip(uri, config, folder, arguments.seconds) for uri in clips or ["still:"]}
    return {"backend": dict(backends(config)), "clips": measured}, 0


def _clip(uri: str, config: Config, folder: Path, seconds: float | None) -> dict[str, Any]:
    recorded = _record(uri, config, folder, seconds)
    runs = recorded.pairing.runs()
    apart = np.concatenate([errors(run.tracked, run.reference) for run in runs] or [np.zeros(0, np.float32)])
    resting = wander(runs)
    calls, frames = recorded.figures.detector_calls, max(recorded.frames, 1)
    figures: dict[str, Any] = {
        "frames": recorded.frames,
        "swapped": recorded.swapped,
        "detector_calls_per_100_frames": round(100 * calls / frames, 2),
        "error_percent_of_eye_distance": {
            "mean": _round(float(apart.mean()) if len(apart) else float("nan")),
            "p95": _round(float(np.percentile(apart, 95)) if len(apart) else float("nan")),
        },
        "wander_at_rest_px": {
            "tracked": _round(resting.tracked_px, 4),
            "fresh": _round(resting.reference_px, 4),
            "ratio": _round(resting.ratio),
            "frames": resting.frames,
        },
        "lag_ms": _round(lag_ms(runs), 0),
        "lost_frames": recorded.pairing.lost,
        "wrongly_swapped_frames": {
            "no_face_there": recorded.pairing.unfounded,
            "id_jumped": recorded.pairing.jumps,
        },
        "ids": len(recorded.pairing.ids),
    }
    shown = config.source
    source = open_source(uri, width=shown.width, height=shown.height, fps=shown.fps)
    if isinstance(source, StillSource) and runs:
        source.open()
        figures["truth"] = _against_truth(max(runs, key=lambda run: len(run.captured_ns)), source)
        source.close()
    return figures


def _record(uri: str, config: Config, folder: Path, seconds: float | None) -> _Recorded:
    shown = config.source
    figures, pairing = PipelineFigures(), Pairing()
    frames = swapped = 0
    with ExitStack() as opened:
        look = open_fresh_look(config, folder)
        opened.callback(look.close)
        pipeline = build_pipeline(config, folder, MonotonicClock(), figures, lossless=True)
        opened.callback(pipeline.close)
        for frame in replay(uri, shown.width, shown.height, shown.fps, seconds):
            result = pipeline.process(replace(frame, seq=frames))
            found = look.faces(frame.bgr)
            trusted = tuple(one.points for one in found if one.score >= config.tracking.min_presence)
            pairing.add(Seen(frame.captured_ns, result.faces, trusted))
            frames += 1
            swapped += result.outcome is Outcome.SWAPPED
    return _Recorded(pairing, figures, frames, swapped)


def _against_truth(run: Run, source: StillSource) -> dict[str, Any]:
    """Of the points that blinks do not move, all frames: the motion is taken out exactly."""
    matrices = [source.truth(int(at_ns)) for at_ns in run.captured_ns]
    in_picture = _carried(run.reference, [invert(matrix) for matrix in matrices])
    place = np.median(in_picture, axis=0, keepdims=True).repeat(len(matrices), axis=0)
    exact = _carried(place, matrices)
    unit = eye_distance(exact)
    tracked, fresh = (
        100 * np.linalg.norm(points - exact, axis=2)[:, STEADY].mean(axis=1) / unit
        for points in (run.tracked, run.reference)
    )
    tracked_px, fresh_px = rough_px(run.tracked - exact), rough_px(run.reference - exact)
    return {
        "error_percent_of_eye_distance": {
            "tracked": _round(float(tracked.mean())),
            "fresh": _round(float(fresh.mean())),
        },
        "wander_px": {
            "tracked": _round(tracked_px, 4),
            "fresh": _round(fresh_px, 4),
            "ratio": _round(tracked_px / fresh_px),
        },
        "lag_ms": _round(lag_ms([Run(run.captured_ns, run.tracked, exact)]), 0),
    }


def _carried(points: Points, matrices: Sequence[Matrix]) -> Points:
    """(n, 468, 2): each frame's points by that frame's matrix."""
    maps = np.stack(matrices)
    moved = np.einsum("nij,npj->npi", maps[:, :, :2], points) + maps[:, None, :, 2]
    return np.asarray(moved, np.float32)


def _round(value: float, digits: int = 2) -> float | None:
    """JSON knows no nan."""
    return round(value, digits) if np.isfinite(value) else None
