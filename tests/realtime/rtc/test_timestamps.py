from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from realtime.clock import NS_PER_MS, NS_PER_S
from realtime.rtc.timestamps import OLDEST_NS, RTP_CLOCK_HZ, RtpStamps


@given(st.lists(st.tuples(st.integers(0, 10**11), st.integers(0, 10**10)), min_size=2))
def test_always_strictly_rising(pictures: list[tuple[int, int]]) -> None:
    stamps = RtpStamps()
    made = [stamps.stamp(captured_ns, captured_ns + age_ns) for captured_ns, age_ns in pictures]
    assert all(later > earlier for earlier, later in pairwise(made))


@given(st.lists(st.integers(NS_PER_MS, NS_PER_S), min_size=1), st.integers(0, OLDEST_NS))
def test_live_pictures_are_stamped_from_capture(gaps_ns: list[int], age_ns: int) -> None:
    stamps, captured_ns = RtpStamps(), 77
    assert stamps.stamp(captured_ns, captured_ns + age_ns) == 0
    for gap_ns in gaps_ns:
        captured_ns += gap_ns
        assert (
            stamps.stamp(captured_ns, captured_ns + age_ns) == (captured_ns - 77) * RTP_CLOCK_HZ // NS_PER_S
        )


def test_an_old_card_does_not_set_the_stream_back() -> None:
    stamps = RtpStamps()
    minute_ns = 60 * NS_PER_S
    stamps.stamp(0, minute_ns)
    live = stamps.stamp(minute_ns + NS_PER_S, minute_ns + NS_PER_S)
    assert live <= (NS_PER_S + OLDEST_NS) * RTP_CLOCK_HZ // NS_PER_S
