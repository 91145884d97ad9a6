"""One frame: track, swap, compose. Owns the inference contexts; no input or output of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.detector import Detector
from models.landmarker import FaceMesh
from realtime.boxes import side_of
from realtime.clock import Clock
from realtime.cover import cover, uncover
from realtime.cuts import luma_histogram
from realtime.frame import Frame, Outcome, Result
from realtime.replacement import Replacement, Times
from realtime.telemetry.histogram import Histogram
from realtime.tracking import Tracker, View

__all__ = ["STAGES", "Pipeline", "PipelineFigures"]

STAGES = ("detect", "landmarks", "swap", "enhance", "mask", "compose")
"""Each is timed once a frame in which it ran."""
MANY_FACES = 3
"""From so many on, what stands before each is looked at in every second frame only."""
FADE_MARGIN = 0.1
"""Round a face that fades in: what shows through the cover is replaced already."""


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
        tracker: Tracker,
        replacement: Replacement,
        clock: Clock,
        figures: PipelineFigures,
    ) -> None:
        self._detector = detector
        self._landmarker = landmarker
        self._tracker = tracker
        self._replacement = replacement
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
        picture = self._replace(frame, view)
        return Result(frame, picture, Outcome.SWAPPED, view.faces)

    def close(self) -> None:
        """Free the inference contexts. Idempotent, never raises."""
        self._detector.close()
        self._landmarker.close()
        self._replacement.close()

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

    def _replace(self, frame: Frame, view: View) -> NDArray[np.uint8]:
        picture = frame.bgr.copy()
        for box in view.strangers:
            cover(picture, box)
        for box, strength in view.fading:
            cover(picture, box, strength)
        if view.strangers or view.fading:
            for face in view.faces:
                uncover(picture, frame.bgr, face.points)
        times = Times()
        # From the smallest, which is farthest: those before it are painted over it.
        for face in sorted(view.faces, key=lambda face: side_of(face.box)):
            self._replacement.replace(picture, frame, face, times, len(view.faces) >= MANY_FACES)
            if face.shown < 1:
                cover(picture, face.box, 1 - face.shown, FADE_MARGIN)
        for stage, spent_ns in times.spent_ns.items():
            self._figures.stages[stage].add(spent_ns)
        return picture

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        began_ns = self._clock.now_ns()
        yield
        self._figures.stages[stage].add(self._clock.now_ns() - began_ns)
