"""One frame: track, swap, compose. Owns the inference contexts; no input or output of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.detector import Detector
from models.landmarker import FaceMesh
from models.patch import Patch
from models.source_face import SourceFace
from realtime.clock import Clock
from realtime.compose import paste
from realtime.cover import cover
from realtime.frame import Frame, Outcome, Result
from realtime.telemetry.histogram import Histogram
from realtime.tracking import Tracker, View, luma_histogram

__all__ = ["STAGES", "Pipeline", "PipelineFigures", "Swapper"]

STAGES = ("detect", "landmarks", "swap", "compose")
"""Each is timed once a frame in which it ran."""


class Swapper(Protocol):
    """Makes one face's replacement."""

    def swap(self, bgr: NDArray[np.uint8], points: NDArray[np.float32], source: SourceFace) -> Patch:
        """`bgr`: (H, W, 3) the frame, read only; `points`: (468, 3), pixels of the frame."""
        ...


@dataclass(slots=True)
class PipelineFigures:
    """Added to by the worker thread alone; they outlive a pipeline that is built anew."""

    frames: int = 0
    detector_calls: int = 0
    tracked: int = 0
    """Frames with a face that did not need the detector."""
    stages: dict[str, Histogram] = field(default_factory=lambda: {name: Histogram() for name in STAGES})


class Pipeline:
    """Used by one thread at a time."""

    def __init__(
        self,
        detector: Detector,
        landmarker: FaceMesh,
        swapper: Swapper,
        tracker: Tracker,
        sources: tuple[SourceFace, ...],
        clock: Clock,
        figures: PipelineFigures,
    ) -> None:
        """`sources`: faces to put on, given to tracked faces by the order of their birth, in turn."""
        self._detector = detector
        self._landmarker = landmarker
        self._swapper = swapper
        self._tracker = tracker
        self._sources = sources
        self._clock = clock
        self._figures = figures

    def process(self, frame: Frame) -> Result:
        """A new picture in which every tracked face is replaced and every other face found is covered.

        The outcome is SWAPPED only if at least one face was replaced and none is in doubt; the picture
        must not be shown otherwise. Raises BackendError when an inference fails.
        """
        calls_before = self._figures.detector_calls
        view = self._track(frame)
        self._figures.frames += 1
        if view.faces and self._figures.detector_calls == calls_before:
            self._figures.tracked += 1
        if not view.faces or view.in_doubt:
            return Result(frame, frame.bgr, Outcome.NO_FACE, view.faces)
        picture = self._replace(frame.bgr, view)
        return Result(frame, picture, Outcome.SWAPPED, view.faces)

    def close(self) -> None:
        """Free the inference contexts. Idempotent, never raises."""
        self._detector.close()
        self._landmarker.close()

    def _track(self, frame: Frame) -> View:
        tracker = self._tracker
        if tracker.begin(frame.captured_ns, frame.epoch, luma_histogram(frame.bgr)):
            self._detect(frame.bgr)
        with self._timed("landmarks"):
            for seed in tracker.seeds():
                tracker.update(seed.track_id, self._landmarker.landmarks(frame.bgr, seed.region))
        if tracker.wants_detection():
            self._detect(frame.bgr)
            for seed in tracker.seeds():
                tracker.update(seed.track_id, self._landmarker.landmarks(frame.bgr, seed.region))
        return tracker.end()

    def _detect(self, bgr: NDArray[np.uint8]) -> None:
        with self._timed("detect"):
            self._tracker.admit(self._detector.detect(bgr))
        self._figures.detector_calls += 1

    def _replace(self, bgr: NDArray[np.uint8], view: View) -> NDArray[np.uint8]:
        picture = bgr.copy()
        for box in view.strangers:
            cover(picture, box)
        swapping_ns = pasting_ns = 0
        for face in view.faces:
            began_ns = self._clock.now_ns()
            source = self._sources[(face.id - 1) % len(self._sources)]
            patch = self._swapper.swap(bgr, face.points, source)
            swapped_ns = self._clock.now_ns()
            paste(picture, patch)
            swapping_ns += swapped_ns - began_ns
            pasting_ns += self._clock.now_ns() - swapped_ns
        self._figures.stages["swap"].add(swapping_ns)
        self._figures.stages["compose"].add(pasting_ns)
        return picture

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        began_ns = self._clock.now_ns()
        yield
        self._figures.stages[stage].add(self._clock.now_ns() - began_ns)
