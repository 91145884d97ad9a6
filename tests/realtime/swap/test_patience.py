from hypothesis import given
from hypothesis import strategies as st

from realtime.clock import NS_PER_MS, NS_PER_S
from realtime.swap.patience import FORGOTTEN_NS, REMEMBERED, Late, Patience

FRAME_NS = NS_PER_S // 30
HOLD_NS = 500 * NS_PER_MS


def settled(took_ms: float, late: Late = Late.AUTO, interval_ns: int = FRAME_NS) -> Patience:
    """One that has seen many frames so far apart, and many jobs of that length."""
    patience = Patience(late, HOLD_NS)
    for seq in range(100):
        patience.wait_ns(seq, seq * interval_ns, seq * interval_ns)
        patience.took(int(took_ms * NS_PER_MS))
    return patience


def waits(patience: Patience, spent_ms: float = 3, seq: int = 100, interval_ns: int = FRAME_NS) -> int:
    return patience.wait_ns(seq, seq * interval_ns, seq * interval_ns + int(spent_ms * NS_PER_MS))


def test_the_first_frame_waits_for_its_faces_because_there_are_none_older() -> None:
    assert Patience(hold_ns=HOLD_NS).wait_ns(0, 0, 0) == HOLD_NS


def test_a_job_that_fits_into_the_frame_is_waited_for() -> None:
    patience = settled(15)
    assert waits(patience) >= 15 * NS_PER_MS
    assert patience.in_step


def test_a_job_slower_than_the_camera_is_not() -> None:
    patience = settled(200)
    assert waits(patience) == 0
    assert not patience.in_step


def test_the_same_job_is_waited_for_at_a_lower_rate_of_the_camera() -> None:
    assert waits(settled(60)) == 0
    slow_ns = NS_PER_S // 12
    assert waits(settled(60, interval_ns=slow_ns), interval_ns=slow_ns) >= 60 * NS_PER_MS


def test_never_late_waits_for_any_job() -> None:
    assert waits(settled(200, Late.NEVER)) == HOLD_NS


def test_always_late_waits_for_none() -> None:
    patience = settled(1, Late.ALWAYS)
    assert waits(patience) == 0
    assert not patience.in_step


def test_one_slow_job_changes_nothing() -> None:
    patience = settled(15)
    patience.took(NS_PER_S)
    assert 0 < waits(patience) < 40 * NS_PER_MS


def test_a_job_at_the_limit_does_not_make_it_waver() -> None:
    patience = settled(10)
    room_ms = waits(patience, spent_ms=0) / NS_PER_MS
    states = []
    for number in range(100, 160):
        patience.took(int(room_ms * (1.05 if number % 2 else 0.95) * NS_PER_MS))
        states.append(waits(patience, 0, number) > 0)
    assert len(set(states)) == 1


def test_it_waits_again_once_jobs_are_quick_again() -> None:
    patience = settled(200)
    for _ in range(REMEMBERED):
        patience.took(10 * NS_PER_MS)
    assert waits(patience) > 0


def test_a_pause_of_the_camera_is_no_slower_camera() -> None:
    patience = settled(60)
    patience.wait_ns(100, 100 * FRAME_NS + 60 * NS_PER_S, 100 * FRAME_NS + 60 * NS_PER_S)
    later_ns = 101 * FRAME_NS + 60 * NS_PER_S
    assert patience.wait_ns(101, later_ns, later_ns) == 0


def test_frames_that_were_dropped_do_not_count_as_a_slow_camera() -> None:
    patience = Patience(hold_ns=HOLD_NS)
    for seq in range(0, 300, 3):
        patience.took(60 * NS_PER_MS)
        patience.wait_ns(seq, seq * FRAME_NS, seq * FRAME_NS)
    assert waits(patience, seq=300) == 0


def test_a_face_is_shown_for_as_long_as_the_next_one_may_take() -> None:
    assert settled(10).shown_ns() == HOLD_NS
    assert settled(300).shown_ns() == 1500 * NS_PER_MS
    assert settled(5000).shown_ns() == FORGOTTEN_NS


@given(
    st.sampled_from(list(Late)),
    st.lists(st.tuples(st.integers(0, NS_PER_S), st.integers(-NS_PER_S, NS_PER_S)), max_size=40),
)
def test_no_frame_ever_waits_longer_than_a_picture_is_held(late: Late, steps: list[tuple[int, int]]) -> None:
    patience = Patience(late, HOLD_NS)
    now_ns = NS_PER_S
    for seq, (took_ns, step_ns) in enumerate(steps):
        now_ns += step_ns
        assert 0 <= patience.wait_ns(seq, now_ns, now_ns + took_ns) <= HOLD_NS
        patience.took(took_ns)
        assert HOLD_NS <= patience.shown_ns() <= FORGOTTEN_NS
