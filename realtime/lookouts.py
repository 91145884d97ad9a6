"""Where somebody who is behind another face may look out: covered beside that face until it is clear.

A detector wants more than half of a face, and which way who is hidden goes on is not known: the points of
a half-hidden face have been drawn to the one in front before it was lost. So both sides are covered, and the
space above, for a while. After that one place a frame is looked at with the landmarker, which knows half a
face well, and a place where it finds one is covered as long as it does.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from models.landmarker import CROP_MARGIN, CropRegion, Landmarks
from realtime.boxes import Box, box_of, iou, side_of
from realtime.clock import NS_PER_MS, NS_PER_S

__all__ = ["Lookouts"]

BLANKET_NS = 3 * NS_PER_S
"""How long every side is covered after a face went behind another, found or not."""
WATCHED_NS = 10 * NS_PER_S
"""How long the places are looked at after that face was last seen, or found looking out."""
FOUND_NS = 400 * NS_PER_MS
"""A place where a face looked out stays covered so long: each place comes up every few frames only."""
SETTLED_NS = NS_PER_S
"""Somebody new who has been followed so long beside the front one is who was hidden."""
FRONT_LOST_NS = 300 * NS_PER_MS
"""Without the front one there is nothing to be behind: as long as a face is doubted."""
PRESENCE = 0.9
"""Of the landmarks that make a face of a place. On a face half to two thirds of which are to be seen it is
1.0 with the crop on its middle, 0.9 mostly and 0.46 at worst with the crop 0.3 of a side outward (two
scenes). Beside people whom nobody is near it was so in 1 of 1325 looks at `OUTWARD` (six clips)."""
OUTWARD = 0.6
"""From the front face's edge to the middle of the place, in sides of the hidden face: nearer, the landmarker
takes half of the front one's own head for a face: in every tenth look at 0.5, nearly always at 0.3."""
NEAR, FAR = 0.19, 0.75
"""From the front face's edge to where a cover begins and ends, in sides of the hidden face: the margin that
`cover` adds brings the one to the edge and the other to a whole face, which the detector sees."""
HEAD = 0.5
"""How far hair and shoulders may hide another face, in sides of the face in front."""
ALIKE = 1.6
"""Two faces of one person are not more than so many times as large as each other."""
SAME_FACE_IOU = 0.25


@dataclass(slots=True)
class _Lookout:
    front: Box
    """The face in front, as last seen."""
    hidden: Box
    """Of the face behind it, where it was last seen: its size, and its height in the picture."""
    since_ns: int
    watched_ns: int
    front_ns: int
    """When the front one was last seen."""
    found: dict[int, tuple[Box, int]] = field(default_factory=dict)
    """For each place by its number where a face looked out: where that was, and when."""

    def places(self) -> tuple[Box, ...]:
        """Left, right and above: boxes between `NEAR` and `FAR`."""
        x0, y0, x1, y1 = self.front
        wide, tall = self.hidden[2] - self.hidden[0], self.hidden[3] - self.hidden[1]
        top, bottom = min(y0, self.hidden[1]), max(y1, self.hidden[3])
        return (
            (x0 - FAR * wide, top, x0 - NEAR * wide, bottom),
            (x1 + NEAR * wide, top, x1 + FAR * wide, bottom),
            (x0, y0 - FAR * tall, x1, y0 - NEAR * tall),
        )

    def reach(self) -> Box:
        left, right, above = self.places()
        return left[0], above[1], right[2], max(left[3], right[3])

    def regions(self) -> tuple[CropRegion, ...]:
        x0, y0, x1, _ = self.front
        wide, tall = self.hidden[2] - self.hidden[0], self.hidden[3] - self.hidden[1]
        side, level = CROP_MARGIN * side_of(self.hidden), (self.hidden[1] + self.hidden[3]) / 2
        middles = (
            (x0 - OUTWARD * wide, level),
            (x1 + OUTWARD * wide, level),
            ((x0 + x1) / 2, y0 - OUTWARD * tall),
        )
        return tuple(CropRegion(middle, side, 0.0) for middle in middles)


