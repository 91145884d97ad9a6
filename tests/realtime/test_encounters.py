"""Two people pass each other before a landmarker that knows no persons."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.detector import Detection
from models.landmarker import CropRegion, Landmarks
from models.topology import CANONICAL
from realtime.boxes import Box, box_of, covered_share, iou, side_of
from realtime.clock import NS_PER_S
from realtime.cover import MARGIN
from realtime.cuts import luma_histogram
from realtime.encounters import adrift, mark_crowds, occluded, twins, untangle
from realtime.frame import Face
from realtime.smoothing import OneEuroSettings
from realtime.track import Track
from realtime.tracking import Tracker, TrackerSettings, View
from tests.fakes.head import posed

FRAME_NS = NS_PER_S // 30
DULL = luma_histogram(np.full((64, 64, 3), 90, np.uint8))
HIDDEN_SHARE = 0.45
"""A face of which more is covered is found by nobody."""


@dataclass
class Person:
    x: float
    y: float
    speed_px: float
    """A frame."""
    eyes_px: float
    shape: np.ndarray
    turns_at: int = 10_000
    """The frame in which they turn back."""
    stands: tuple[int, int] = (10_000, 0)
    """The frame in which they stop, and for how many."""

    def points(self, frame: int) -> np.ndarray:
        frame -= min(max(0, frame - self.stands[0]), self.stands[1])
        walked = min(frame, self.turns_at) - max(0, frame - self.turns_at)
        points = posed((self.x + self.speed_px * walked, self.y), self.eyes_px)
        return points + self.shape * np.float32(self.eyes_px)


def person(x: float, speed_px: float, eyes_px: float = 60, y: float = 200, seed: int = 0) -> Person:
    rough = np.random.default_rng(seed).normal(0, 1, (12, 3))
    weights = np.exp(-((CANONICAL[:, None] - CANONICAL[None, ::39]) ** 2).sum(axis=2) / 0.1)
    shape = weights @ rough[: weights.shape[1]]
    return Person(x, y, speed_px, eyes_px, (0.018 * shape / shape.std()).astype(np.float32))


class Passage:
    """A tracker that watches people; the first of them is nearest to the camera."""

    def __init__(self, *people: Person) -> None:
        self.people = people
        self.tracker = Tracker(TrackerSettings(fade_ns=0))
        self.number = 0
        self.noise = np.random.default_rng(5)

    def frame(self) -> tuple[View, list[np.ndarray]]:
        """What the tracker says, and where everybody is."""
        self.number += 1
        points = [one.points(self.number) for one in self.people]
        boxes = [box_of(each) for each in points]
        self.seen = [
            each
            for index, each in enumerate(points)
            if not any(covered_share(boxes[index], front) > HIDDEN_SHARE for front in boxes[:index])
        ]
        tracker = self.tracker
        if tracker.begin(self.number * FRAME_NS, 0, DULL):
            tracker.admit(self._detect())
        self._follow()
        if tracker.wants_detection():
            tracker.admit(self._detect())
            self._follow()
        return tracker.end(), points

    def _detect(self) -> tuple[Detection, ...]:
        found = []
        for each in self.seen:
            eyes = [each[[33, 133], :2].mean(axis=0), each[[362, 263], :2].mean(axis=0)]
            four = np.stack([*eyes, each[1, :2], each[[61, 291], :2].mean(axis=0)]).astype(np.float32)
            found.append(Detection(box_of(each), four, 0.9))
        return tuple(found)

    def _follow(self) -> None:
        for seed in self.tracker.seeds():
            self.tracker.update(seed.track_id, self._landmarks(seed.region))

    def _landmarks(self, region: CropRegion) -> Landmarks:
        """The face nearest to the middle of the crop, whoever's it is."""
        away = [np.hypot(*(each[:, :2].mean(axis=0) - region.centre)) for each in self.seen]
        if not away or min(away) > region.side / 2:
            return Landmarks(np.zeros((468, 3), np.float32), 0.0)
        nearest = self.seen[int(np.argmin(away))]
        noise = self.noise.normal(0, 0.004 * region.side / 1.5, nearest.shape)
        return Landmarks((nearest + noise).astype(np.float32), 0.97)


def whose(face: Face, points: list[np.ndarray]) -> int:
    """Index of the person whom the face lies on."""
    return int(
        np.argmin([np.linalg.norm(face.points[:, :2] - each[:, :2], axis=1).mean() for each in points])
    )


def watch(passage: Passage, frames: int) -> tuple[dict[int, set[int]], list[View]]:
    """Id to the people it was put on, and all views."""
    owners: dict[int, set[int]] = {}
    views = []
    for _ in range(frames):
        view, points = passage.frame()
        views.append(view)
        for face in view.faces:
            owners.setdefault(face.id, set()).add(whose(face, points))
    return owners, views


