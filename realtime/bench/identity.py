"""Whom the output resembles: the face put on, or the wearer. Cosines, as a network sees them.

Each clip goes through the whole pipeline, frame by frame; at six instants the picture that would be shown is
looked at anew, by the detector and two passes of the landmarker.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import astuple, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.embedder import FaceEmbedder, open_embedder
from models.fetch import ensure
from models.landmarker import Landmarks
from realtime.assembly import backends, build_pipeline, model_names
from realtime.bench.fresh_look import FreshLook, open_fresh_look
from realtime.bench.replay import replay
from realtime.clock import MonotonicClock
from realtime.commands.flags import configured, start_logging
from realtime.config import Config, FaceConfig
from realtime.errors import ConfigError
from realtime.frame import Outcome
from realtime.picture_file import read_picture
from realtime.pipeline import PipelineFigures
from realtime.places import wanted
from realtime.terminal import Terminal

__all__ = ["measure"]

INSTANTS = 6
"""Of each clip, spread evenly."""

Vector = NDArray[np.float32]


@dataclass(slots=True)
class _Likeness:
    source: list[float] = field(default_factory=list)
    """Cosines of the source face and the output."""
    wearer: list[float] = field(default_factory=list)
    """Cosines of the frame and the output."""

    def add(self, other: "_Likeness") -> None:
        self.source += other.source
        self.wearer += other.wearer

    def figures(self) -> dict[str, Any]:
        return {
            "source_output": round(float(np.mean(self.source)), 3) if self.source else None,
            "target_output": round(float(np.mean(self.wearer)), 3) if self.wearer else None,
            "pictures": len(self.wearer),
        }


@dataclass(frozen=True, slots=True)
class _Judge:
    sight: FreshLook
    embedder: FaceEmbedder

    def look(self, bgr: NDArray[np.uint8]) -> Vector | None:
        """The largest face of a picture; None when there is none."""
        found = self.sight.faces(bgr)
        if not found:
            return None
        return self.embedder.embed(bgr, max(found, key=_width).points)

    def close(self) -> None:
        self.sight.close()
        self.embedder.close()


def measure(clips: list[str], arguments: argparse.Namespace) -> tuple[dict[str, Any], int]:
    """Mean cosines of every `--face` on every clip. Raises ConfigError without `--embedder`."""
    if arguments.embedder is None:
        raise ConfigError(
            "bench identity needs a network that tells faces apart",
            "give one with --embedder FILE.onnx, such as MobileFaceNet or ArcFace",
        )
    config = configured(arguments)
    start_logging(config.log.level, Terminal(sys.stderr))
    folder = next(iter(ensure(model_names(config)).values())).parent
    judge = _judge(config, folder, arguments.embedder)
    total = _Likeness()
    table: dict[str, dict[str, Any]] = {}
    try:
        for face in config.face.uris:
            source = None if face.startswith("persona:") else judge.look(read_picture(Path(face)))
            of_face = _Likeness()
            table[face] = {}
            for uri in clips or ["still:"]:
                found = _clip(uri, face, source, config, folder, judge, arguments.seconds)
                table[face][uri] = found.figures()
                of_face.add(found)
            table[face]["mean"] = of_face.figures()
            total.add(of_face)
    finally:
        judge.close()
    return {"backend": dict(backends(config)), "faces": table, "mean": total.figures()}, 0


def _judge(config: Config, folder: Path, embedder: Path) -> _Judge:
    telling = open_embedder(embedder, *astuple(wanted(config, "identify")))
    try:
        return _Judge(open_fresh_look(config, folder), telling)
    except BaseException:
        telling.close()
        raise


def _clip(
    uri: str,
    face: str,
    source: Vector | None,
    config: Config,
    folder: Path,
    judge: _Judge,
    seconds: float | None,
) -> _Likeness:
    shown = config.source
    count = sum(1 for _ in replay(uri, shown.width, shown.height, shown.fps, seconds))
    instants = _instants(count)
    worn = replace(config, face=FaceConfig((face,)))
    pipeline = build_pipeline(worn, folder, MonotonicClock(), PipelineFigures(), lossless=True)
    likeness = _Likeness()
    try:
        for frame in replay(uri, shown.width, shown.height, shown.fps, seconds):
            result = pipeline.process(frame)
            if frame.seq not in instants or result.outcome is not Outcome.SWAPPED:
                continue
            output, wearer = judge.look(result.bgr), judge.look(frame.bgr)
            if output is None or wearer is None:
                continue
            likeness.wearer.append(float(output @ wearer))
            if source is not None:
                likeness.source.append(float(output @ source))
    finally:
        pipeline.close()
    return likeness


def _instants(count: int) -> Sequence[int]:
    return [int(count * (number + 0.5) / INSTANTS) for number in range(INSTANTS)]


def _width(face: Landmarks) -> float:
    return float(np.ptp(face.points[:, 0]))
