from hypothesis import given
from hypothesis import strategies as st

from realtime.clock import NS_PER_MS
from realtime.fault import CARD_REFRESH_NS, FaultGate, FaultPolicy, Reason, Show

HOLD_NS = 500 * NS_PER_MS

events = st.lists(st.tuples(st.sampled_from(["good", "bad", "none"]), st.integers(0, 400)), max_size=80)


def test_hold_keeps_the_last_picture_then_shows_a_card() -> None:
    gate = FaultGate(FaultPolicy.HOLD, HOLD_NS)
    gate.good(0)
    assert gate.bad_frame(Reason.NO_FACE, HOLD_NS - 1) is Show.NOTHING
    assert gate.holding(HOLD_NS - 1)
    assert gate.bad_frame(Reason.NO_FACE, HOLD_NS) is Show.CARD
    assert not gate.holding(HOLD_NS)


def test_with_no_good_picture_yet_there_is_nothing_to_hold() -> None:
    assert FaultGate(FaultPolicy.HOLD, HOLD_NS).bad_frame(Reason.NO_FACE, 1) is Show.CARD


def test_card_shows_it_at_once() -> None:
    gate = FaultGate(FaultPolicy.CARD, HOLD_NS)
    gate.good(0)
    assert gate.bad_frame(Reason.WORKER, 1) is Show.CARD


def test_a_standing_card_is_shown_again_now_and_then_and_when_its_reason_changes() -> None:
    gate = FaultGate(FaultPolicy.CARD, HOLD_NS)
    assert gate.no_frame(Reason.SILENT, 0) is Show.CARD
    assert gate.no_frame(Reason.SILENT, CARD_REFRESH_NS - 1) is Show.NOTHING
    assert gate.no_frame(Reason.SILENT, CARD_REFRESH_NS) is Show.CARD
    assert gate.no_frame(Reason.LOST, CARD_REFRESH_NS + 1) is Show.CARD


def test_blur_and_raw_need_a_frame_and_hold_without_one() -> None:
    for policy, show in ((FaultPolicy.BLUR, Show.BLUR), (FaultPolicy.RAW, Show.RAW)):
        gate = FaultGate(policy, HOLD_NS)
        gate.good(0)
        assert gate.bad_frame(Reason.NO_FACE, 1) is show
        assert gate.no_frame(Reason.SILENT, 1) is Show.NOTHING
        assert gate.no_frame(Reason.SILENT, HOLD_NS) is Show.CARD


@given(st.sampled_from(list(FaultPolicy)), events)
def test_the_frame_itself_is_shown_only_to_who_chose_so(
    policy: FaultPolicy, script: list[tuple[str, int]]
) -> None:
    gate = FaultGate(policy, HOLD_NS)
    now_ns = 0
    for event, wait_ms in script:
        now_ns += wait_ms * NS_PER_MS
        if event == "good":
            gate.good(now_ns)
            continue
        show = (gate.bad_frame if event == "bad" else gate.no_frame)(Reason.NO_FACE, now_ns)
        assert show is not Show.RAW or policy is FaultPolicy.RAW
        assert show is not Show.BLUR or policy is FaultPolicy.BLUR
        assert event == "bad" or show in {Show.NOTHING, Show.CARD}


@given(events)
def test_the_held_picture_never_outlives_its_time(script: list[tuple[str, int]]) -> None:
    gate = FaultGate(FaultPolicy.HOLD, HOLD_NS)
    now_ns, good_ns, carded_ns = 0, None, None
    for event, wait_ms in script:
        now_ns += wait_ms * NS_PER_MS
        if event == "good":
            gate.good(now_ns)
            good_ns, carded_ns = now_ns, None
            continue
        if gate.bad_frame(Reason.NO_FACE, now_ns) is Show.CARD:
            carded_ns = now_ns
        assert carded_ns is not None or (good_ns is not None and now_ns - good_ns < HOLD_NS)
