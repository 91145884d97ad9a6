from realtime.casting.one import GONE_NS, LARGER, LARGER_FOR_NS, TheOne
from realtime.clock import NS_PER_MS
from tests.fakes.people import sighting

FRAME_NS = 33 * NS_PER_MS


def test_the_largest_of_the_first_frame_is_the_one() -> None:
    assert TheOne().choose([sighting(1, side=80), sighting(2, side=90)], 0) == 2


def test_of_two_as_large_the_older() -> None:
    assert TheOne().choose([sighting(4), sighting(3)], 0) == 3


def test_with_nobody_there_is_no_one() -> None:
    assert TheOne().choose([], 0) is None


def test_a_little_larger_is_not_enough_however_long() -> None:
    one = TheOne()
    chosen = {
        one.choose(
            [sighting(1), sighting(2, side=(90 if frame == 0 else 100 * LARGER - 1))], frame * FRAME_NS
        )
        for frame in range(200)
    }
    assert chosen == {1}


def test_much_larger_for_a_while_takes_over_and_keeps_it() -> None:
    one = TheOne()
    one.choose([sighting(1)], 0)
    large = [sighting(1), sighting(2, side=100 * LARGER + 1)]
    assert one.choose(large, FRAME_NS) == 1
    assert one.choose(large, FRAME_NS + LARGER_FOR_NS - 1) == 1
    assert one.choose(large, FRAME_NS + LARGER_FOR_NS) == 2
    even = [sighting(1, side=110), sighting(2)]
    assert all(one.choose(even, LARGER_FOR_NS + frame * FRAME_NS) == 2 for frame in range(3, 90))


def test_a_break_begins_the_while_anew() -> None:
    one = TheOne()
    one.choose([sighting(1)], 0)
    large, even = [sighting(1), sighting(2, side=200)], [sighting(1), sighting(2)]
    one.choose(large, 1)
    one.choose(even, LARGER_FOR_NS - 1)
    assert one.choose(large, LARGER_FOR_NS + 1) == 1
    assert one.choose(large, 2 * LARGER_FOR_NS) == 1
    assert one.choose(large, 2 * LARGER_FOR_NS + 1) == 2


def test_another_rival_begins_the_while_anew() -> None:
    one = TheOne()
    one.choose([sighting(1)], 0)
    one.choose([sighting(1), sighting(2, side=200)], 1)
    other = [sighting(1), sighting(2, side=200), sighting(3, side=210)]
    assert one.choose(other, LARGER_FOR_NS + 1) == 1
    assert one.choose(other, 2 * LARGER_FOR_NS + 1) == 3


def test_the_one_is_awaited_by_those_who_were_there_too() -> None:
    one = TheOne()
    one.choose([sighting(1), sighting(2, side=50)], 0)
    assert one.choose([sighting(2, side=50)], FRAME_NS) is None
    assert one.choose([sighting(1), sighting(2, side=50)], GONE_NS - 1) == 1
    assert one.choose([sighting(2, side=50)], GONE_NS) is None
    assert one.choose([sighting(2, side=50)], 2 * GONE_NS - 1) == 2


def test_who_appears_after_the_one_has_gone_is_taken_for_the_one_at_once() -> None:
    one = TheOne()
    one.choose([sighting(1), sighting(2, side=150)], 0)
    assert one.choose([sighting(1), sighting(3, side=50)], FRAME_NS) == 3


def test_the_one_who_left_is_one_of_the_others_when_back_too_late() -> None:
    one = TheOne()
    one.choose([sighting(1)], 0)
    one.choose([sighting(2)], FRAME_NS)
    assert one.choose([sighting(1), sighting(2)], 2 * FRAME_NS) == 2
