"""One frame: track, swap, compose. Owns the inference contexts; no input or output of its own.

The two halves of a frame, `track` and `finish`, may run in two threads, each half in one: then the next frame
is tracked while this one is painted.
"""

import logging
import queue
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.detector import Detector
from models.landmarker import FaceMesh
from realtime.arrivals import thumbnail
from realtime.boxes import side_of
from realtime.casting.parts import COVERED, Leave, Part
from realtime.clock import NS_PER_S, Clock
from realtime.cover import cover, uncover
from realtime.cuts import luma_histogram
from realtime.errors import BackendError
from realtime.frame import Frame, Outcome, Result
from realtime.identification import Identification
from realtime.replacement import Replacement
from realtime.swap.base import Sliders, Source, Times
from realtime.telemetry.histogram import Histogram
from realtime.tracking import Glance, Tracker, View

__all__ = ["STAGES", "Pipeline", "PipelineFigures", "Tracked"]

_log = logging.getLogger(__name__)

STAGES = ("detect", "landmarks", "identify", "swap", "colour", "enhance", "mask", "compose")
"""Each is timed once a frame in which it ran."""
SHADOW_NS = 3 * NS_PER_S
"""A replacement that has nothing to show after so long takes over with covered faces."""
FADE_MARGIN = 0.1
"""Round a face that fades in: what shows through the cover is replaced already."""


@dataclass(slots=True)
class PipelineFigures:
    """Each is added to by one thread alone; they outlive a pipeline that is built anew."""

    frames: int = 0
    detector_calls: int = 0
    tracked: int = 0
    """Frames with a face that did not need the detector."""
    covered: int = 0
    """Faces that could not be replaced in a frame, and were covered."""
    stages: dict[str, Histogram] = field(default_factory=lambda: {name: Histogram() for name in STAGES})


@dataclass(frozen=True, slots=True)
class Tracked:
    """A frame whose faces are found."""

    frame: Frame
    view: View


