"""Faces that the detector sees and nothing else follows: to be covered wherever they may be."""

from collections.abc import Sequence

from models.detection import Detection
from realtime.boxes import Box, iou
from realtime.clock import NS_PER_MS

__all__ = ["Strangers"]

SCORE = 0.6
"""The detector's score from which a face that no landmarks fit is covered; who is covered stays so at any."""
MISSED_NS = 600 * NS_PER_MS
"""A stranger whom the detector does not see any more is covered for so long: it misses small faces."""
SAME_FACE_IOU = 0.25


class Strangers:
    """Pure: told what the detector found and who is followed."""

    def __init__(self) -> None:
        self._known: list[tuple[Box, int]] = []
        """Where, and when last seen."""

    def clear(self) -> None:
        self._known.clear()

    def admit(self, detections: Sequence[Detection], now_ns: int) -> None:
        """Take a look of the detector: all faces, followed or not."""
        known = [box for box, seen_ns in self._known if now_ns - seen_ns < MISSED_NS]
        found = [(one.box, now_ns) for one in detections if one.score >= SCORE or _any_over(known, one.box)]
        seen = [one.box for one in detections]
        missed = [
            (box, seen_ns)
            for box, seen_ns in self._known
            if now_ns - seen_ns < MISSED_NS and not _any_over(seen, box)
        ]
        self._known = found + missed

    def boxes(self, followed: Sequence[Box], now_ns: int) -> tuple[Box, ...]:
        """Where strangers are. `followed`: the faces that are not; where one of them is, nobody else is."""
        self._known = [
            (box, seen_ns)
            for box, seen_ns in self._known
            if now_ns - seen_ns < MISSED_NS and not _any_over(followed, box)
        ]
        return tuple(box for box, _ in self._known)


def _any_over(boxes: Sequence[Box], box: Box) -> bool:
    return any(iou(other, box) > SAME_FACE_IOU for other in boxes)
