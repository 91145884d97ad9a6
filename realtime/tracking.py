"""When to look for faces anew, when to trust the landmarks, and which face is which.

Pure: `Tracker` is told what the detector and the landmarker found and when, and says what to do next.
The landmarker follows each known face from frame to frame; the detector is asked only at the start, on
doubt, on a scene cut and at a slow beat. A face in doubt makes the frame unfit to be shown: it may be bare.
"""

from dataclasses import dataclass, field
from enum import Enum, auto

import numpy as np
from numpy.typing import NDArray

from models.detector import Detection
from models.landmarker import CropRegion, Landmarks, region_from_detection, region_from_points
from realtime.clock import NS_PER_MS, NS_PER_S
from realtime.frame import Face
from realtime.smoothing import OneEuro, OneEuroSettings

__all__ = ["Seed", "Tracker", "TrackerSettings", "View", "luma_histogram"]

STABLE_AFTER_NS = 2 * NS_PER_S
"""When no face was born, lost or doubted for this long, the beat slows down."""
DOUBT_LASTS_NS = 300 * NS_PER_MS
"""A doubted face is looked for this long before it counts as gone."""
CUT_LEVELS = 24.0
"""How far the luma of two frames lies apart, as the earth mover's distance of their histograms in grey
levels, to count as a scene cut. A change of exposure alone moves it by as many levels as it adds."""
SAME_FACE_IOU = 0.25
TWIN_IOU = 0.5
"""Two tracks that overlap more than this follow one face."""
MIN_FACE_PX = 16.0
HISTOGRAM_BINS = 32
HISTOGRAM_STEP = 8

STRANGER_SCORE = 0.6
"""The detector's score from which a face that no landmarks fit is covered rather than shown."""
STRANGER_BEAT_NS = 100 * NS_PER_MS
"""With such a face about, the detector is asked this often: nothing else follows it."""

Box = tuple[float, float, float, float]
"""x0, y0, x1, y1 in pixels of the source frame."""


@dataclass(frozen=True, slots=True)
class TrackerSettings:
    """See `realtime.config.TrackingConfig`."""

    max_faces: int = 4
    beat_ns: int = NS_PER_S // 4
    stable_beat_ns: int = NS_PER_S // 2
    min_presence: float = 0.5
    smoothing: OneEuroSettings = field(default_factory=OneEuroSettings)


@dataclass(frozen=True, slots=True)
class Seed:
    """Where to run the landmarker for one track."""

    track_id: int
    region: CropRegion


@dataclass(frozen=True, slots=True)
class View:
    """What is known of one frame."""

    faces: tuple[Face, ...]
    """Trusted faces, oldest track first."""
    in_doubt: bool
    """A face that was there a moment ago could not be followed: it may be bare in this frame."""
    strangers: tuple[Box, ...]
    """Where the detector last saw faces that cannot be replaced, in pixels of the frame: to be covered."""


class _State(Enum):
    PENDING = auto()
    """Not looked at yet in this frame."""
    TRUSTED = auto()
    LOST = auto()


class _Track:
    def __init__(self, track_id: int, region: CropRegion, smoothing: OneEuroSettings) -> None:
        self.id = track_id
        self.region = region
        self.filter = OneEuro(smoothing)
        self.state = _State.PENDING
        self.doubted = False
        """Lost in this frame or in the one before: the detector's word is wanted."""
        self.face: Face | None = None
        """As last trusted; None until the birth is confirmed."""
        self.trusted_ns = 0