class Pipeline:
    """`track` is used by one thread at a time, and so is `finish`."""

    def __init__(
        self,
        detector: Detector,
        landmarker: FaceMesh,
        tracker: Tracker,
        identification: Identification,
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
        self._identification = identification
        self._changes: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._next: _Next | None = None

    def process(self, frame: Frame) -> Result:
        """`track` and `finish`."""
        return self.finish(self.track(frame))

    def track(self, frame: Frame) -> Tracked:
        """Find the faces of a frame. Raises BackendError when an inference fails."""
        calls_before = self._figures.detector_calls
        view = self._track(frame)
        self._figures.frames += 1
        if view.faces and self._figures.detector_calls == calls_before:
            self._figures.tracked += 1
        return Tracked(frame, view)

    def finish(self, tracked: Tracked) -> Result:
        """A new picture in which every tracked face is replaced and every other face found is covered.

        The outcome is SWAPPED only if at least one face was replaced and none is in doubt; the picture
        must not be shown otherwise. Raises BackendError when an inference fails.
        """
        frame, view = tracked.frame, tracked.view
        while not self._changes.empty():
            self._changes.get_nowait()()
        parts = self._identification.cast(frame, view.faces)
        if not view.faces or view.in_doubt:
            return Result(frame, frame.bgr, Outcome.NO_FACE, view.faces)
        picture, replaced = self._replace(frame, view, parts)
        if not replaced:
            return Result(frame, frame.bgr, Outcome.FAULT, view.faces, refused=True)
        return Result(frame, picture, Outcome.SWAPPED, view.faces)

    def wear(self, worn: tuple[Source, ...], identification: Identification | None = None) -> None:
        """Put on other faces from the next frame on, given out by `identification`. From any thread."""
        self._changes.put(lambda: self._wear(worn, identification))

    def adjust(self, sliders: Sliders) -> None:
        """Paint otherwise from the next frame on. From any thread."""
        self._changes.put(lambda: self._adjust(sliders))

    def offer(self, replacement: Replacement, identification: Identification | None = None) -> None:
        """Let another replacement take over as soon as it can replace the faces that are there.

        From any thread. Both belong to the pipeline from here on; what serves goes on until then.
        """
        self._changes.put(lambda: self._await(_Next(replacement, identification, self._clock.now_ns())))

    def close(self) -> None:
        """Free the inference contexts. Idempotent, never raises."""
        while not self._changes.empty():  # what was offered last is to be closed, too
            self._changes.get_nowait()()
        self._detector.close()
        self._landmarker.close()
        self._identification.close()
        self._replacement.close()
        if self._next is not None:
            self._next.close()

    def _wear(self, worn: tuple[Source, ...], identification: Identification | None) -> None:
        """Of the painter that was asked for last: another one may draw from another kind of source."""
        if self._next is not None:
            self._next.replacement.wear(worn)
            if identification is not None:
                self._next.drop_identification()
                self._next.identification = identification
            return
        self._replacement.wear(worn)
        if identification is not None:
            before, self._identification = self._identification, identification
            before.close()

    def _adjust(self, sliders: Sliders) -> None:
        """The painter that was asked for last: the networks of another one's masks may not be open."""
        (self._next.replacement if self._next is not None else self._replacement).adjust(sliders)

    def _await(self, coming: "_Next") -> None:
        if self._next is not None:
            self._next.retire()
        self._next = coming

    def _take_over(self, frame: Frame, view: View, parts: Mapping[int, Part]) -> Mapping[int, Part]:
        """Begin with the next replacement, if it can show the faces of this frame; the parts in force."""
        coming = self._next
        if coming is None:
            return parts
        others = parts if coming.identification is None else coming.identification.cast(frame, view.faces)
        try:
            ready = coming.replacement.begin(
                frame, view.faces, others, Times(), wait=False, strangers=view.strangers
            )
        except BackendError as error:
            # What serves goes on. If it fails for good, that is seen when it has taken over.
            if error.final:
                raise
            ready = False
            coming.tell(error)
        if not ready and self._clock.now_ns() - coming.since_ns < SHADOW_NS:
            return parts
        before = _Next(self._replacement, None, 0)
        if coming.identification is not None:
            before.identification, self._identification = self._identification, coming.identification
        self._replacement, self._next = coming.replacement, None
        before.retire()
        return others

    def _track(self, frame: Frame) -> View:
        tracker = self._tracker
        glance = Glance(thumbnail(frame.bgr), (frame.bgr.shape[1], frame.bgr.shape[0]))
        if tracker.begin(frame.captured_ns, frame.epoch, luma_histogram(frame.bgr), glance):
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

    def _replace(self, frame: Frame, view: View, parts: Mapping[int, Part]) -> tuple[NDArray[np.uint8], int]:
        """The picture, and how many of its faces became what their parts say."""
        parts = self._take_over(frame, view, parts)
        replacement, times = self._replacement, Times()
        replacement.begin(frame, view.faces, parts, times, strangers=view.strangers)
        picture = frame.bgr.copy()
        for box in view.strangers:
            cover(picture, box)
        for box, strength in view.fading:
            cover(picture, box, strength)
        covered = {face.id for face in view.faces if parts[face.id] == COVERED}
        for face in view.faces:
            if face.id in covered:
                cover(picture, face.box)
        if view.strangers or view.fading or covered:
            for face in view.faces:
                # Nothing is painted over who is left as they are: what is before them would show through.
                if face.id not in covered and not isinstance(parts[face.id], Leave):
                    uncover(picture, frame.bgr, face.points)
        replaced = len(covered)
        # From the smallest, which is farthest: those before it are painted over it.
        for face in sorted(view.faces, key=lambda face: side_of(face.box)):
            if face.id in covered:
                continue
            if not replacement.replace(picture, frame, face, parts[face.id], times):
                cover(picture, face.box)
                self._figures.covered += 1
                continue
            replaced += 1
            if face.shown < 1:
                cover(picture, face.box, 1 - face.shown, FADE_MARGIN)
        for stage, spent_ns in times.spent_ns.items():
            self._figures.stages[stage].add(spent_ns)
        return picture, replaced

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        began_ns = self._clock.now_ns()
        yield
        self._figures.stages[stage].add(self._clock.now_ns() - began_ns)


@dataclass(slots=True)
class _Next:
    """What waits to take over, or is let go."""

    replacement: Replacement
    identification: Identification | None
    since_ns: int
    told: bool = False

    def tell(self, error: BackendError) -> None:
        """Once: it fails while another one serves."""
        if not self.told:
            self.told = True
            _log.warning("what was asked for fails as yet: %s", error.message)

    def drop_identification(self) -> None:
        if self.identification is not None:
            self.identification.close()
            self.identification = None

    def close(self) -> None:
        self.drop_identification()
        self.replacement.close()

    def retire(self) -> None:
        """Close it aside: to wait for its threads would cost a frame its time."""
        threading.Thread(target=self.close, name="realtime-retire", daemon=True).start()
