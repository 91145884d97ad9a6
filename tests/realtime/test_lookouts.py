from hypothesis import given
from hypothesis import strategies as st

from models.landmarker import Landmarks
from realtime.boxes import Box, covered_share
from realtime.clock import NS_PER_S
from realtime.cover import MARGIN
from realtime.lookouts import (
    BLANKET_NS,
    FOUND_NS,
    FRONT_LOST_NS,
    PRESENCE,
    SETTLED_NS,
    WATCHED_NS,
    Lookouts,
)
from tests.fakes.vision import mesh

FRAME_NS = NS_PER_S // 30
FRONT: Box = (200.0, 100.0, 300.0, 200.0)
BEHIND: Box = (210.0, 105.0, 300.0, 195.0)
OLD = [(FRONT, 0)]


def hiding(now_ns: int = NS_PER_S) -> Lookouts:
    lookouts = Lookouts()
    lookouts.hide(BEHIND, [FRONT, (900.0, 100.0, 1000.0, 200.0)], now_ns)
    return lookouts


def painted(box: Box) -> Box:
    """What `cover` paints for it."""
    wide, tall = (box[2] - box[0]) * MARGIN, (box[3] - box[1]) * MARGIN
    return box[0] - wide, box[1] - tall, box[2] + wide, box[3] + tall


def found(centre: tuple[float, float], side: float = 90.0, score: float = 0.99) -> Landmarks:
    return Landmarks(mesh(centre, side), score)


def look(lookouts: Lookouts, landmarks: Landmarks | None, now_ns: int, rounds: int = 3) -> list[bool]:
    """Look at each of the places; nothing is there but `landmarks`, at every place."""
    taken = []
    for _ in range(rounds):
        assert lookouts.probe() is not None
        taken.append(lookouts.take(landmarks or found((0, 0), score=0.1), [FRONT], now_ns))
    return taken


@given(st.floats(60, 160), st.floats(0.65, 1.5), st.floats(-0.9, 0.9), st.floats(-0.3, 0.3))
def test_as_much_of_a_face_as_looks_out_beside_or_above_is_covered(
    side: float, ratio: float, out: float, rise: float
) -> None:
    """Up to the 0.9 of a face that a detector finds; `out` is the part of the face's width that looks out."""
    own = side * ratio
    front: Box = (300.0, 300.0, 300 + side, 300 + side)
    lookouts = Lookouts()
    y = 300 + rise * side
    lookouts.hide((300.0, y, 300 + own, y + own), [front], 0)
    x = front[2] + (out - 1) * own if out > 0 else front[0] + out * own
    beside = (max(x, front[2]), y, x + own, y + own) if out > 0 else (x, y, min(x + own, front[0]), y + own)
    covers = [painted(box) for box in lookouts.boxes([(front, 0)], 0)]
    if abs(out) > 0.01:
        assert max(covered_share(beside, cover) for cover in covers) > 0.99


def test_the_face_in_front_is_not_covered() -> None:
    middle = (215.0, 115.0, 285.0, 185.0)
    assert all(covered_share(middle, painted(box)) == 0 for box in hiding().boxes(OLD, NS_PER_S))


def test_the_sides_are_covered_for_a_while_and_the_covers_go_with_the_front_face() -> None:
    lookouts, now_ns = hiding(), NS_PER_S
    front = FRONT
    while now_ns < NS_PER_S + BLANKET_NS - FRAME_NS:
        now_ns += FRAME_NS
        front = (front[0] + 2, front[1], front[2] + 2, front[3])
        lookouts.follow([(front, 0)], now_ns)
        left, right, above = lookouts.boxes([(front, 0)], now_ns)
        assert left[2] < front[0] < above[0] + 1 < front[2] < right[0]
        look(lookouts, None, now_ns)
    assert lookouts.boxes([(front, 0)], NS_PER_S + BLANKET_NS) == ()
    assert lookouts.probe() is not None


def test_the_places_are_looked_at_for_a_time_and_not_for_ever() -> None:
    lookouts = hiding()
    lookouts.follow(OLD, NS_PER_S + WATCHED_NS - 1)
    assert lookouts.probe() is not None
    lookouts.follow(OLD, NS_PER_S + WATCHED_NS)
    assert lookouts.probe() is None
    assert lookouts.boxes(OLD, NS_PER_S + WATCHED_NS) == ()


