import numpy as np
import pytest

from realtime.casting.attendance import FORGOTTEN_NS
from realtime.casting.likeness import (
    AGAIN_BARE_NS,
    AGAIN_NS,
    AWAY_NS,
    CLEARLY,
    KEPT,
    LOOK_EVERY_NS,
    LOOKS,
    ByLikeness,
    Verdict,
)
from tests.fakes.people import looks_like, sighting

THRESHOLD = 0.4
SURE, UNSURE = THRESHOLD + CLEARLY + 0.05, THRESHOLD + 0.05


class Room:
    """A few people; each is looked at as soon as that is wanted, with the likeness the test has set."""

    def __init__(self, *likeness: tuple[int, float], bare: bool = False) -> None:
        self.alike = ByLikeness([looks_like(0), looks_like(1)], THRESHOLD, bare)
        self.people = dict(enumerate(likeness, 1))
        self.now_ns = 0
        self.looked: list[int] = []

    def frame(self, step_ns: int = LOOK_EVERY_NS, look: bool = True) -> dict[int, Verdict | None]:
        self.now_ns += step_ns
        faces = [sighting(number) for number in self.people]
        verdicts = self.alike.judge(faces, self.now_ns)
        for number in self.alike.wanted(faces, self.now_ns)[: int(look)]:
            self.looked.append(number)
            self.alike.learn(number, looks_like(*self.people[number], noise=2), self.now_ns)
        return verdicts

    def frames(self, count: int) -> dict[int, Verdict | None]:
        verdicts: dict[int, Verdict | None] = {}
        for _ in range(count):
            verdicts = self.frame()
        return verdicts


def test_two_looks_that_are_clear_are_enough() -> None:
    room = Room((1, SURE))
    assert room.frames(2) == {1: None}
    assert room.frame() == {1: Verdict(1, True)}
    assert room.looked == [1, 1]


@pytest.mark.parametrize(("likeness", "reference"), [(UNSURE, 1), (THRESHOLD - 0.02, None), (0.0, None)])
def test_otherwise_the_mean_of_all_looks_decides(likeness: float, reference: int | None) -> None:
    room = Room((1, likeness))
    assert room.frames(LOOKS) == {1: None}
    assert room.frame() == {1: Verdict(reference, True)}
    assert room.looked == [1] * LOOKS


def test_one_bad_look_does_not_decide() -> None:
    room = Room((0, 0.9))
    room.people[1] = (5, 1.0)
    room.frame()
    room.people[1] = (0, 0.9)
    assert room.frames(LOOKS) == {1: Verdict(0, True)}


