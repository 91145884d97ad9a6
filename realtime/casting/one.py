"""One person wears a face: the largest, who keeps it while somebody else is only now and then larger."""

from collections.abc import Sequence

from realtime.boxes import side_of
from realtime.casting.attendance import Attendance
from realtime.casting.parts import Sighting
from realtime.clock import NS_PER_MS, NS_PER_S

__all__ = ["GONE_NS", "LARGER", "LARGER_FOR_NS", "TheOne"]

GONE_NS = 1_500 * NS_PER_MS
"""The one who is not seen for so long has left. Longer than the tracker doubts a face and then knows it again
(`tracking.DOUBT_LASTS_NS` and `departed.REMEMBERED_NS`): whoever comes back by the same number is awaited."""
LARGER = 1.25
"""How many times the wearer's side somebody else's must be to take the face over."""
LARGER_FOR_NS = NS_PER_S
"""And for how long without a break."""


class TheOne:
    """Pure: told who is there and what time it is."""

    def __init__(self) -> None:
        self._attendance = Attendance()
        self._id: int | None = None
        self._seen_ns = 0
        self._rival: int | None = None
        self._rival_since_ns = 0

    def choose(self, faces: Sequence[Sighting], now_ns: int) -> int | None:
        """The id of the one who wears the face; None when nobody does.

        When the one is away, those who were there beside them wait for `GONE_NS`. Who has appeared since
        then does not: it may be the one, whom the tracker knows by a new number.
        """
        self._attendance.note(faces, now_ns)
        one = next((face for face in faces if face.id == self._id), None)
        if one is None:
            self._rival = None
            heirs = [face for face in faces if self._inherits(face.id, now_ns)]
            if heirs:
                self._id, self._seen_ns = _largest(heirs).id, now_ns
            return self._id if heirs else None
        self._seen_ns = now_ns
        largest = _largest(faces)
        if side_of(largest.box) <= LARGER * side_of(one.box):
            self._rival = None
        elif largest.id != self._rival:
            self._rival, self._rival_since_ns = largest.id, now_ns
        elif now_ns - self._rival_since_ns >= LARGER_FOR_NS:
            self._id, self._rival = largest.id, None
        return self._id

    def _inherits(self, number: int, now_ns: int) -> bool:
        if self._id is None or now_ns - self._seen_ns >= GONE_NS:
            return True
        return self._attendance[number].born_ns > self._seen_ns


def _largest(faces: Sequence[Sighting]) -> Sighting:
    return max(faces, key=lambda face: (side_of(face.box), -face.id))
