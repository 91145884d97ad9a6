"""A clip through the pipeline as fast as it goes, decoding included: what the parts cost when none waits."""

import argparse
import sys
from dataclasses import replace
from statistics import median
from typing import Any

from models.fetch import ensure
from realtime.assembly import backends, build_pipeline, model_names
from realtime.bench.replay import replay
from realtime.clock import NS_PER_S, MonotonicClock
from realtime.commands.flags import configured, start_logging
from realtime.frame import Outcome
from realtime.pipeline import STAGES, PipelineFigures
from realtime.telemetry.histogram import Histogram
from realtime.terminal import Terminal

__all__ = ["measure"]

INFERENCE = frozenset({"detect", "landmarks", "mask"})
"""Stages whose time is the models'."""


def measure(clips: list[str], arguments: argparse.Namespace) -> tuple[dict[str, Any], int]:
    """Milliseconds of each stage and of whole frames over the first `--seconds` of each clip."""
    config = configured(arguments)
    start_logging(config.log.level, Terminal(sys.stderr))
    files = ensure(model_names(config))
    folder = next(iter(files.values())).parent
    clock = MonotonicClock()
    shown = config.source
    measured = {}
    for uri in clips or ["still:"]:
        figures, whole = PipelineFigures(), Histogram()
        swapped = frames = 0
        widths: list[float] = []
        pipeline = build_pipeline(config, folder, clock, figures, lossless=True)
        try:
            began_ns = clock.now_ns()
            for frame in replay(uri, shown.width, shown.height, shown.fps, arguments.seconds):
                started_ns = clock.now_ns()
                result = pipeline.process(replace(frame, seq=frames))
                whole.add(clock.now_ns() - started_ns)
                swapped += result.outcome is Outcome.SWAPPED
                widths += [face.box[2] - face.box[0] for face in result.faces]
                frames += 1
            took_s = (clock.now_ns() - began_ns) / NS_PER_S
        finally:
            pipeline.close()
        measured[uri] = {
            "frames": frames,
            "swapped": swapped,
            "face_px_p50": round(median(widths)) if widths else None,
            "fps_with_decoding": round(frames / max(took_s, 1e-9), 1),
            "detector_calls": figures.detector_calls,
            "frame_ms": _two(whole),
            "stages_ms": {name: _two(figures.stages[name]) for name in STAGES},
            "but_inference_ms_p50": round(
                sum(figures.stages[name].percentiles().p50 for name in STAGES if name not in INFERENCE), 3
            ),
        }
    return {"backend": dict(backends(config)), "clips": measured}, 0


def _two(histogram: Histogram) -> dict[str, float]:
    figures = histogram.percentiles()
    return {"p50": round(figures.p50, 3), "p95": round(figures.p95, 3)}