def test_there_is_time_between_two_looks_at_one_person() -> None:
    room = Room((1, 0.0))
    for _ in range(10):
        room.frame(LOOK_EVERY_NS // 10)
    assert len(room.looked) == 1


def test_several_people_are_looked_at_in_turn() -> None:
    room = Room((0, 0.0), (1, 0.0), (0, 0.0))
    for _ in range(6):
        room.frame(LOOK_EVERY_NS // 2)
    assert sorted(room.looked[:3]) == [1, 2, 3]
    assert sorted(room.looked[3:]) == [1, 2, 3]


@pytest.mark.parametrize(
    ("likeness", "bare", "again_ns"), [(0.9, False, AGAIN_NS), (0.0, True, AGAIN_BARE_NS)]
)
def test_a_verdict_is_checked_after_seconds_by_one_look(likeness: float, bare: bool, again_ns: int) -> None:
    room = Room((0, likeness), bare=bare)
    verdict = room.frames(LOOKS + 1)[1]
    spent = len(room.looked)
    passed_ns = room.now_ns - LOOK_EVERY_NS if spent == LOOKS else 2 * LOOK_EVERY_NS
    room.frame(passed_ns + again_ns - 1 - room.now_ns)
    assert len(room.looked) == spent
    room.frame(1)
    assert len(room.looked) == spent + 1
    assert [room.frame() for _ in range(5)] == [{1: verdict}] * 5
    assert len(room.looked) == spent + 1


def test_who_has_no_verdict_goes_before_whoever_is_only_checked() -> None:
    room = Room((0, 0.9))
    room.frames(LOOKS)
    room.people[2] = (1, 0.0)
    room.frame()
    assert room.looked[-1] == 2
    room.now_ns += AGAIN_NS
    faces = [sighting(1), sighting(2)]
    room.alike.judge(faces, room.now_ns)
    assert room.alike.wanted(faces, room.now_ns) == (2, 1)


def test_a_check_that_disagrees_takes_all_looks_and_the_verdict_holds_till_then() -> None:
    room = Room((0, 0.9))
    room.frames(LOOKS)
    room.people[1] = (0, 0.0)
    room.frame(AGAIN_NS)
    for _ in range(LOOKS - 1):
        assert room.frame() == {1: Verdict(0, False)}
    assert room.frame() == {1: Verdict(None, True)}


def test_a_look_that_speaks_for_the_verdict_after_all_ends_the_check() -> None:
    room = Room((0, 0.9))
    room.frames(LOOKS)
    room.people[1] = (0, 0.2)
    room.frame(AGAIN_NS)
    room.people[1] = (0, 0.9)
    room.frame()
    assert room.frame() == {1: Verdict(0, True)}


@pytest.mark.parametrize(
    ("likeness", "kept"), [(THRESHOLD - KEPT + 0.02, True), (THRESHOLD - KEPT - 0.02, False)]
)
def test_a_face_is_kept_a_little_below_the_threshold(likeness: float, kept: bool) -> None:
    room = Room((0, 0.9))
    room.frames(LOOKS)
    room.people[1] = (0, likeness)
    room.frame(AGAIN_NS)
    assert room.frames(LOOKS) == {1: Verdict(0 if kept else None, True)}


def test_another_reference_must_be_clearly_nearer() -> None:
    def between(first: float, second: float) -> np.ndarray:
        vector = looks_like(0, 0.0)
        vector[:2] = first, second
        return vector / np.linalg.norm(vector)

    alike = ByLikeness([looks_like(0), looks_like(1)], THRESHOLD, False)
    faces = [sighting(1)]

    def looked(embedding: np.ndarray, times: int, at_ns: int) -> Verdict | None:
        for number in range(times):
            alike.judge(faces, at_ns + number)
            alike.learn(1, embedding, at_ns + number)
        return alike.judge(faces, at_ns + times)[1]

    assert looked(between(0.8, 0.7), 2, 0) == Verdict(0, True)
    assert looked(between(0.7, 0.75), LOOKS, AGAIN_NS + 10) == Verdict(0, True)
    assert looked(between(0.6, 0.8), LOOKS, 2 * AGAIN_NS + 20) == Verdict(1, True)


@pytest.mark.parametrize(("bare", "apart", "looks"), [(True, 60, 14), (True, 500, 3), (False, 60, 1)])
def test_bare_people_who_touch_somebody_are_looked_at_all_the_time(
    bare: bool, apart: int, looks: int
) -> None:
    alike = ByLikeness([looks_like(0)], THRESHOLD, bare)

    def looked(places: tuple[int, ...], first: int, count: int) -> int:
        """At the bare one, who is person 5 and has the number 1; the other, number 2, is person 0."""
        seen = 0
        for frame in range(first, first + count):
            faces = [sighting(number, x) for number, x in enumerate(places, 1)]
            alike.judge(faces, frame * LOOK_EVERY_NS)
            for number in alike.wanted(faces, frame * LOOK_EVERY_NS):
                seen += number == 1
                alike.learn(number, looks_like(5 if number == 1 else 0), frame * LOOK_EVERY_NS)
        return seen

    assert looked((0, 500), 0, 8) == LOOKS
    touching = looked((0, apart), 8, 3)
    assert touching + looked((0, 500), 11, 29) == looks


def test_who_was_away_is_checked_at_once() -> None:
    room = Room((0, 0.0))
    room.frames(LOOKS + 1)
    people, room.people = room.people, {}
    room.frame(AWAY_NS)
    room.people = people
    assert room.frame() == {1: Verdict(None, False)}
    assert room.frame() == {1: Verdict(None, True)}
    assert len(room.looked) == LOOKS + 1


def test_who_cannot_be_looked_at_stays_wanted_and_undecided() -> None:
    room = Room((0, 0.9))
    for _ in range(50):
        assert room.frame(look=False) == {1: None}
    assert room.alike.wanted([sighting(1)], room.now_ns) == (1,)


@pytest.mark.parametrize("bad", [np.full(64, np.nan, np.float32), np.ones(3, np.float32)])
def test_no_numbers_are_no_look_and_are_not_tried_in_every_frame(bad: np.ndarray) -> None:
    alike = ByLikeness([looks_like(0)], THRESHOLD, False)
    faces = [sighting(1)]
    for frame in range(20):
        alike.judge(faces, frame)
        alike.learn(1, bad, frame)
    assert alike.judge(faces, 20) == {1: None}
    assert alike.wanted(faces, 20) == ()


def test_who_has_gone_for_good_is_forgotten() -> None:
    room = Room((0, 0.9))
    room.frames(LOOKS)
    people, room.people = room.people, {}
    room.frame(FORGOTTEN_NS)
    room.people = people
    assert room.frame() == {1: None}
