"""What is known of one face that is being followed."""

from enum import Enum, auto

import numpy as np
from numpy.typing import NDArray

from models.landmarker import CropRegion, Landmarks, five_points, region_from_points
from models.mesh_fit import fit_mesh, steady_shape
from realtime.boxes import Box, side_of
from realtime.clock import NS_PER_MS
from realtime.frame import Face
from realtime.motion import Motion
from realtime.smoothing import OneEuro, OneEuroSettings

__all__ = ["State", "Track"]

SHAPE_EVERY_NS = 100 * NS_PER_MS
"""How often the face's own shape is looked at, for the memory of it."""
SHAPE_GAIN = 0.15
UNLIKE = 8.0
"""What one unit of difference in shape weighs against one side of surprise in motion. One person's shape
differs from its own mean by 0.014 (95 % below 0.025), from another's by 0.02 to 0.035: measured on six clips
with five people and the drawn portrait, where the nearer of two means is the right one in 84 to 100 % of
frames."""


class State(Enum):
    PENDING = auto()
    """Not looked at yet in this frame."""
    SEEN = auto()
    LOST = auto()


class Track:
    """Kept by `realtime.tracking.Tracker`, which decides; this remembers."""

    def __init__(self, track_id: int, region: CropRegion, smoothing: OneEuroSettings) -> None:
        self.id = track_id
        self.region = region
        self.state = State.PENDING
        self.doubted = False
        """Lost in this frame or in the one before: the detector's word is wanted."""
        self.sightings = 0
        """Frames in which landmarks fitted, since it was last looked for."""
        self.born_ns: int | None = None
        """When its birth was confirmed; None before."""
        self.fade_from_ns = 0
        """When its replacement began to show."""
        self.seen_ns = 0
        self.box: Box = (0.0, 0.0, 0.0, 0.0)
        """Round the landmarks as last seen."""
        self.crowded = False
        """Another face touched it in the last frame."""
        self.motion: Motion | None = None
        self.shape: NDArray[np.float32] | None = None
        """Its own mean shape, from `steady_shape`."""
        self._shape_ns = 0
        self._filter = OneEuro(smoothing)
        self._raw: NDArray[np.float32] = np.zeros((0, 3), np.float32)
        self._points = self._raw
        self._score = 0.0

    def look_at(self, region: CropRegion) -> None:
        """Look for it anew, elsewhere: nothing is smoothed over the jump."""
        self.region = region
        self.state = State.PENDING
        self._filter.reset()

    def see(self, found: Landmarks, box: Box, now_ns: int) -> None:
        """Take landmarks that are trusted."""
        self._raw, self._score, self.box = found.points, found.score, box
        self._points = self._filter.update(found.points, side_of(box), now_ns)
        self.region = region_from_points(found.points)
        self.state, self.doubted = State.SEEN, False
        self.sightings += 1
        self.seen_ns = now_ns

    def lose(self) -> None:
        self.state, self.doubted, self.sightings = State.LOST, True, 0

    def settle(self, now_ns: int) -> None:
        """Learn from this frame, once it is certain which face it is."""
        if self.motion is None:
            self.motion = Motion(self.box, now_ns)
        else:
            self.motion.follow(self.box, now_ns, self.crowded)
        if not self.crowded and (self.shape is None or now_ns - self._shape_ns >= SHAPE_EVERY_NS):
            seen = steady_shape(self._raw, fit_mesh(self._raw))
            self.shape = seen if self.shape is None else self.shape + SHAPE_GAIN * (seen - self.shape)
            self._shape_ns = now_ns

    def forget_motion(self) -> None:
        """After a jump that the detector has confirmed."""
        self.motion = None

    def expected(self, now_ns: int) -> Box:
        return self.box if self.motion is None else self.motion.expected(now_ns)

    def misfit(self, other: "Track", now_ns: int) -> float:
        """How ill the face that `other` sees now fits this one's motion and shape."""
        return 0.0 if self.motion is None else other.misfit_of(self.motion, self.shape, now_ns)

    def misfit_of(self, motion: Motion, shape: NDArray[np.float32] | None, now_ns: int) -> float:
        """How ill the face seen now fits that motion and shape: about sides of the face."""
        misfit = motion.surprise(self.box, now_ns)
        if shape is not None:
            misfit += UNLIKE * unlikeness(shape, steady_shape(self._raw, fit_mesh(self._raw)))
        return misfit

    def become_somebody(self, number: int, now_ns: int) -> None:
        """It is not certain any more whose face it sees: another id, and nothing known of its past."""
        self.id = number
        self.motion = self.shape = None
        self.fade_from_ns = now_ns

    def points_apart(self, other: "Track") -> float:
        """Mean distance of the points that the two see, in sides of the smaller face."""
        apart = np.linalg.norm(self._raw[:, :2] - other._raw[:, :2], axis=1).mean()
        return float(apart) / max(min(side_of(self.box), side_of(other.box)), 1.0)

    def trade_places(self, other: "Track") -> None:
        """Each takes over what the other sees, and keeps who it is."""
        self.region, other.region = other.region, self.region
        self.box, other.box = other.box, self.box
        self._raw, other._raw = other._raw, self._raw
        self._score, other._score = other._score, self._score
        self.start_anew()
        other.start_anew()

    def start_anew(self) -> None:
        """It has turned out to see another face: nothing is smoothed over the jump, in this frame either."""
        self._filter.reset()
        self._points = self._raw

    @property
    def presence(self) -> float:
        """The landmarker's score when last seen."""
        return self._score

    def four_points(self) -> NDArray[np.float32]:
        """(4, 2): eyes, nose, middle of the mouth as last seen, in the order of `Detection.points`."""
        five = five_points(self._raw)
        return np.concatenate([five[:3], five[3:].mean(axis=0, keepdims=True)])

    def face(self, shown: float) -> Face:
        return Face(self.id, self._points, self._score, shown)


def unlikeness(shape: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Root mean square distance of two shapes, in units of the canonical face."""
    return float(np.sqrt(((shape - other) ** 2).sum(axis=1).mean()))
