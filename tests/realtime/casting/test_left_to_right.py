import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.casting.left_to_right import FREE_TO_ALL_NS, NEW_NS, LeftToRight
from realtime.clock import NS_PER_MS
from tests.fakes.people import sighting

FRAME_NS = 33 * NS_PER_MS


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=6, unique=True), st.integers(1, 6), st.randoms())
@settings(deadline=None)
def test_in_the_first_frame_the_nth_from_the_left_gets_the_nth_face(places, count, random) -> None:
    people = [sighting(number, x) for number, x in enumerate(places, 1)]
    random.shuffle(people)
    worn = LeftToRight(count).give(people, 0)
    ordered = sorted(people, key=lambda face: face.box[0])
    assert worn == {face.id: index for index, face in enumerate(ordered[:count])}


def test_who_is_found_a_moment_later_at_the_left_gets_the_first_face() -> None:
    order = LeftToRight(2)
    assert order.give([sighting(1, 500)], 0) == {1: 0}
    assert order.give([sighting(1, 500), sighting(2, 100)], NEW_NS - 1) == {2: 0, 1: 1}


def test_who_has_a_face_keeps_it_when_somebody_comes_later() -> None:
    order = LeftToRight(2)
    order.give([sighting(1, 500)], 0)
    assert order.give([sighting(1, 500), sighting(2, 100)], NEW_NS) == {1: 0, 2: 1}


@pytest.mark.parametrize("after_ns", [2 * FRAME_NS, NEW_NS, 5 * NEW_NS])
def test_people_who_cross_keep_their_faces(after_ns) -> None:
    order = LeftToRight(2)
    before = order.give([sighting(1, 100), sighting(2, 500)], 0)
    for x in (100, 300, 310, 600, 300, 290):
        assert order.give([sighting(1, x), sighting(2, 300)], after_ns + x) == before


def test_there_are_more_people_than_faces() -> None:
    order = LeftToRight(1)
    people = [sighting(1, 100), sighting(2, 500)]
    assert order.give(people, 0) == {1: 0}
    assert order.give(people[1:], FRAME_NS) == {}
    assert order.give(people[1:], FREE_TO_ALL_NS - 1) == {}
    assert order.give(people[1:], FREE_TO_ALL_NS) == {2: 0}
    assert order.give(people, FREE_TO_ALL_NS + 1) == {2: 0}


def test_who_comes_back_in_time_has_their_face_still() -> None:
    order = LeftToRight(2)
    people = [sighting(1, 100), sighting(2, 500)]
    order.give(people, 0)
    order.give(people[:1], FREE_TO_ALL_NS)
    assert order.give([sighting(1, 500), sighting(2, 100)], FREE_TO_ALL_NS + 1) == {1: 0, 2: 1}


def test_a_face_whose_wearer_was_lost_goes_at_once_to_who_appears_then() -> None:
    order = LeftToRight(1)
    order.give([sighting(1, 100), sighting(2, 500)], 0)
    assert order.give([sighting(2, 500), sighting(3, 110)], NEW_NS) == {3: 0}


def test_of_the_free_faces_that_which_goes_with_where_the_others_stand() -> None:
    order = LeftToRight(3)
    order.give([sighting(1, 100), sighting(2, 300), sighting(3, 500)], 0)
    order.give([sighting(2, 300)], FRAME_NS)
    later = NEW_NS + FRAME_NS
    assert order.give([sighting(2, 300), sighting(4, 600)], later) == {2: 1, 4: 2}


def test_a_scene_of_new_people_is_cast_at_once() -> None:
    order = LeftToRight(2)
    order.give([sighting(1, 100), sighting(2, 500)], 0)
    assert order.give([sighting(3, 500), sighting(4, 100)], FRAME_NS) == {4: 0, 3: 1}
