import pytest

from realtime.clock import NS_PER_MS
from realtime.fallback import fall_back, show
from realtime.fault import FaultGate, FaultPolicy, Reason, Show
from realtime.frame import Frame, Outcome, Result
from tests.fakes.frames import secret_frame

FRAME = secret_frame(0, 0)


class Outputs:
    def __init__(self) -> None:
        self.calls: list[tuple[str, object]] = []

    def swapped(self, result: Result) -> None:
        self.calls.append(("swapped", result))

    def card(self, title: str, detail: str = "") -> None:
        self.calls.append(("card", title))

    def veiled(self, frame: Frame) -> None:
        self.calls.append(("veiled", frame))

    def raw(self, frame: Frame) -> None:
        self.calls.append(("raw", frame))


@pytest.mark.parametrize(
    ("policy", "reason", "outcome", "call"),
    [
        (FaultPolicy.HOLD, Reason.NO_FACE, Outcome.NO_FACE, ("card", "No face in the picture")),
        (FaultPolicy.CARD, Reason.WORKER, Outcome.FAULT, ("card", "The swap failed")),
        (FaultPolicy.BLUR, Reason.NO_FACE, Outcome.NO_FACE, ("veiled", FRAME)),
        (FaultPolicy.RAW, Reason.WORKER, Outcome.FAULT, ("raw", FRAME)),
    ],
)
def test_each_policy_publishes_its_own_and_the_frame_is_counted(
    policy: FaultPolicy, reason: Reason, outcome: Outcome, call: tuple[str, object]
) -> None:
    outputs = Outputs()
    assert fall_back(FaultGate(policy), outputs, FRAME, reason, 0) is outcome
    assert outputs.calls == [call]


def test_what_is_held_is_counted_as_held_and_publishes_nothing() -> None:
    gate, outputs = FaultGate(FaultPolicy.HOLD, 500 * NS_PER_MS), Outputs()
    gate.good(0)
    assert fall_back(gate, outputs, FRAME, Reason.NO_FACE, 499 * NS_PER_MS) is Outcome.HELD
    assert outputs.calls == []


@pytest.mark.parametrize("what", [Show.BLUR, Show.RAW, Show.NOTHING])
def test_without_a_frame_only_a_card_can_be_shown(what: Show) -> None:
    outputs = Outputs()
    show(what, outputs, Reason.SILENT)
    assert outputs.calls == []