class Tracker:
    """Follows up to `max_faces` faces.

    For each frame: `begin`, `admit` if it says so, `update` for each of `seeds`; if `wants_detection` then,
    `admit` and `update` again; `end`.
    """

    def __init__(self, settings: TrackerSettings) -> None:
        self._settings = settings
        self._tracks: list[_Track] = []
        self._next_id = 1
        self._epoch: int | None = None
        self._histogram: NDArray[np.float32] | None = None
        self._detected_ns: int | None = None
        self._unsettled_ns = 0
        self._now_ns = 0
        self._detections: tuple[Detection, ...] = ()
        """Of the last run of the detector."""

    def begin(self, captured_ns: int, epoch: int, histogram: NDArray[np.float32]) -> bool:
        """Start a frame; True when the detector is to be run first.

        `histogram`: of the frame, from `luma_histogram`. Frames come in order of `captured_ns`.
        """
        self._now_ns = captured_ns
        if epoch != self._epoch or self._is_cut(histogram):
            self._tracks.clear()
            self._detections = ()
            self._unsettled_ns = captured_ns
        self._epoch, self._histogram = epoch, histogram
        for track in self._tracks:
            track.doubted = track.state is _State.LOST
            track.state = _State.PENDING
        return not self._tracks or any(track.doubted for track in self._tracks) or self._beat_due()

    def admit(self, detections: tuple[Detection, ...]) -> None:
        """Take what the detector found: new faces and doubted ones found again are among the next `seeds`.

        The best detections fill the free places first; one on a face that is not in doubt changes nothing.
        """
        self._detected_ns = self._now_ns
        self._detections = detections
        free = list(self._tracks)
        for detection in sorted(detections, key=lambda found: -found.score):
            track = _overlapping(free, detection.box, SAME_FACE_IOU)
            if track is not None:
                free.remove(track)
                if track.doubted:
                    track.region = region_from_detection(detection)
                    track.filter.reset()
                    track.state = _State.PENDING
            elif len(self._tracks) < self._settings.max_faces and _side(detection.box) >= MIN_FACE_PX:
                track = _Track(self._next_id, region_from_detection(detection), self._settings.smoothing)
                self._next_id += 1
                self._tracks.append(track)
                self._unsettled_ns = self._now_ns

    def seeds(self) -> tuple[Seed, ...]:
        """Where the landmarker is to be run: every track not yet updated in this frame."""
        pending = (track for track in self._tracks if track.state is _State.PENDING)
        return tuple(Seed(track.id, track.region) for track in pending)

    def update(self, track_id: int, found: Landmarks) -> bool:
        """Take the landmarks of one seed; True when they are trusted."""
        track = next(track for track in self._tracks if track.id == track_id)
        box = _box(found.points)
        if found.score < self._settings.min_presence or _side(box) < MIN_FACE_PX:
            self._unsettled_ns = self._now_ns
            track.state, track.doubted = _State.LOST, True
            return False
        points = track.filter.update(found.points, _side(box), self._now_ns)
        track.face = Face(track.id, points, found.score)
        track.region = region_from_points(found.points)
        track.state, track.doubted = _State.TRUSTED, False
        track.trusted_ns = self._now_ns
        return True

    def wants_detection(self) -> bool:
        """After the updates: a face was lost in this frame and the detector has not been asked yet."""
        return self._detected_ns != self._now_ns and any(track.doubted for track in self._tracks)

    def end(self) -> View:
        """Finish the frame: drop twins, unconfirmed births and faces doubted for too long."""
        kept: list[_Track] = []
        for track in sorted(self._tracks, key=lambda track: track.state is not _State.TRUSTED):
            trusted = track.state is _State.TRUSTED
            gone = track.face is None or (not trusted and self._now_ns - track.trusted_ns > DOUBT_LASTS_NS)
            if gone or (track.face and _overlapping(kept, track.face.box, TWIN_IOU)):
                self._unsettled_ns = self._now_ns
            else:
                kept.append(track)
        self._tracks = sorted(kept, key=lambda track: track.id)
        trusted_faces = (track.face for track in self._tracks if track.state is _State.TRUSTED)
        faces = tuple(face for face in trusted_faces if face is not None)
        return View(faces, len(faces) < len(kept), self._strangers())

    def _strangers(self) -> tuple[Box, ...]:
        return tuple(
            found.box
            for found in self._detections
            if found.score >= STRANGER_SCORE and _overlapping(self._tracks, found.box, SAME_FACE_IOU) is None
        )

    def _is_cut(self, histogram: NDArray[np.float32]) -> bool:
        if self._histogram is None:
            return False
        moved = float(np.abs(np.cumsum(histogram - self._histogram)).sum()) * (256 / HISTOGRAM_BINS)
        return moved > CUT_LEVELS

    def _beat_due(self) -> bool:
        if self._detected_ns is None:
            return True
        if self._detections and self._strangers():
            return self._now_ns - self._detected_ns >= STRANGER_BEAT_NS
        stable = self._now_ns - self._unsettled_ns >= STABLE_AFTER_NS
        beat_ns = self._settings.stable_beat_ns if stable else self._settings.beat_ns
        return self._now_ns - self._detected_ns >= beat_ns


def luma_histogram(bgr: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(32,) float32 that sums to 1: the green channel of every 8th pixel of every 8th row, as luma."""
    sample = bgr[::HISTOGRAM_STEP, ::HISTOGRAM_STEP, 1]
    counts = np.bincount(sample.ravel() >> 3, minlength=HISTOGRAM_BINS)
    return (counts / np.float32(max(sample.size, 1))).astype(np.float32)


def iou(a: Box, b: Box) -> float:
    """Intersection over union of two boxes (x0, y0, x1, y1)."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    either = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both
    return both / either if either > 0 else 0.0


def _overlapping(tracks: list[_Track], box: Box, least: float) -> _Track | None:
    """The track whose last trusted box overlaps `box` most, if by more than `least`."""
    scored = [(iou(track.face.box, box), track) for track in tracks if track.face is not None]
    best = max(scored, key=lambda pair: pair[0], default=None)
    return best[1] if best is not None and best[0] > least else None


def _box(points: NDArray[np.float32]) -> Box:
    low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def _side(box: Box) -> float:
    return max(box[2] - box[0], box[3] - box[1])