def test_where_half_a_face_looks_out_it_is_covered_as_long_as_it_does() -> None:
    lookouts, now_ns = hiding(), NS_PER_S + BLANKET_NS
    for _ in range(2 * WATCHED_NS // FRAME_NS):
        now_ns += FRAME_NS
        lookouts.follow(OLD, now_ns)
        look(lookouts, found((350, 150)), now_ns)
        assert any(covered_share((305, 105, 395, 195), box) > 0.9 for box in lookouts.boxes(OLD, now_ns))
    lookouts.follow(OLD, now_ns + FOUND_NS)
    assert lookouts.boxes(OLD, now_ns + FOUND_NS) == ()


def test_the_front_face_a_doubtful_one_and_one_of_another_size_do_not_look_out() -> None:
    lookouts, now_ns = hiding(), NS_PER_S + BLANKET_NS
    assert look(lookouts, found((260, 150)), now_ns) == [False] * 3
    assert look(lookouts, found((350, 150), score=PRESENCE - 0.01), now_ns) == [False] * 3
    assert look(lookouts, found((350, 150), side=40), now_ns) == [False] * 3
    assert lookouts.boxes(OLD, now_ns) == ()
    assert look(lookouts, found((350, 150)), now_ns) == [True] * 3


def test_each_place_comes_up_in_turn() -> None:
    lookouts = hiding()
    middles = []
    for _ in range(4):
        region = lookouts.probe()
        assert region is not None
        middles.append(region.centre)
        look(lookouts, None, NS_PER_S, rounds=1)
    assert middles[0] == middles[3]
    assert middles[0][0] < FRONT[0] < middles[2][0] < FRONT[2] < middles[1][0]
    assert middles[2][1] < FRONT[1]


def test_who_is_followed_beside_the_front_face_again_needs_no_cover() -> None:
    lookouts, born_ns = hiding(), NS_PER_S + 10 * FRAME_NS
    back = ((320.0, 100.0, 410.0, 190.0), born_ns)
    lookouts.follow([*OLD, back], born_ns)
    assert lookouts.boxes([*OLD, back], born_ns) == ()
    assert lookouts.boxes(OLD, born_ns), "lost again at once"
    lookouts.follow([*OLD, back], born_ns + SETTLED_NS)
    assert lookouts.boxes(OLD, born_ns + SETTLED_NS) == ()


def test_who_was_followed_before_is_not_who_was_hidden() -> None:
    lookouts = hiding()
    neighbour = ((320.0, 100.0, 410.0, 190.0), 0)
    lookouts.follow([*OLD, neighbour], NS_PER_S + SETTLED_NS)
    assert lookouts.boxes([*OLD, neighbour], NS_PER_S + SETTLED_NS)


def test_without_the_front_face_nobody_is_behind_it() -> None:
    lookouts = hiding()
    lookouts.follow([], NS_PER_S + FRONT_LOST_NS - 1)
    assert lookouts.boxes([], NS_PER_S)
    lookouts.follow([], NS_PER_S + FRONT_LOST_NS)
    assert lookouts.boxes([], NS_PER_S) == ()


def test_who_is_lost_far_from_everybody_is_behind_nobody() -> None:
    lookouts = Lookouts()
    lookouts.lose((500.0, 100.0, 600.0, 200.0), [FRONT], 0)
    lookouts.lose((500.0, 100.0, 600.0, 200.0), [], 0)
    assert lookouts.boxes(OLD, 0) == ()
    lookouts.lose((330.0, 100.0, 430.0, 200.0), [FRONT], 0)
    assert lookouts.boxes(OLD, 0)


def test_who_hides_again_behind_the_same_face_is_covered_anew_but_once() -> None:
    lookouts, again_ns = hiding(), 3 * NS_PER_S
    lookouts.follow(OLD, again_ns)
    lookouts.hide(BEHIND, [FRONT], again_ns)
    assert len(lookouts.boxes(OLD, again_ns)) == 3
    assert len(lookouts.boxes(OLD, again_ns + BLANKET_NS - 1)) == 3


def test_a_new_scene_hides_nobody() -> None:
    lookouts = hiding()
    lookouts.clear()
    assert lookouts.boxes(OLD, NS_PER_S) == ()
    assert lookouts.probe() is None
    assert not lookouts.take(found((350, 150)), [], NS_PER_S)