class Lookouts:
    """Pure: told who is seen, who went behind whom, and what the landmarker found."""

    def __init__(self) -> None:
        self._all: list[_Lookout] = []
        self._turn = 0

    def clear(self) -> None:
        self._all.clear()

    def hide(self, hidden: Box, faces: Sequence[Box], now_ns: int) -> None:
        """Somebody whose face was in `hidden` is behind the nearest of `faces`, if there are any."""
        if not faces:
            return
        front = min(faces, key=lambda face: _apart(face, hidden))
        for known in self._all:
            # The same one again, or another who is behind the same face: the same places.
            if iou(known.front, front) > SAME_FACE_IOU and _alike(known.hidden, hidden):
                known.since_ns, known.watched_ns = now_ns, now_ns
                known.hidden = hidden
                return
        self._all.append(_Lookout(front, hidden, now_ns, now_ns, now_ns))

    def lose(self, lost: Box, faces: Sequence[Box], now_ns: int) -> None:
        """A face that was in `lost` is found gone: behind the head of one of `faces`, if one is near."""
        self.hide(lost, [face for face in faces if _gap(face, lost) < HEAD * side_of(face)], now_ns)

    def follow(self, faces: Sequence[tuple[Box, int]], now_ns: int) -> None:
        """`faces`: box of each face in this frame that is followed, and since when it has been."""
        kept = []
        for one in self._all:
            known = [(iou(one.front, box), box, since_ns) for box, since_ns in faces]
            overlap, box, _ = max(known, default=(0.0, one.front, 0))
            if overlap > SAME_FACE_IOU:
                one.front, one.front_ns = box, now_ns
            came = [
                since_ns
                for _, other, since_ns in known
                if other != one.front and self._may_be(one, other) and since_ns >= one.since_ns
            ]
            settled = any(now_ns - since_ns >= SETTLED_NS for since_ns in came)
            there = now_ns - one.front_ns < FRONT_LOST_NS
            if there and not settled and now_ns - one.watched_ns < WATCHED_NS:
                kept.append(one)
        self._all = kept

    def probe(self) -> CropRegion | None:
        """The place to look at in this frame, if somebody is behind a face."""
        regions = [region for one in self._all for region in one.regions()]
        return regions[self._turn % len(regions)] if regions else None

    def take(self, found: Landmarks, faces: Sequence[Box], now_ns: int) -> bool:
        """What the landmarker found at `probe`; True when that is a face which is not among `faces`."""
        places = [(one, number) for one in self._all for number in range(len(one.places()))]
        if not places:
            return False
        one, number = places[self._turn % len(places)]
        self._turn += 1
        if not self._strange(found, one, faces):
            return False
        one.found[number] = box_of(found.points), now_ns
        one.watched_ns = now_ns
        return True

    def _strange(self, found: Landmarks, one: _Lookout, faces: Sequence[Box]) -> bool:
        box = box_of(found.points)
        if found.score < PRESENCE or not _alike(box, one.hidden):
            return False
        return not any(iou(box, face) > SAME_FACE_IOU for face in faces)

    def boxes(self, faces: Sequence[tuple[Box, int]], now_ns: int) -> tuple[Box, ...]:
        """To be covered. `faces` as in `follow`: who was born beside the front one may be who was hidden."""
        boxes: list[Box] = []
        for one in self._all:
            if any(
                box != one.front and since_ns >= one.since_ns and self._may_be(one, box)
                for box, since_ns in faces
            ):
                continue
            blanket = now_ns - one.since_ns < BLANKET_NS
            for number, place in enumerate(one.places()):
                found = one.found.get(number)
                fresh = found is not None and now_ns - found[1] < FOUND_NS
                if blanket or fresh:
                    boxes.append(place)
                if found is not None and fresh:
                    boxes.append(found[0])
        return tuple(boxes)

    def _may_be(self, one: _Lookout, box: Box) -> bool:
        """Whether the face in `box` may be the hidden one, by its place and its size."""
        x0, y0, x1, y1 = one.reach()
        side = side_of(one.hidden)
        x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        inside = x0 - side < x < x1 + side and y0 - side < y < y1 + side
        return inside and _alike(box, one.hidden)


def _apart(one: Box, other: Box) -> float:
    return abs(one[0] + one[2] - other[0] - other[2]) + abs(one[1] + one[3] - other[1] - other[3])


def _gap(one: Box, other: Box) -> float:
    """Pixels between two boxes, along the axis in which they are farther apart; below 0 if they touch."""
    across = max(one[0], other[0]) - min(one[2], other[2])
    return max(across, max(one[1], other[1]) - min(one[3], other[3]))


def _alike(one: Box, other: Box) -> bool:
    small, large = sorted((side_of(one), side_of(other)))
    return large <= ALIKE * small
