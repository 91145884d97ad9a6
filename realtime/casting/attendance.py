"""Who is there, since when, and who was there a moment ago."""

from collections.abc import Sequence
from dataclasses import dataclass

from realtime.casting.parts import Sighting
from realtime.clock import NS_PER_S

__all__ = ["FORGOTTEN_NS", "Attendance", "Attendant"]

FORGOTTEN_NS = 5 * NS_PER_S
"""Who was not seen for so long is forgotten. The tracker gives nobody the same number again after 4.3 s
(`departed.HIDDEN_AT_MOST_NS`, `departed.REMEMBERED_NS` and `tracking.DOUBT_LASTS_NS`)."""


@dataclass(slots=True)
class Attendant:
    """One person, by the number of the track."""

    born_ns: int
    """When first seen."""
    seen_ns: int
    """When last seen."""
    away_ns: int = 0
    """When last seen after frames without them: how long they had been away. Otherwise 0."""


class Attendance:
    """Pure: told of each frame."""

    def __init__(self) -> None:
        self._known: dict[int, Attendant] = {}
        self._frame_ns = 0

    def note(self, faces: Sequence[Sighting], now_ns: int) -> bool:
        """Take who is in a frame; True when somebody is there for the first time."""
        newborn = False
        for face in faces:
            known = self._known.get(face.id)
            if known is None:
                newborn = True
                self._known[face.id] = Attendant(now_ns, now_ns)
            else:
                missed = known.seen_ns != self._frame_ns
                known.away_ns, known.seen_ns = (now_ns - known.seen_ns) * missed, now_ns
        self._frame_ns = now_ns
        gone = [number for number, one in self._known.items() if now_ns - one.seen_ns >= FORGOTTEN_NS]
        for number in gone:
            del self._known[number]
        return newborn

    def __getitem__(self, number: int) -> Attendant:
        return self._known[number]

    def __contains__(self, number: int) -> bool:
        return number in self._known

    def __len__(self) -> int:
        return len(self._known)
