"""Two people pass each other: whose face is whose, and when nobody can tell.

The landmarker knows no persons: it follows whatever face is in the crop. When one face covers another, both
tracks end up on the one in front. Motion and shape say which of them belongs there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from realtime.boxes import Box, covered_share, iou
from realtime.clock import NS_PER_MS
from realtime.departed import Departed
from realtime.track import State, Track

__all__ = ["Twins", "adrift", "mark_crowds", "occluded", "slipped", "twins", "unmask", "untangle"]

TOUCHING_IOU = 0.02
TWIN_IOU = 0.5
TWIN_APART = 0.15
"""Two tracks that overlap more than this, and whose points lie no farther apart in sides of the face, follow
one face. Two faces of which one half covers the other overlap as much, but their points do not agree."""
ESTABLISHED_NS = 300 * NS_PER_MS
"""A track that has lasted so long is a person; a younger one that meets it is a mistake."""
CLEARLY = 0.2
"""Difference in misfit (`Track.misfit`, about sides of the face) that decides."""
SLIPPED = 0.45
"""Misfit from which a track has lost its face to another that touches it."""
ADRIFT = 0.15
"""Surprise (`Motion.surprise`, sides of the face) from which points may be going over to another face."""
COVERED_SHARE = 0.5
"""A lost face of which another one hides this much is behind it."""


@dataclass(frozen=True, slots=True)
class Twins:
    """Two tracks on one face."""

    stays: Track
    goes: Track
    told: bool
    """Whether it is certain that the face is that of `stays`."""
    hidden: bool
    """Whether `goes` was a person, who must be behind now."""


def mark_crowds(tracks: Sequence[Track], hidden: Sequence[Box]) -> None:
    """Set `crowded` of each track. `hidden`: where faces are expected behind others."""
    for track in tracks:
        track.crowded = any(iou(track.box, box) > TOUCHING_IOU for box in hidden)
    for one, other in combinations(tracks, 2):
        if iou(one.box, other.box) > TOUCHING_IOU:
            one.crowded = other.crowded = True


def untangle(tracks: Sequence[Track], now_ns: int) -> None:
    """Let tracks that have exchanged their faces trade them back."""
    for one, other in combinations(tracks, 2):
        if not (one.crowded and other.crowded and _known(one) and _known(other)):
            continue
        if one.state is State.SEEN and other.state is State.SEEN and not _same_face(one, other):
            straight = one.misfit(one, now_ns) + other.misfit(other, now_ns)
            crossed = one.misfit(other, now_ns) + other.misfit(one, now_ns)
            if crossed + 2 * CLEARLY < straight:
                one.trade_places(other)


def unmask(tracks: Sequence[Track], behind: Sequence[Departed], now_ns: int) -> tuple[Track, Departed] | None:
    """The first track that has slipped onto the face behind its own, and whose face that is."""
    for track in tracks:
        if track.state is not State.SEEN or not track.crowded or not _known(track):
            continue
        own = track.misfit(track, now_ns)
        for gone in behind:
            if track.misfit_of(gone.motion, gone.shape, now_ns) + 2 * CLEARLY < own:
                return track, gone
    return None


def twins(tracks: Sequence[Track], now_ns: int) -> Twins | None:
    """The first two tracks that see one face, if any do."""
    by_age = sorted(tracks, key=lambda track: (track.born_ns is None, track.id))
    for one, other in combinations(by_age, 2):
        if one.state is not State.SEEN or other.state is not State.SEEN:
            continue
        if _same_face(one, other):
            return _settled(one, other, now_ns)
    return None


def slipped(tracks: Sequence[Track], now_ns: int) -> Track | None:
    """The first track whose points are being drawn from its own face, half hidden, to the one in front."""
    for track in tracks:
        if track.state is not State.SEEN or not track.crowded or not _established(track, now_ns):
            continue
        misfit = track.misfit(track, now_ns)
        if misfit > SLIPPED and any(
            iou(track.box, other.box) > TOUCHING_IOU and other.misfit(other, now_ns) + 2 * CLEARLY < misfit
            for other in tracks
            if other is not track and other.state is State.SEEN and _known(other)
        ):
            return track
    return None


def adrift(tracks: Sequence[Track], now_ns: int) -> tuple[Box, ...]:
    """Where faces should be whose points are perhaps being drawn to another one: to be covered."""
    return tuple(
        track.motion.expected(now_ns)
        for track in tracks
        if track.state is State.SEEN
        and track.crowded
        and track.motion is not None
        and track.motion.surprise(track.box, now_ns) > ADRIFT
    )


def occluded(track: Track, tracks: Sequence[Track], now_ns: int) -> bool:
    """Whether a lost face is behind another one that is seen."""
    box = track.expected(now_ns)
    return any(
        other.state is State.SEEN and covered_share(box, other.box) > COVERED_SHARE
        for other in tracks
        if other is not track
    )


def _settled(one: Track, other: Track, now_ns: int) -> Twins:
    persons = [_established(track, now_ns) for track in (one, other)]
    if not all(persons):
        # Not both are people: the older stays, and the other was never anybody.
        stays, goes = (other, one) if persons[1] else (one, other)
        return Twins(stays, goes, True, False)
    first, second = one.misfit(one, now_ns), other.misfit(other, now_ns)
    stays, goes = (one, other) if first <= second else (other, one)
    return Twins(stays, goes, abs(first - second) > CLEARLY, True)


def _same_face(one: Track, other: Track) -> bool:
    return iou(one.box, other.box) > TWIN_IOU and one.points_apart(other) < TWIN_APART


def _known(track: Track) -> bool:
    return track.born_ns is not None


def _established(track: Track, now_ns: int) -> bool:
    return track.born_ns is not None and now_ns - track.born_ns >= ESTABLISHED_NS
