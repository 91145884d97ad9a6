"""When to look for faces anew, when to trust the landmarks, and which face is which.

Pure: `Tracker` is told what the detector and the landmarker found and when, and says what to do next.
The landmarker follows each known face from frame to frame; the detector is asked only at the start, on
doubt, on a scene cut and at a slow beat. A face in doubt makes the frame unfit to be shown: it may be bare.
"""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.detector import Detection
from models.landmarker import CropRegion, Landmarks, region_from_detection
from realtime.arrivals import Arrivals
from realtime.assignment import assign
from realtime.boxes import Box, box_of, iou, side_of
from realtime.clock import NS_PER_MS, NS_PER_S
from realtime.cuts import is_cut
from realtime.departed import Departed, Departures, Fading
from realtime.encounters import adrift, mark_crowds, occluded, slipped, twins, unmask, untangle
from realtime.frame import Face
from realtime.lookouts import Lookouts
from realtime.smoothing import OneEuroSettings
from realtime.strangers import Strangers
from realtime.track import State, Track

__all__ = ["Glance", "Seed", "Tracker", "TrackerSettings", "View"]

STABLE_AFTER_NS = NS_PER_S
"""When no face was born, lost or doubted for this long, the beat slows down."""
DOUBT_LASTS_NS = 300 * NS_PER_MS
"""A doubted face is looked for this long before it counts as gone."""
SAME_FACE_IOU = 0.25
MIN_FACE_PX = 16.0
BIRTH_SHARE = 0.5
"""A birth is confirmed at once when the presence is this far from the threshold to 1, else in the second
frame in a row. Presence is 0.94 or more on all faces of the test clips and 0.4 at most on backgrounds."""
FIRST_SHOWN = 0.1
"""How much of its replacement shows in the first frame of a fade."""

STRANGER_BEAT_NS = 100 * NS_PER_MS
"""With a face about that no landmarks fit, the detector is asked this often: nothing else follows it."""

_PROBE = 0
"""The seed that is no track's: a place where somebody may look out from behind a face."""
_KNOWN_AGAIN = 0.9
"""Misfit (`Track.misfit`) up to which a newborn is somebody who left a moment ago."""
_IMPOSSIBLE = 3.0
"""More than `Tracker._distance` ever is for two that overlap."""


@dataclass(frozen=True, slots=True)
class TrackerSettings:
    """See `realtime.config.TrackingConfig`."""

    max_faces: int = 8
    beat_ns: int = NS_PER_S // 4
    stable_beat_ns: int = 4 * NS_PER_S // 7
    min_presence: float = 0.5
    fade_ns: int = 150 * NS_PER_MS
    """How long a replacement fades in, and the cover over a face that has gone fades out; 0: at once."""
    smoothing: OneEuroSettings = field(default_factory=OneEuroSettings)


@dataclass(frozen=True, slots=True)
class Glance:
    """A frame at a glance, to see whether somebody came."""

    picture: NDArray[np.uint8]
    """From `arrivals.thumbnail`."""
    size: tuple[int, int]
    """Width and height of the frame in pixels."""


@dataclass(frozen=True, slots=True)
class Seed:
    """Where to run the landmarker for one track."""

    track_id: int
    """Good for `Tracker.update` in this frame; not the id of the face."""
    region: CropRegion


@dataclass(frozen=True, slots=True)
class View:
    """What is known of one frame."""

    faces: tuple[Face, ...]
    """Trusted faces, by id."""
    in_doubt: bool
    """A face that was there a moment ago could not be followed: it may be bare in this frame."""
    strangers: tuple[Box, ...]
    """Where faces are, or may be, that cannot be replaced, in pixels of the frame: to be covered. Those that
    no landmarks fit, those past the limit, those not confirmed yet, those behind another face."""
    fading: tuple[Fading, ...] = ()
    """Where a face has just been found gone: box and strength, (0, 1], of the cover that fades out there."""


