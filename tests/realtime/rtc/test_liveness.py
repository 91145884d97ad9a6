import pytest

from realtime.clock import NS_PER_S
from realtime.rtc import viewers
from realtime.rtc.liveness import CONNECT_WITHIN_NS, SILENCE_NS, Liveness

T0 = 5 * NS_PER_S


@pytest.mark.parametrize("state", ["failed", "closed"])
def test_an_ended_connection_goes_at_once(state: str) -> None:
    assert Liveness(T0).verdict(T0, state, 0) == state


def test_a_peer_that_never_connects_goes_in_time() -> None:
    liveness = Liveness(T0)
    assert liveness.verdict(T0 + CONNECT_WITHIN_NS - 1, "connecting", 0) is None
    assert liveness.verdict(T0 + CONNECT_WITHIN_NS, "connecting", 0) == "not connected in time"


def test_a_peer_that_reports_stays() -> None:
    liveness = Liveness(T0)
    for second in range(1, 60):
        assert liveness.verdict(T0 + second * NS_PER_S, "connected", second) is None


def test_a_peer_that_falls_silent_goes() -> None:
    liveness = Liveness(T0)
    heard_ns = T0 + 100 * NS_PER_S
    assert liveness.verdict(heard_ns, "connected", 9) is None
    assert liveness.verdict(heard_ns + SILENCE_NS - 1, "connected", 9) is None
    assert liveness.verdict(heard_ns + SILENCE_NS, "connected", 9) == "silent"


def test_gone_within_ten_seconds() -> None:
    longest_s = max(CONNECT_WITHIN_NS, SILENCE_NS) / NS_PER_S + viewers.LOOK_EVERY_S
    assert longest_s < 10
    assert SILENCE_NS / NS_PER_S + viewers.LOOK_EVERY_S + viewers.CLOSE_TIMEOUT_S <= 10
