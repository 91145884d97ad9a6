"""A file through the pipeline: every frame, in order, as fast as it goes.

The same promises as live: a frame whose face could not be replaced is not written as it is. Time is the
clip's own, so that `hold` holds for half a second of the clip.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from realtime.errors import RealtimeError
from realtime.fallback import fall_back
from realtime.fault import FaultGate, Reason
from realtime.frame import Frame, Outcome, Picture
from realtime.pipeline import Pipeline
from realtime.publisher import Publisher

__all__ = ["Conversion", "MediaClock", "OnePicture"]


class MediaClock:
    """What the publisher takes for the time: the present frame's place in the clip."""

    def __init__(self) -> None:
        self.media_ns = 0

    def now_ns(self) -> int:
        return self.media_ns


class OnePicture:
    """The publisher's output here: keeps the picture last published."""

    def __init__(self) -> None:
        self.picture: Picture | None = None

    def offer(self, value: Picture) -> None:
        self.picture = value


@dataclass(slots=True)
class Conversion:
    """Turns frames into pictures, one for one."""

    pipeline: Pipeline
    publisher: Publisher
    shown: OnePicture
    """What `publisher` offers to."""
    clock: MediaClock
    """The clock of `publisher`."""
    gate: FaultGate
    outcomes: dict[Outcome, int] = field(default_factory=lambda: dict.fromkeys(Outcome, 0))

    def pictures(self, frames: Iterable[Frame]) -> Iterator[Picture]:
        """A picture for each frame, with the frame's own time: swapped, held, or what the gate says."""
        for frame in frames:
            self.clock.media_ns = frame.captured_ns
            self._one(frame)
            picture = self.shown.picture
            assert picture is not None, "the first frame was published: with nothing to hold, a card is"
            yield Picture(picture.number, frame.captured_ns, picture.bgr, picture.kind)

    def _one(self, frame: Frame) -> None:
        now_ns = frame.captured_ns
        reason = Reason.NO_FACE
        try:
            result = self.pipeline.process(frame)
        except RealtimeError:
            if self.outcomes[Outcome.SWAPPED] == 0:
                raise
            reason = Reason.WORKER
        else:
            if result.outcome is Outcome.SWAPPED:
                self.gate.good(now_ns)
                self.outcomes[Outcome.SWAPPED] += 1
                self.publisher.swapped(result)
                return
            if result.refused:
                reason = Reason.REFUSED
        self.outcomes[fall_back(self.gate, self.publisher, frame, reason, now_ns)] += 1
