"""A swapper that is slower than the camera, live: does the picture move with the camera all the same?

The chain is the real one, with a stand-in of no work for its networks and a pause of `--cost-ms` in their
place, as if another device worked on the faces.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.geometry import apply, invert
from models.neural.chain import FaceChain
from models.neural.face import GivenFace, MadeFaces, Template, follow
from models.neural.settings import ChainSettings
from models.neural.source_feed import SourceFeed
from realtime.app import App, Endpoint
from realtime.assembly import build_pipeline
from realtime.bench.chain_networks import outline_masks, ready_swapper
from realtime.bench.replay import ENDLESS_S
from realtime.capture.registry import open_source
from realtime.clock import NS_PER_MS, Clock, MonotonicClock
from realtime.commands.flags import configured, start_logging
from realtime.commands.run import run_to_end
from realtime.config import Config
from realtime.frame import Frame
from realtime.loop import Limits
from realtime.pipeline import Pipeline, PipelineFigures
from realtime.replacement import Replacement
from realtime.sinks.null import NullSink
from realtime.swap.base import Times, Wearer
from realtime.swap.heavy import HeavyThread
from realtime.swap.neural import Networks, NeuralPainter
from realtime.swap.patience import Patience
from realtime.terminal import Terminal

__all__ = ["Followed", "FollowedPainter", "SlowChain", "measure"]

COST_MS = 200.0
SECONDS = 10.0
VECTOR = 512


class SlowChain:
    """A chain whose networks take their time elsewhere."""

    def __init__(self, chain: FaceChain, cost_ms: float) -> None:
        self._chain = chain
        self._cost_s = cost_ms / 1000

    @property
    def settings(self) -> ChainSettings:
        return self._chain.settings

    @settings.setter
    def settings(self, value: ChainSettings) -> None:
        self._chain.settings = value

    @property
    def templates(self) -> tuple[Template, ...]:
        return self._chain.templates

    def run(self, job: Sequence[GivenFace]) -> MadeFaces:
        time.sleep(self._cost_s)
        return self._chain.run(job)

    def close(self) -> None:
        self._chain.close()


@dataclass(slots=True)
class Followed:
    """Of each face that was painted."""

    face_age_ms: list[float] = field(default_factory=list)
    """How much older the frame it was made of is than the frame it is shown in."""
    off_px: list[float] = field(default_factory=list)
    """Distance of its landmarks, laid on this frame, from the frame's own; root mean square."""
    unmoved_px: list[float] = field(default_factory=list)
    """The same, had it been pasted where the face was."""


class FollowedPainter(NeuralPainter):
    """Takes down how well the faces that it paints lie on those of the frame."""

    followed: Followed

    def paint(self, picture: NDArray[np.uint8], frame: Frame, wearer: Wearer, times: Times) -> bool:
        made, points = self._made.get(wearer.face.id), wearer.face.points
        if made is not None:
            laid = apply(
                invert(follow(made, points).matrix), apply(made.where.matrix, made.given.points[:, :2])
            )
            self.followed.face_age_ms.append((frame.captured_ns - made.given.captured_ns) / NS_PER_MS)
            self.followed.off_px.append(_rms(laid - points[:, :2]))
            self.followed.unmoved_px.append(_rms(made.given.points[:, :2] - points[:, :2]))
        return super().paint(picture, frame, wearer, times)


def measure(clips: list[str], arguments: argparse.Namespace) -> tuple[dict[str, Any], int]:
    """The report of live picture with a slow swapper, and how its faces lay."""
    config = configured(arguments)
    terminal = Terminal(sys.stderr)
    start_logging(config.log.level, terminal)
    cost_ms = arguments.cost_ms if arguments.cost_ms is not None else COST_MS
    followed = Followed()

    def make(config: Config, folder: Path, clock: Clock, figures: PipelineFigures) -> Pipeline:
        pipeline = build_pipeline(config, folder, clock, figures)
        pipeline.offer(_slow_replacement(config, clock, cost_ms, followed))
        return pipeline

    settings = config.source
    uri = clips[0] if clips else "still:"
    source = open_source(uri, width=settings.width, height=settings.height, fps=settings.fps, loop=True)
    app = App(
        config,
        Endpoint(source, live=False, sinks=(NullSink(),), page=False),
        MonotonicClock(),
        Limits(seconds=arguments.seconds or min(SECONDS, ENDLESS_S)),
        terminal.say,
        terminal.status,
        make,
    )
    code = run_to_end(app, terminal)
    terminal.finish()
    laid = {
        "painted": len(followed.off_px),
        "face_age_ms": _two(followed.face_age_ms),
        "off_px": _two(followed.off_px),
        "had_it_not_moved_px": _two(followed.unmoved_px),
    }
    return {"cost_ms": cost_ms, "late": laid, **app.report()}, code


def _slow_replacement(config: Config, clock: Clock, cost_ms: float, followed: Followed) -> Replacement:
    chain = SlowChain(FaceChain(ready_swapper(), clock.now_ns), cost_ms)
    networks: Networks = HeavyThread(lambda: chain, clock, "networks")
    networks.start()
    patience = Patience(config.pipeline.late, round(config.pipeline.hold_ms * NS_PER_MS))
    painter = FollowedPainter(networks, chain, outline_masks(), patience, clock)
    painter.followed = followed
    somebody = np.zeros((1, VECTOR), np.float32)
    somebody[0, 0] = 1
    feed = SourceFeed(MappingProxyType({"embedding": somebody}), wearer_unit=True)
    return Replacement(painter, (feed,), clock)


def _rms(distances: NDArray[np.floating[Any]]) -> float:
    return float(np.sqrt((distances**2).sum(axis=1).mean()))


def _two(values: list[float]) -> dict[str, float]:
    if not values:
        return {"p50": 0.0, "p95": 0.0}
    return {"p50": round(float(np.median(values)), 2), "p95": round(float(np.percentile(values, 95)), 2)}
