from hypothesis import given
from hypothesis import strategies as st

from realtime.clock import NS_PER_S
from realtime.sinks.cadence import Cadence

FPS = 30.0
PERIOD_NS = Cadence(FPS).period_ns


def repeat_until(cadence: Cadence, end_ns: int) -> int:
    """Repeat on time, always, until `end_ns`; how often that was."""
    count = 0
    while cadence.due_ns is not None and cadence.due_ns <= end_ns:
        cadence.published(cadence.due_ns)
        count += 1
    return count


def test_nothing_is_due_before_the_first_picture() -> None:
    assert Cadence(FPS).due_ns is None


@given(st.floats(1.0, 120.0), st.integers(1, 20))
def test_with_no_new_picture_the_last_comes_at_the_cadence(fps: float, seconds: int) -> None:
    cadence = Cadence(fps)
    cadence.published(0)
    assert abs(repeat_until(cadence, seconds * NS_PER_S) - seconds * fps) <= 2


@given(st.lists(st.integers(-PERIOD_NS // 8, PERIOD_NS // 8), min_size=2, max_size=100))
def test_a_source_at_the_cadence_is_never_overtaken(jitter_ns: list[int]) -> None:
    cadence = Cadence(FPS)
    for index, offset_ns in enumerate(jitter_ns):
        now_ns = PERIOD_NS * (index + 1) + offset_ns
        assert cadence.due_ns is None or now_ns < cadence.due_ns
        cadence.published(now_ns)


@given(st.floats(5.0, 29.0))
def test_a_slow_source_is_filled_up_to_the_cadence(source_fps: float) -> None:
    cadence, repeats, seconds = Cadence(FPS), 0, 10
    arrivals = [round(i * NS_PER_S / source_fps) for i in range(int(seconds * source_fps))]
    for arrival_ns in arrivals:
        repeats += repeat_until(cadence, arrival_ns)
        cadence.published(arrival_ns)
    rate = (len(arrivals) + repeats) / (arrivals[-1] / NS_PER_S)
    assert FPS * 0.97 <= rate <= FPS * 1.05


@given(st.floats(31.0, 240.0), st.integers(1, 300))
def test_a_fast_source_does_not_silence_the_repetitions_for_long(source_fps: float, count: int) -> None:
    cadence, now_ns = Cadence(FPS), 0
    for index in range(count):
        now_ns = round(index * NS_PER_S / source_fps)
        cadence.published(now_ns)
    assert cadence.due_ns is not None
    assert cadence.due_ns - now_ns <= 2 * PERIOD_NS


@given(st.integers(3 * PERIOD_NS, 100 * PERIOD_NS))
def test_a_stall_is_not_made_up_for(stall_ns: int) -> None:
    cadence = Cadence(FPS)
    cadence.published(0)
    cadence.published(stall_ns)
    assert cadence.due_ns == stall_ns + PERIOD_NS * 3 // 2


@given(st.lists(st.integers(0, 10 * PERIOD_NS), max_size=50))
def test_after_each_publish_the_deadline_lies_ahead(gaps_ns: list[int]) -> None:
    cadence, now_ns = Cadence(FPS), 0
    for gap_ns in gaps_ns:
        now_ns += gap_ns
        cadence.published(now_ns)
        assert cadence.due_ns is not None
        assert now_ns < cadence.due_ns <= now_ns + 2 * PERIOD_NS
