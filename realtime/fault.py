"""What the outputs show when there is no swapped picture to show.

The rule is fail closed: unless the user chose RAW, no pixel of the frame that could show the bare
face is published. BLUR publishes a frame reduced to so few cells that no face can be made out
(`realtime.veil`).
"""

from dataclasses import dataclass
from enum import StrEnum

from realtime.clock import NS_PER_MS, NS_PER_S

__all__ = ["FaultGate", "FaultPolicy", "Reason", "Show"]

CARD_REFRESH_NS = NS_PER_S // 2
"""A standing card is published again this often, so that an output that came late gets it too."""


class FaultPolicy(StrEnum):
    """HOLD shows the last good picture for a while, then a card; CARD the card at once;
    BLUR the frame as a veil of colours; RAW the frame itself."""

    HOLD = "hold"
    CARD = "card"
    BLUR = "blur"
    RAW = "raw"


class Reason(StrEnum):
    """Why there is no swapped picture; the value is the card's title."""

    STARTING = "Starting"
    NO_FACE = "No face in the picture"
    REFUSED = "The face cannot be replaced"
    WORKER = "The swap failed"
    LATE = "The picture came too late"
    SILENT = "The camera is silent"
    LOST = "The camera is gone"


class Show(StrEnum):
    """What to publish now. NOTHING leaves the outputs with what they have."""

    NOTHING = "nothing"
    CARD = "card"
    BLUR = "blur"
    RAW = "raw"


@dataclass(frozen=True, slots=True)
class _Card:
    reason: Reason
    shown_ns: int


class FaultGate:
    """Pure: told of good pictures, bad frames and silence with the time of each, says what to show."""

    def __init__(self, policy: FaultPolicy, hold_ns: int = 500 * NS_PER_MS) -> None:
        self._policy = policy
        self._hold_ns = hold_ns
        self._good_ns: int | None = None
        self._card: _Card | None = None

    @property
    def policy(self) -> FaultPolicy:
        return self._policy

    @property
    def hold_ns(self) -> int:
        """For how long after the last good picture HOLD keeps it; also how old a picture may be at all."""
        return self._hold_ns

    def good(self, now_ns: int) -> None:
        """A swapped picture is published now."""
        self._good_ns = now_ns
        self._card = None

    def holding(self, now_ns: int) -> bool:
        """Whether the outputs still show the last good picture on purpose."""
        return (
            self._policy is not FaultPolicy.CARD
            and self._good_ns is not None
            and now_ns - self._good_ns < self._hold_ns
        )

    def bad_frame(self, reason: Reason, now_ns: int) -> Show:
        """A frame came that has no swapped picture; the frame itself is at hand."""
        if self._policy is FaultPolicy.BLUR:
            return Show.BLUR
        if self._policy is FaultPolicy.RAW:
            return Show.RAW
        return self.no_frame(reason, now_ns)

    def no_frame(self, reason: Reason, now_ns: int) -> Show:
        """There is nothing new and no frame at hand: the camera is silent or the worker hangs."""
        if self.holding(now_ns):
            return Show.NOTHING
        card = self._card
        if card and card.reason is reason and now_ns - card.shown_ns < CARD_REFRESH_NS:
            return Show.NOTHING
        self._card = _Card(reason, now_ns)
        return Show.CARD
