from hypothesis import given
from hypothesis import strategies as st

from realtime.clock import NS_PER_S
from realtime.telemetry.rate import Rate


@given(st.floats(1, 240), st.integers(0, 10**15))
def test_a_steady_stream_has_its_own_rate(fps: float, origin_ns: int) -> None:
    rate = Rate()
    step_ns = round(NS_PER_S / fps)
    for index in range(600):
        rate.add(origin_ns + index * step_ns)
    found = rate.per_second(origin_ns + 599 * step_ns)
    assert abs(found - fps) < 0.01 * fps + 0.01


def test_silence_lowers_it_to_nothing() -> None:
    rate = Rate()
    for index in range(61):
        rate.add(index * NS_PER_S // 30)
    assert rate.per_second(2 * NS_PER_S) > 29
    assert rate.per_second(3 * NS_PER_S) < 20
    assert rate.per_second(5 * NS_PER_S) == 0


def test_one_event_has_no_rate() -> None:
    rate = Rate()
    rate.add(0)
    assert rate.per_second(1) == 0
