"""Faces given to people by where they stand: the first to the leftmost.

Where somebody stands counts while they are new; whoever has a face then keeps it, though people change
places. People are found one after the other within a second, so the first of them may be given another face
when somebody appears at their left soon afterwards.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from realtime.casting.attendance import Attendance
from realtime.casting.parts import Sighting
from realtime.clock import NS_PER_S

__all__ = ["FREE_TO_ALL_NS", "NEW_NS", "LeftToRight"]

NEW_NS = NS_PER_S
"""How long somebody is new. The detector looks for faces every 0.57 s at the least."""
FREE_TO_ALL_NS = 3 * NS_PER_S
"""A face whose wearer was not seen for so long goes to somebody who was there without one. Who has appeared
since the wearer left gets it at once: it may be the wearer, whom the tracker knows by a new number."""


@dataclass(slots=True)
class _Wearer:
    id: int
    seen_ns: int


class LeftToRight:
    """Pure: told who is there and what time it is."""

    def __init__(self, count: int) -> None:
        """`count`: faces to give, 1 or more."""
        self._attendance = Attendance()
        self._wearers: list[_Wearer | None] = [None] * count
        """Who wears each face, or wore it last."""

    def give(self, faces: Sequence[Sighting], now_ns: int) -> dict[int, int]:
        """Id to index of the face worn, for those who wear one."""
        newborn = self._attendance.note(faces, now_ns)
        here = sorted(faces, key=lambda face: (face.box[0] + face.box[2], face.id))
        if newborn:
            # Where somebody stands among the others shows only now: all who are new are placed again.
            new = {face.id for face in here if now_ns - self._attendance[face.id].born_ns < NEW_NS}
            self._wearers = [None if one is not None and one.id in new else one for one in self._wearers]
        places = {face.id: place for place, face in enumerate(here)}
        worn = {}
        for face in here:
            index = self._worn_by(face.id)
            if index is None:
                index = self._free(face.id, places, now_ns)
            if index is not None:
                self._wearers[index] = _Wearer(face.id, now_ns)
                worn[face.id] = index
        return worn

    def _worn_by(self, number: int) -> int | None:
        return next((index for index, one in enumerate(self._wearers) if one and one.id == number), None)

    def _free(self, number: int, places: Mapping[int, int], now_ns: int) -> int | None:
        """The free face that goes best with where the others stand, if there is one for this person."""
        born_ns = self._attendance[number].born_ns
        free = [
            index
            for index, one in enumerate(self._wearers)
            if one is None
            or (one.id not in places and (born_ns > one.seen_ns or now_ns - one.seen_ns >= FREE_TO_ALL_NS))
        ]
        return min(free, key=lambda index: (self._crossed(number, index, places), index), default=None)

    def _crossed(self, number: int, index: int, places: Mapping[int, int]) -> int:
        """How many of those who wear a face would be on the wrong side of `number` with that face."""
        return sum(
            (places[one.id] < places[number]) != (other < index)
            for other, one in enumerate(self._wearers)
            if one is not None and one.id in places
        )
