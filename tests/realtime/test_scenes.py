"""Scenes that go wrong easily, drawn, through the real pipeline with the default models."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.detector import Detector, open_detector
from models.landmarker import FaceMesh, open_landmarker
from realtime.clock import NS_PER_S
from realtime.frame import Frame, Outcome, Result
from realtime.pipeline import Pipeline, PipelineFigures
from realtime.places import LANDMARKER
from realtime.replacement import Replacement
from realtime.swap.mesh import MeshPainter
from realtime.tracking import Tracker, TrackerSettings
from tests.data import portrait
from tests.fakes.casting import everybody
from tests.fakes.clock import FakeClock
from tests.fakes.crowd import FACE_SHARE, crowd, tinted_face
from tests.fakes.swapper import PaintingSwapper, blank_source

SIZE = (640, 360)
FRAME_NS = NS_PER_S // 30
PALE, DARK = tinted_face(), tinted_face(-35)

Place = tuple[float, float]


@pytest.fixture(scope="module")
def models(default_models: Path) -> Iterator[tuple[Detector, FaceMesh]]:
    detector = open_detector("blazeface_short_range", default_models)
    landmarker = open_landmarker(LANDMARKER, default_models)
    yield detector, landmarker
    detector.close()
    landmarker.close()


class Scene:
    def __init__(self, models: tuple[Detector, FaceMesh]) -> None:
        self.figures = PipelineFigures()
        self.swapper = PaintingSwapper()
        replacement = Replacement(
            MeshPainter(self.swapper, FakeClock()), (blank_source("anna"),), FakeClock()
        )
        tracker = Tracker(TrackerSettings())
        self.pipeline = Pipeline(*models, tracker, everybody(), replacement, FakeClock(), self.figures)
        self.seq = 0

    def show(self, bgr: np.ndarray) -> Result:
        self.seq += 1
        return self.pipeline.process(Frame(self.seq, self.seq * FRAME_NS, bgr))


def owners(result: Result, *places: Place) -> dict[int, int]:
    """Id to the index of the nearest place."""
    middles = {face.id: face.points[:, :2].mean(axis=0) for face in result.faces}
    return {
        number: int(np.argmin([np.hypot(*(middle - place)) for place in places]))
        for number, middle in middles.items()
    }


@pytest.mark.parametrize("front", ["older", "younger"])
def test_two_people_cross_and_no_face_jumps(models: tuple[Detector, FaceMesh], front: str) -> None:
    scene = Scene(models)
    seen: dict[int, set[int]] = {}
    for step in range(96):
        left, right = (110 + 4.5 * step, 185.0), (530 - 4.5 * step, 178.0)
        people = [(PALE, left, 280.0), (DARK, right, 220.0)]
        result = scene.show(crowd(SIZE, *(people[::-1] if front == "older" else people)))
        if abs(left[0] - right[0]) > 40:
            for number, index in owners(result, left, right).items():
                seen.setdefault(number, set()).add(index)
    assert all(len(people) == 1 for people in seen.values()), seen
    assert len(result.faces) == 2
    assert result.outcome is Outcome.SWAPPED


def test_the_cover_of_who_is_behind_does_not_show_in_the_eyes_of_who_is_in_front(
    models: tuple[Detector, FaceMesh],
) -> None:
    scene = Scene(models)
    scene.swapper.alpha = 0
    covered = 0
    for step in range(60):
        left, right = (110 + 4.5 * step, 185.0), (530 - 4.5 * step, 178.0)
        frame = crowd(SIZE, (DARK, right, 220), (PALE, left, 280))
        result = scene.show(frame)
        if len(result.faces) == 1 and (result.bgr != frame).any():
            covered += 1
            for index in (133, 362, 13):
                x, y = result.faces[0].points[index, :2].astype(int)
                assert (result.bgr[y, x] == frame[y, x]).all()
    assert covered > 5


def test_a_poster_behind_a_person_gets_nothing_of_him(models: tuple[Detector, FaceMesh]) -> None:
    scene = Scene(models)
    poster = (330.0, 150.0)
    seen: dict[int, set[int]] = {}
    for step in range(100):
        person = (60 + 5.5 * step, 200.0)
        result = scene.show(crowd(SIZE, (DARK, poster, 170), (PALE, person, 310)))
        if abs(person[0] - poster[0]) > 90:
            for number, index in owners(result, poster, person).items():
                seen.setdefault(number, set()).add(index)
    assert all(len(people) == 1 for people in seen.values()), seen
    assert set.union(*seen.values()) == {0, 1}


@pytest.mark.parametrize("way", [(-1, 0), (1, 0), (0, -1), (0, 1)])
def test_a_face_leaves_at_an_edge_and_comes_back(
    models: tuple[Detector, FaceMesh], way: tuple[int, int]
) -> None:
    scene = Scene(models)
    away = [8.0 * step for step in range(60)]
    outcomes = []
    for distance in away + away[::-1]:
        x, y = 320 + way[0] * distance, 180 + way[1] * distance * 0.75
        result = scene.show(crowd(SIZE, (PALE, (x, y), 240)))
        outcomes.append(result.outcome)
        half = 240 * FACE_SHARE / 2
        if -half < x < SIZE[0] + half and -half < y < SIZE[1] + half and result.outcome is Outcome.SWAPPED:
            assert len(owners(result, (x, y))) == 1
            assert np.hypot(*(result.faces[0].points[:, :2].mean(axis=0) - (x, y))) < 0.25 * 240
    assert outcomes[0] is outcomes[-1] is Outcome.SWAPPED
    assert outcomes[len(away)] is Outcome.NO_FACE


def test_of_twenty_faces_eight_are_replaced_and_all_that_are_found_are_hidden(
    models: tuple[Detector, FaceMesh],
) -> None:
    scene = Scene(models)
    places = [(130.0 + 250 * (index % 5), 95.0 + 178 * (index // 5)) for index in range(20)]
    ids: set[int] = set()
    for step in range(30):
        people = [(PALE if index % 2 else DARK, (x + step, y), 200.0) for index, (x, y) in enumerate(places)]
        frame = crowd((1280, 720), *people)
        result = scene.show(frame)
        ids |= {face.id for face in result.faces}
        assert result.outcome is Outcome.SWAPPED
        assert len(result.faces) == 8
    assert ids == set(range(1, 9))
    bare = 0
    for x, y in places:
        eyes = np.s_[round(y - 25) : round(y + 25), round(x + 29 - 25) : round(x + 29 + 25)]
        bare += bool((result.bgr[eyes] == frame[eyes]).mean() > 0.5)
    assert bare == 0


@pytest.mark.parametrize("name", ["human_group-2.jpg", "human_group-3.jpg", "pyfeat_multi_face.jpg"])
def test_a_pan_over_a_group_keeps_every_number_on_its_face(
    models: tuple[Detector, FaceMesh], name: str
) -> None:
    picture = cv2.imread(str(portrait(name)))
    picture = cv2.resize(picture, (round(picture.shape[1] * 720 / picture.shape[0]), 720))
    scene = Scene(models)
    before: dict[int, np.ndarray] = {}
    for step in range(60):
        shift = 3.0 * step - 90
        matrix = np.array([[1, 0, shift + (1280 - picture.shape[1]) / 2], [0, 1, 0]])
        bgr = cv2.warpAffine(picture, matrix, (1280, 720), borderMode=cv2.BORDER_REPLICATE)
        result = scene.show(bgr)
        for face in result.faces:
            here = face.points[:, :2].mean(axis=0) - [shift, 0]
            if face.id in before:
                size = float(np.ptp(face.points[:, 0]))
                assert np.hypot(*(here - before[face.id])) < 0.2 * size, (step, face.id)
            before[face.id] = here
    assert len(result.faces) >= 2
