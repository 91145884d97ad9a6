"""What becomes of a frame that has no swapped picture: the one place where live and conversion decide it."""

from typing import Protocol

from realtime.fault import FaultGate, Reason, Show
from realtime.frame import Frame, Outcome, Result

__all__ = ["Shown", "fall_back", "show"]


class Shown(Protocol):
    """The way to the outputs: `Publisher`."""

    def swapped(self, result: Result) -> None: ...

    def card(self, title: str, detail: str = "") -> None: ...

    def veiled(self, frame: Frame) -> None: ...

    def raw(self, frame: Frame) -> None: ...


def fall_back(gate: FaultGate, shown: Shown, frame: Frame, reason: Reason, now_ns: int) -> Outcome:
    """Publish what the gate says in place of `frame`; returns what the frame counts as."""
    if gate.holding(now_ns):
        outcome = Outcome.HELD
    else:
        outcome = Outcome.NO_FACE if reason is Reason.NO_FACE else Outcome.FAULT
    show(gate.bad_frame(reason, now_ns), shown, reason, frame)
    return outcome


def show(what: Show, shown: Shown, reason: Reason, frame: Frame | None = None) -> None:
    """Publish `what`. A veil or the frame itself needs the frame; without one nothing is published."""
    if what is Show.CARD:
        shown.card(reason.value)
    elif what is Show.BLUR and frame is not None:
        shown.veiled(frame)
    elif what is Show.RAW and frame is not None:
        shown.raw(frame)
