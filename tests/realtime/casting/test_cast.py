from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.casting.cast import Casting, CastingSettings
from realtime.casting.likeness import LOOK_EVERY_NS, LOOKS
from realtime.casting.parts import COVERED, Decision, Hide, Leave, Part, Wear
from realtime.clock import NS_PER_MS
from tests.fakes.people import looks_like, sighting

FRAME_NS = 33 * NS_PER_MS
FACES = 2
PEOPLE = 5
OTHERS = (COVERED, Hide("blur"), Hide("pixel"), Wear(FACES), Leave())


def casting(who: Any, others: Part = COVERED, faces: int = FACES) -> Casting:
    references = tuple(looks_like(person) for person in range(faces)) if who == "reference" else ()
    return Casting(CastingSettings(who, faces, others, references))


frames = st.lists(
    st.dictionaries(
        st.integers(1, PEOPLE), st.tuples(st.integers(0, 600), st.integers(20, 300)), max_size=PEOPLE
    ),
    max_size=40,
)
"""Who is in each frame: number to place and side."""


def played(cast: Casting, film: list[dict[int, tuple[int, int]]], step_ns: int = FRAME_NS) -> list[Decision]:
    """Person n looks like reference n - 1; the first wanted is looked at in each frame."""
    decisions = []
    for frame, people in enumerate(film):
        now_ns = frame * step_ns
        decision = cast.decide([sighting(number, *where) for number, where in people.items()], now_ns)
        for number in decision.wanted[:1]:
            cast.learn(number, looks_like(number - 1, 0.9), now_ns)
        decisions.append(decision)
    return decisions


@given(frames, st.sampled_from(["many", "one", "left-to-right", "reference"]), st.sampled_from(OTHERS))
@settings(deadline=None)
def test_every_face_gets_exactly_one_part_and_nobody_is_bare_unasked(film, who, others) -> None:
    for people, decision in zip(film, played(casting(who, others), film), strict=True):
        assert decision.parts.keys() == people.keys()
        assert set(decision.wanted) <= people.keys()
        for part in decision.parts.values():
            assert part in (COVERED, others) or (isinstance(part, Wear) and 0 <= part.index < FACES)
            assert isinstance(part, Leave) <= (others == Leave())


@given(frames, st.sampled_from(["many", "one", "left-to-right", "reference"]), st.randoms())
@settings(deadline=None)
def test_the_order_in_which_faces_are_told_does_not_matter(film, who, random) -> None:
    shuffled = []
    for people in film:
        numbers = list(people)
        random.shuffle(numbers)
        shuffled.append({number: people[number] for number in numbers})
    assert played(casting(who), film) == played(casting(who), shuffled)


@given(frames, st.sampled_from(["one", "left-to-right"]))
@settings(deadline=None)
def test_no_face_is_worn_by_two(film, who) -> None:
    for decision in played(casting(who), film):
        worn = [part.index for part in decision.parts.values() if isinstance(part, Wear)]
        assert len(set(worn)) == len(worn) <= (1 if who == "one" else FACES)


@given(st.integers(0, 2**32 - 1), st.sampled_from(["many", "one", "left-to-right", "reference"]))
@settings(max_examples=30, deadline=None)
def test_while_the_same_people_are_there_nothing_flickers_however_they_move(seed, who) -> None:
    rng = np.random.default_rng(seed)
    film = [
        {number: (int(rng.integers(600)), int(rng.integers(90, 111))) for number in (1, 2, 3)}
        for _ in range(120)
    ]
    decisions = [decision.parts for decision in played(casting(who), film)]
    settled = 3 * LOOKS * LOOK_EVERY_NS // FRAME_NS
    if who != "reference":
        settled = 0
    assert all(parts == decisions[settled] for parts in decisions[settled:])
    assert settled < len(decisions)


@given(st.lists(st.integers(1, 10**6), unique=True, max_size=300))
@settings(max_examples=20, deadline=None)
def test_ids_that_vanish_are_forgotten(numbers) -> None:
    for who in ("one", "left-to-right", "reference"):
        cast = casting(who)
        for frame, number in enumerate(numbers):
            cast.decide([sighting(number)], frame * 1000 * NS_PER_MS)
        parts = (cast._one._attendance, cast._ordered._attendance, cast._alike and cast._alike._people)
        assert all(part is None or len(part) <= 6 for part in parts)


def test_many_gives_the_faces_in_turn_by_the_number_of_the_track() -> None:
    decision = casting("many").decide([sighting(number) for number in (5, 1, 2)], 0)
    assert decision.parts == {1: Wear(0), 2: Wear(1), 5: Wear(0)}
    assert decision.wanted == ()


def test_one_and_left_to_right_leave_the_others_to_their_part() -> None:
    people = [sighting(1, 300), sighting(2, 100, side=80), sighting(3, 500, side=70)]
    assert casting("one", Hide("blur")).decide(people, 0).parts == {
        1: Wear(0),
        2: Hide("blur"),
        3: Hide("blur"),
    }
    assert casting("left-to-right").decide(people, 0).parts == {2: Wear(0), 1: Wear(1), 3: COVERED}


@pytest.mark.parametrize(
    ("others", "undecided"),
    [(COVERED, COVERED), (Hide("blur"), Hide("blur")), (Wear(FACES), COVERED), (Leave(), COVERED)],
)
def test_by_reference_people_are_hidden_till_they_are_known(others: Part, undecided: Part) -> None:
    film = [{1: (100, 100), 2: (200, 100), 4: (300, 100)}] * 40
    decisions = played(casting("reference", others), film)
    assert decisions[0].parts == dict.fromkeys((1, 2, 4), undecided)
    assert decisions[-1].parts == {1: Wear(0), 2: Wear(1), 4: others}


def test_who_is_bare_is_covered_from_the_first_look_that_speaks_against_it() -> None:
    cast = casting("reference", Leave())
    film = [{4: (300, 100)}] * 30
    assert played(cast, film)[-1].parts == {4: Leave()}
    now_ns, shown = 30 * FRAME_NS, []
    while len(shown) < 60:
        now_ns += FRAME_NS
        decision = cast.decide([sighting(4, 300)], now_ns)
        shown.append(decision.parts[4])
        for number in decision.wanted[:1]:
            cast.learn(number, looks_like(0, 0.9), now_ns)
    first = shown.index(COVERED)
    assert set(shown[:first]) <= {Leave()}
    assert shown[first:].count(Leave()) == 0
    assert shown[-1] == Wear(0)


def test_a_wearer_in_doubt_goes_on_wearing() -> None:
    cast = casting("reference")
    played(cast, [{1: (300, 100)}] * 30)
    cast.decide([], 31 * FRAME_NS)
    assert cast.decide([sighting(1)], 60 * FRAME_NS).parts == {1: Wear(0)}


def test_each_face_needs_its_reference() -> None:
    with pytest.raises(ValueError, match="1 references for 2 faces"):
        Casting(CastingSettings("reference", 2, references=(looks_like(0),)))
