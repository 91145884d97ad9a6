from realtime.backoff import Backoff
from realtime.clock import NS_PER_S


def test_it_doubles_up_to_two_seconds_and_starts_anew() -> None:
    backoff = Backoff()
    waits_s = [backoff.next_ns() / NS_PER_S for _ in range(6)]
    assert waits_s == [0.25, 0.5, 1.0, 2.0, 2.0, 2.0]
    backoff.reset()
    assert backoff.next_ns() == NS_PER_S // 4
