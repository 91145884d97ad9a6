from realtime.clock import NS_PER_MS
from realtime.strangers import MISSED_NS, Strangers
from tests.fakes.vision import detection

NOBODY: list = []
HERE, THERE = detection((100, 100), 80), detection((400, 100), 80)


def test_who_is_followed_is_no_stranger() -> None:
    strangers = Strangers()
    strangers.admit((HERE, THERE), 0)
    assert strangers.boxes([HERE.box], 0) == (THERE.box,)


def test_a_stranger_whom_the_detector_misses_is_covered_for_a_while() -> None:
    strangers = Strangers()
    strangers.admit((HERE,), 0)
    for now_ns in range(0, MISSED_NS, 100 * NS_PER_MS):
        strangers.admit((), now_ns)
        assert strangers.boxes(NOBODY, now_ns) == (HERE.box,)
    assert strangers.boxes(NOBODY, MISSED_NS) == ()


def test_a_stranger_who_moves_is_covered_where_he_is_now() -> None:
    strangers = Strangers()
    strangers.admit((HERE,), 0)
    moved = detection((110, 100), 80)
    strangers.admit((moved,), 1)
    assert strangers.boxes(NOBODY, 1) == (moved.box,)


def test_a_stranger_stays_one_at_a_score_that_would_not_make_him_one() -> None:
    strangers = Strangers()
    strangers.admit((HERE,), 0)
    for now_ns in range(1, 3 * MISSED_NS, 100 * NS_PER_MS):
        strangers.admit((detection((100, 100), 80, 0.51),), now_ns)
        assert len(strangers.boxes(NOBODY, now_ns)) == 1


def test_what_is_hardly_a_face_is_none_and_a_new_scene_has_none() -> None:
    strangers = Strangers()
    strangers.admit((detection((100, 100), 80, 0.55),), 0)
    assert strangers.boxes(NOBODY, 0) == ()
    strangers.admit((HERE,), 0)
    strangers.clear()
    assert strangers.boxes(NOBODY, 0) == ()
