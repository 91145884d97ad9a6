"""Who a tracked face is: a look of the recogniser at the face that the casting wants to know of.

At most one look a frame, and only at a face that tells something: well seen, large enough, not turned away.
"""

import logging
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.head_pose import head_pose
from models.landmarker import five_points
from realtime.boxes import side_of
from realtime.casting.cast import Casting
from realtime.casting.parts import Decision, Part, Sighting
from realtime.clock import Clock
from realtime.frame import Face, Frame
from realtime.telemetry.histogram import Histogram

__all__ = ["Identification", "Recogniser", "tells_something"]

LEAST_SCORE = 0.8
LEAST_SIDE_PX = 40.0
"""To MobileFaceNet, faces of four people 33 px wide, about 40 high, are 0.71 or more like themselves (95 %)
and 0.30 at most like each other; 46 to 185 px wide, 0.76 and 0.27: a hundred looks at each size."""
TURNED_DEGREES = 35.0
NODDED_DEGREES = 30.0
"""Recognisers are trained on crops by five points, which say little of a face turned further."""

_log = logging.getLogger(__name__)


class Recogniser(Protocol):
    """Tells faces apart: `models.embedder.FaceEmbedder`."""

    def embed(self, bgr: NDArray[np.uint8], points: NDArray[np.float32]) -> NDArray[np.float32]: ...

    def close(self) -> None: ...


class Identification:
    """Belongs to one thread, that of the frames."""

    def __init__(
        self, casting: Casting, recogniser: Recogniser | None, clock: Clock, spent: Histogram
    ) -> None:
        """`recogniser`: None where the casting asks for nobody. `spent`: the stage "identify"; each look adds
        its nanoseconds."""
        self._casting = casting
        self._recogniser = recogniser
        self._clock = clock
        self._spent = spent
        self._told = False

    def cast(self, frame: Frame, faces: Sequence[Face]) -> dict[int, Part]:
        """What becomes of each tracked face of the frame, by id. To be called for each frame, shown or not.

        One face may be looked at, for the frames to come. Raises BackendError when the recogniser fails.
        """
        now_ns = frame.captured_ns
        decision = self._casting.decide([Sighting(face.id, face.box) for face in faces], now_ns)
        if decision.wanted and self._recogniser is not None:
            self._look(self._recogniser, frame.bgr, faces, decision, now_ns)
        return decision.parts

    def close(self) -> None:
        """Free the inference context. Idempotent, never raises."""
        if self._recogniser is not None:
            self._recogniser.close()

    def _look(
        self,
        recogniser: Recogniser,
        bgr: NDArray[np.uint8],
        faces: Sequence[Face],
        decision: Decision,
        now_ns: int,
    ) -> None:
        by_id = {face.id: face for face in faces}
        for number in decision.wanted:
            face = by_id[number]
            if not tells_something(face, bgr.shape[1], bgr.shape[0]):
                continue
            began_ns = self._clock.now_ns()
            embedding = recogniser.embed(bgr, face.points)
            self._spent.add(self._clock.now_ns() - began_ns)
            if not np.isfinite(embedding).all() and not self._told:
                self._told = True
                _log.warning("the recogniser gives no numbers: nobody it is asked for can be told")
            self._casting.learn(number, embedding, now_ns)
            return


def tells_something(face: Face, width: int, height: int) -> bool:
    """Whether a recogniser can tell whose face it is: in a frame of that size, turned little."""
    if not face.score >= LEAST_SCORE or side_of(face.box) < LEAST_SIDE_PX:
        return False
    five = five_points(face.points)
    if not ((five >= 0) & (five < (width, height))).all():
        return False
    pose = head_pose(face.points)
    return abs(pose.yaw) <= TURNED_DEGREES and abs(pose.pitch) <= NODDED_DEGREES