class Tracker:
    """Follows up to `max_faces` faces.

    For each frame: `begin`, `admit` if it says so, `update` for each of `seeds`; if `wants_detection` then,
    `admit` and `update` again; `end`.
    """

    def __init__(self, settings: TrackerSettings) -> None:
        self._settings = settings
        self._tracks: list[Track] = []
        self._departures = Departures(settings.fade_ns)
        self._next_id = 1
        self._next_seed = -1
        self._epoch: int | None = None
        self._histogram: NDArray[np.float32] | None = None
        self._detected_ns: int | None = None
        self._unsettled_ns = 0
        self._scene_ns = 0
        """Of the first frame of this scene."""
        self._now_ns = 0
        self._unreplaced = Strangers()
        self._lookouts = Lookouts()
        self._arrivals = Arrivals()
        self._glance: Glance | None = None
        self._probed = False
        self._adrift: tuple[Box, ...] = ()

    def begin(
        self,
        captured_ns: int,
        epoch: int,
        histogram: NDArray[np.float32],
        glance: Glance | None = None,
    ) -> bool:
        """Start a frame; True when the detector is to be run first.

        `histogram`: of the frame, from `cuts.luma_histogram`. Without a `glance`, who comes is found at the
        detector's beat alone. Frames come in order of `captured_ns`.
        """
        self._now_ns, self._glance = captured_ns, glance
        cut = self._histogram is not None and is_cut(self._histogram, histogram)
        if cut or epoch != self._epoch:
            self._tracks.clear()
            self._departures.clear()
            self._unreplaced.clear()
            self._lookouts.clear()
            self._unsettled_ns = self._scene_ns = captured_ns
        self._epoch, self._histogram, self._probed = epoch, histogram, False
        for track in self._tracks:
            track.doubted = track.state is State.LOST
            track.state = State.PENDING
        return not self._tracks or any(track.doubted for track in self._tracks) or self._beat_due()

    def admit(self, detections: tuple[Detection, ...]) -> None:
        """Take what the detector found: new faces and doubted ones found again are among the next `seeds`.

        The best detections fill the free places first; one on a face that is not in doubt changes nothing.
        """
        self._detected_ns = self._now_ns
        if self._glance is not None:
            self._arrivals.looked(self._glance.picture, self._now_ns)
        self._unreplaced.admit(detections, self._now_ns)
        known = dict(self._matched(detections))
        for index, detection in sorted(enumerate(detections), key=lambda pair: -pair[1].score):
            region = region_from_detection(detection)
            track = known.get(index)
            if track is not None:
                if track.doubted:
                    track.look_at(region)
            elif len(self._tracks) < self._settings.max_faces and side_of(detection.box) >= MIN_FACE_PX:
                self._tracks.append(Track(self._next_seed, region, self._settings.smoothing))
                self._next_seed -= 1
                self._unsettled_ns = self._now_ns

    def seeds(self) -> tuple[Seed, ...]:
        """Where the landmarker is to be run: every track not yet updated in this frame.

        Last, once a frame while somebody is behind another face, a place where they may look out.
        """
        pending = (track for track in self._tracks if track.state is State.PENDING)
        seeds = [Seed(track.id, track.region) for track in pending]
        place = None if self._probed else self._lookouts.probe()
        if place is not None:
            self._probed = True
            seeds.append(Seed(_PROBE, place))
        return tuple(seeds)

    def update(self, track_id: int, found: Landmarks) -> bool:
        """Take the landmarks of one seed; True when they are trusted."""
        if track_id == _PROBE:
            return self._lookouts.take(found, [box for box, _ in self._followed()], self._now_ns)
        track = next(track for track in self._tracks if track.id == track_id)
        box = box_of(found.points)
        if not found.score >= self._settings.min_presence or side_of(box) < MIN_FACE_PX:
            self._unsettled_ns = self._now_ns
            track.lose()
            return False
        if track.doubted:
            track.forget_motion()
        track.see(found, box, self._now_ns)
        return True

    def wants_detection(self) -> bool:
        """After the updates: a face was lost in this frame and the detector has not been asked yet."""
        return self._detected_ns != self._now_ns and any(track.doubted for track in self._tracks)

    def end(self) -> View:
        """Finish the frame: births, people who pass each other, and faces doubted for too long."""
        now_ns = self._now_ns
        self._tracks = [track for track in self._tracks if track.born_ns is not None or track.sightings]
        self._meet()
        self._bury()
        self._lookouts.follow(self._followed(), now_ns)
        seen = [track for track in self._tracks if track.state is State.SEEN]
        self._give_birth([track for track in seen if track.born_ns is None])
        self._adrift = adrift(seen, now_ns)
        self._departures.pass_time([track.box for track in seen], now_ns)
        for track in seen:
            track.settle(now_ns)
        self._tracks.sort(key=lambda track: (track.born_ns is None, track.id))
        born = [track for track in self._tracks if track.born_ns is not None]
        faces = tuple(track.face(self._shown(track)) for track in born if track.state is State.SEEN)
        return View(faces, len(faces) < len(born), self._strangers(), self._departures.fading(now_ns))

    def _meet(self) -> None:
        """Faces that touch: whose is whose."""
        now_ns = self._now_ns
        hidden = self._departures.hidden(now_ns)
        mark_crowds(self._tracks, hidden)
        if not any(track.crowded for track in self._tracks):
            return
        untangle(self._tracks, now_ns)
        if hidden and (slip := unmask(self._tracks, self._departures.behind(now_ns), now_ns)) is not None:
            self._exchange(*slip)
        while (lost := slipped(self._tracks, now_ns)) is not None:
            self._tracks.remove(lost)
            self._hide(lost, True)
            self._unsettled_ns = now_ns
        while (pair := twins(self._tracks, now_ns)) is not None:
            self._tracks.remove(pair.goes)
            self._unsettled_ns = now_ns
            if pair.hidden:
                self._hide(pair.goes, pair.told)
            if not pair.told:
                # Either of them may be the one behind; the one in front is somebody new.
                self._departures.hide(pair.stays, False, now_ns)
                pair.stays.become_somebody(self._new_id(), now_ns)

    def _hide(self, track: Track, told: bool) -> None:
        """Its face is behind another one, and may look out beside it."""
        self._departures.hide(track, told, self._now_ns)
        front = [box for box, _ in self._followed(but=track)]
        self._lookouts.hide(track.expected(self._now_ns), front, self._now_ns)

    def _followed(self, but: Track | None = None) -> list[tuple[Box, int]]:
        """Box of each face that is seen, and since when it has been followed."""
        seen = (track for track in self._tracks if track.state is State.SEEN and track is not but)
        return [(track.box, self._now_ns if track.born_ns is None else track.born_ns) for track in seen]

    def _exchange(self, track: Track, gone: Departed) -> None:
        """The track has slipped onto the face of one that was hidden: its own is the hidden one now."""
        number = self._new_id() if gone.id is None else gone.id
        track.id, gone.id = number, track.id
        if track.motion is not None:
            track.motion, gone.motion = gone.motion, track.motion
        track.shape, gone.shape = gone.shape, track.shape
        track.start_anew()
        self._unsettled_ns = self._now_ns

    def _bury(self) -> None:
        """Let go of lost faces: those behind another one at once, others after a time of doubt."""
        for track in [track for track in self._tracks if track.state is not State.SEEN]:
            if occluded(track, self._tracks, self._now_ns):
                self._hide(track, True)
            elif self._now_ns - track.seen_ns > DOUBT_LASTS_NS:
                self._departures.leave(track, self._now_ns)
                self._lookouts.lose(track.box, [box for box, _ in self._followed()], self._now_ns)
            else:
                continue
            self._tracks.remove(track)
            self._unsettled_ns = self._now_ns

    def _give_birth(self, newborn: list[Track]) -> None:
        """Confirm births that are sure enough, and know those again who left a moment ago."""
        presence = self._settings.min_presence
        sure = presence + BIRTH_SHARE * (1 - presence)
        confirmed = [track for track in newborn if track.sightings > 1 or track.presence >= sure]
        if not confirmed:
            return
        now_ns, gone = self._now_ns, self._departures.candidates()
        misfits = [[track.misfit_of(one.motion, one.shape, now_ns) for one in gone] for track in confirmed]
        back = dict(assign(misfits, _KNOWN_AGAIN)) if gone else {}
        for index, track in enumerate(confirmed):
            track.born_ns = track.fade_from_ns = self._now_ns
            number = None
            if index in back:
                number = gone[back[index]].id
                self._departures.came_back(gone[back[index]])
            track.id = self._new_id() if number is None else number

    def _new_id(self) -> int:
        self._next_id += 1
        return self._next_id - 1

    def _shown(self, track: Track) -> float:
        """A fade-in that is over at once where the whole picture is new."""
        since_ns = self._now_ns - track.fade_from_ns
        if track.fade_from_ns == self._scene_ns or since_ns >= self._settings.fade_ns:
            return 1.0
        return max(FIRST_SHOWN, since_ns / self._settings.fade_ns)

    def _matched(self, detections: tuple[Detection, ...]) -> list[tuple[int, Track]]:
        """Which track each detection belongs to, as (index of the detection, track)."""
        known = [track for track in self._tracks if track.sightings or track.born_ns is not None]
        costs = [[self._distance(track, found) for found in detections] for track in known]
        return [(column, known[row]) for row, column in assign(costs, _IMPOSSIBLE)]

    def _distance(self, track: Track, found: Detection) -> float:
        """How unlike a track and a detection are, in place and in the pattern of eyes, nose and mouth."""
        expected = track.expected(self._now_ns)
        overlap = max(iou(expected, found.box), iou(track.box, found.box))
        if overlap <= SAME_FACE_IOU:
            return math.inf
        shift = np.array([expected[0] - track.box[0], expected[1] - track.box[1]])
        apart = np.linalg.norm(track.four_points() + shift - found.points, axis=1).mean()
        return 1 - overlap + min(1.0, float(apart) / max(side_of(found.box), 1.0))

    def _strangers(self) -> tuple[Box, ...]:
        followed = [track.box for track in self._tracks]
        unreplaced = self._unreplaced.boxes(followed, self._now_ns)
        unborn = (track.box for track in self._tracks if track.born_ns is None)
        looking_out = self._lookouts.boxes(self._followed(), self._now_ns)
        return (*unreplaced, *unborn, *self._departures.hidden(self._now_ns), *looking_out, *self._adrift)

    def _beat_due(self) -> bool:
        if self._detected_ns is None:
            return True
        since_ns = self._now_ns - self._detected_ns
        if since_ns >= STRANGER_BEAT_NS and self._strangers():
            return True
        if self._glance is not None:
            boxes = [track.box for track in self._tracks]
            if self._arrivals.somebody(self._glance.picture, self._glance.size, boxes, self._now_ns):
                return True
        stable = self._now_ns - self._unsettled_ns >= STABLE_AFTER_NS
        return since_ns >= (self._settings.stable_beat_ns if stable else self._settings.beat_ns)