@settings(max_examples=60, deadline=None)
@given(
    st.floats(2, 12),
    st.floats(-12, -2),
    st.floats(0.7, 1.4),
    st.floats(-25, 25),
    st.integers(0, 1000),
    st.booleans(),
)
def test_no_face_jumps_from_one_person_to_another(
    speed_px: float, other_px: float, ratio: float, rise_px: float, seed: int, older_in_front: bool
) -> None:
    first = person(100, speed_px, 60, seed=seed)
    second = person(500, other_px, 60 * ratio, 200 + rise_px, seed=seed + 1)
    people = (first, second) if older_in_front else (second, first)
    owners, views = watch(Passage(*people), round(700 / (speed_px - other_px)))
    assert all(len(persons) == 1 for persons in owners.values()), owners
    assert len(views[-1].faces) == 2


@pytest.mark.parametrize("front", [0, 1])
def test_both_keep_their_numbers_when_they_walk_on(front: int) -> None:
    left, right = person(100, 6, seed=1), person(500, -6, seed=2)
    people = (left, right) if front == 0 else (right, left)
    passage = Passage(*people)
    owners, views = watch(passage, 60)
    assert [face.id for face in views[-1].faces] == [1, 2]
    assert set(owners) == {1, 2}


def test_a_poster_behind_a_person_keeps_its_face_to_itself() -> None:
    poster, visitor = person(320, 0, 35, seed=3), person(60, 5, 80, seed=4)
    owners, views = watch(Passage(visitor, poster), 110)
    assert all(len(persons) == 1 for persons in owners.values())
    assert len(views[-1].faces) == 2
    assert {whose(face, [visitor.points(110), poster.points(110)]) for face in views[-1].faces} == {0, 1}


def test_who_turns_back_behind_another_is_not_mistaken() -> None:
    front, back = person(320, 0, 70, seed=5), person(100, 5, 60, seed=6)
    back.turns_at = 42
    owners, _ = watch(Passage(front, back), 84)
    assert all(len(persons) == 1 for persons in owners.values()), owners


def test_what_looks_out_from_behind_another_face_is_covered_or_replaced() -> None:
    front, back = person(500, -3, 60, seed=7), person(100, 3, 60, seed=8)
    passage = Passage(front, back)
    for _ in range(130):
        view, points = passage.frame()
        if view.in_doubt:
            continue
        boxes: list[Box] = [face.box for face in view.faces] + list(view.strangers)
        for each in points:
            box = box_of(each)
            share = max(covered_share(box, known) for known in boxes)
            assert share > 0.55 or any(iou(box, known) > 0.4 for known in boxes), passage.number


def bare_share(person: np.ndarray, nearer: list[np.ndarray], view: View) -> float:
    """The part of the box round a face that is not behind the nearer ones, nor replaced, nor covered."""
    x0, y0, x1, y1 = box_of(person)
    grid = np.stack(np.meshgrid(np.linspace(x0, x1, 21), np.linspace(y0, y1, 21)), axis=-1).reshape(-1, 2)
    bare = np.ones(len(grid), bool)
    safe = [box_of(each) for each in nearer] + [face.box for face in view.faces]
    for box in view.strangers:
        wide, tall = (box[2] - box[0]) * MARGIN, (box[3] - box[1]) * MARGIN
        safe.append((box[0] - wide, box[1] - tall, box[2] + wide, box[3] + tall))
    for box in safe:
        bare &= ~((grid >= box[:2]) & (grid <= box[2:])).all(axis=1)
    return float(bare.mean())


@settings(max_examples=80, deadline=None)
@given(
    st.floats(2, 14),
    st.floats(-14, -2),
    st.floats(0.75, 1.3),
    st.floats(-20, 20),
    st.integers(0, 1000),
    st.booleans(),
    st.integers(0, 40),
)
def test_a_face_that_was_followed_is_never_bare_for_more_than_a_rim(
    speed_px: float, other_px: float, ratio: float, rise_px: float, seed: int, older: bool, wait: int
) -> None:
    """Whoever crosses whom, however fast, and however long who is behind stays there, up to 1.3 s."""
    first = person(100, speed_px, 60, seed=seed)
    second = person(520, other_px, 60 * ratio, 200 + rise_px, seed=seed + 1)
    people = (first, second) if older else (second, first)
    people[1].stands = round(400 / (speed_px - other_px)), wait
    passage = Passage(*people)
    followed: set[int] = set()
    for _ in range(round(700 / (speed_px - other_px)) + wait):
        view, points = passage.frame()
        if view.in_doubt or not view.faces:
            continue
        followed |= {whose(face, points) for face in view.faces}
        for index in followed:
            assert bare_share(points[index], points[:index], view) < 0.3, (passage.number, index)


@pytest.mark.parametrize("seconds", [4, 8])
def test_beside_who_stays_there_alone_the_covers_go(seconds: int) -> None:
    front, back = person(320, 0, 70, seed=5), person(100, 5, 60, seed=6)
    back.stands = 44, 10_000
    passage = Passage(front, back)
    covered = [bool(passage.frame()[0].strangers) for _ in range(44 + 30 * seconds)]
    assert any(covered[44:60])
    assert not any(covered[44 + round(3.5 * 30) :])


