from hypothesis import given
from hypothesis import strategies as st

from realtime.capture.pacing import EARLY_AT_MOST_NS, LATE_AT_MOST_NS, Pacing
from realtime.clock import NS_PER_MS, NS_PER_S

PERIOD_NS = 40 * NS_PER_MS


def test_the_first_picture_is_due_at_once_whatever_its_media_time() -> None:
    assert Pacing().due_ns(7 * NS_PER_S, 0, 1000) == 1000


@given(st.lists(st.integers(0, 2 * NS_PER_S), min_size=1), st.integers(0, NS_PER_S))
def test_pictures_are_as_far_apart_on_the_clock_as_in_the_media(gaps_ns: list[int], start_ns: int) -> None:
    pacing, now_ns, media_ns = Pacing(), start_ns, 0
    pacing.due_ns(0, 0, now_ns)
    for gap_ns in gaps_ns:
        media_ns += gap_ns
        now_ns = pacing.due_ns(media_ns, 0, now_ns)
        assert now_ns == start_ns + media_ns


def test_a_little_late_catches_up() -> None:
    pacing = Pacing()
    pacing.due_ns(0, 0, 0)
    assert pacing.due_ns(PERIOD_NS, 0, LATE_AT_MOST_NS) == PERIOD_NS


def test_more_than_a_second_late_goes_on_from_here() -> None:
    pacing = Pacing()
    pacing.due_ns(0, 0, 0)
    late_ns = PERIOD_NS + LATE_AT_MOST_NS + 1
    assert pacing.due_ns(PERIOD_NS, 0, late_ns) == late_ns
    assert pacing.due_ns(2 * PERIOD_NS, 0, late_ns) == late_ns + PERIOD_NS


def test_a_loop_that_goes_on_in_media_time_keeps_its_beat() -> None:
    pacing = Pacing()
    pacing.due_ns(0, 0, 0)
    assert pacing.due_ns(PERIOD_NS, 1, 5 * NS_PER_MS) == PERIOD_NS


def test_an_epoch_that_jumps_ahead_is_shown_at_once() -> None:
    pacing = Pacing()
    pacing.due_ns(0, 0, 0)
    far_ns = EARLY_AT_MOST_NS + NS_PER_S
    assert pacing.due_ns(far_ns, 1, 0) == 0
    assert pacing.due_ns(far_ns + PERIOD_NS, 1, 0) == PERIOD_NS


def test_an_epoch_that_jumps_back_is_shown_at_once() -> None:
    pacing = Pacing()
    pacing.due_ns(10 * NS_PER_S, 0, 0)
    assert pacing.due_ns(0, 1, PERIOD_NS) == PERIOD_NS


@given(
    st.lists(
        st.tuples(st.integers(0, 20 * NS_PER_S), st.integers(0, 3), st.integers(0, 5 * NS_PER_S)), max_size=30
    )
)
def test_nothing_is_ever_later_than_a_second(steps: list[tuple[int, int, int]]) -> None:
    pacing, now_ns = Pacing(), 0
    for media_ns, epoch, passed_ns in steps:
        now_ns += passed_ns
        assert pacing.due_ns(media_ns, epoch, now_ns) >= now_ns - LATE_AT_MOST_NS