def test_twins_of_an_instant_are_one_face() -> None:
    one = person(200, 0)
    passage = Passage(one)
    passage.frame()
    other = CropRegion((210, 205), side_of(box_of(one.points(0))) * 1.5, 0.0)
    passage.tracker.begin(2 * FRAME_NS, 0, DULL)
    box = box_of(one.points(0) + np.float32([side_of(box_of(one.points(0))) * 0.7, 0, 0]))
    four = np.full((4, 2), 250, np.float32)
    passage.tracker.admit((Detection(box, four, 0.9),))
    for seed in passage.tracker.seeds():
        passage.tracker.update(seed.track_id, passage._landmarks(other))
    assert [face.id for face in passage.tracker.end().faces] == [1]


def tracked(number: int, x: float, frames: int, speed_px: float = 0.0, seed: int = 0) -> Track:
    """A track that has watched one person up to frame `frames` - 1."""
    someone = person(x, speed_px, seed=seed)
    track = Track(number, CropRegion((x, 200), 150, 0.0), OneEuroSettings())
    track.born_ns = 0
    for frame in range(frames):
        look(track, someone.points(frame), frame)
        track.settle(frame * FRAME_NS)
    return track


def look(track: Track, points: np.ndarray, frame: int) -> None:
    track.see(Landmarks(points, 0.9), box_of(points), frame * FRAME_NS)


@pytest.mark.parametrize("younger_is_right", [False, True])
def test_the_face_is_that_of_whom_it_fits_and_the_other_is_behind(younger_is_right: bool) -> None:
    front, behind = tracked(2 if younger_is_right else 1, 200, 30), tracked(9, 255, 30, seed=4)
    behind.id = 1 if younger_is_right else 2
    look(front, person(200, 0).points(30), 30)
    look(behind, person(200, 0).points(30), 30)
    met = twins([front, behind], 30 * FRAME_NS)
    assert met is not None
    assert (met.stays, met.goes, met.told, met.hidden) == (front, behind, True, True)


def test_when_motion_and_shape_cannot_tell_it_is_said() -> None:
    one, other = tracked(1, 200, 30), tracked(2, 200, 30)
    met = twins([one, other], 29 * FRAME_NS)
    assert met is not None
    assert (met.stays, met.told, met.hidden) == (one, False, True)


def test_one_that_has_just_appeared_on_a_known_face_was_never_anybody() -> None:
    known, fresh = tracked(5, 200, 30), tracked(3, 200, 2)
    fresh.born_ns = 28 * FRAME_NS
    met = twins([fresh, known], 29 * FRAME_NS)
    assert met is not None
    assert (met.stays, met.told, met.hidden) == (known, True, False)


def test_two_that_have_exchanged_their_faces_trade_them_back() -> None:
    one, other = tracked(1, 200, 30, seed=1), tracked(2, 270, 30, seed=2)
    here, there = person(200, 0, seed=1).points(30), person(270, 0, seed=2).points(30)
    look(one, there, 30)
    look(other, here, 30)
    mark_crowds([one, other], [])
    assert one.crowded
    untangle([one, other], 30 * FRAME_NS)
    assert (one.box, other.box) == (box_of(here), box_of(there))
    untangle([one, other], 30 * FRAME_NS)
    assert (one.box, other.box) == (box_of(here), box_of(there))


def test_a_lost_face_is_behind_another_only_if_that_one_hides_most_of_it() -> None:
    lost, front = tracked(1, 200, 30), tracked(2, 225, 30)
    lost.lose()
    assert occluded(lost, [lost, front], 30 * FRAME_NS)
    beside = tracked(3, 290, 30)
    assert not occluded(lost, [lost, beside], 30 * FRAME_NS)


def test_a_face_whose_points_go_over_to_another_is_covered_where_it_should_be() -> None:
    drawn, front = tracked(1, 200, 30), tracked(2, 260, 30)
    assert adrift([drawn, front], 30 * FRAME_NS) == ()
    mark_crowds([drawn, front], [])
    assert adrift([drawn, front], 30 * FRAME_NS) == ()
    place = drawn.box
    look(drawn, person(230, 0).points(30), 30)
    assert adrift([drawn, front], 30 * FRAME_NS) == (pytest.approx(place, abs=1),)
    drawn.crowded = False
    assert adrift([drawn, front], 30 * FRAME_NS) == ()


def test_while_points_go_over_to_another_the_tracker_says_where_to_cover() -> None:
    still, other = person(300, 0, 60, seed=1), person(383, 0, 60, seed=2)
    passage = Passage(other, still)
    for _ in range(20):
        view, points = passage.frame()
    assert view.strangers == ()
    place = box_of(points[1])
    still.x += 20
    view, _ = passage.frame()
    assert len(view.faces) == 2
    assert any(covered_share(place, box) > 0.9 for box in view.strangers)
