import numpy as np
import pytest

from models.topology import CANONICAL
from realtime.casting.cast import Casting, CastingSettings
from realtime.casting.likeness import LOOK_EVERY_NS
from realtime.casting.parts import COVERED, Wear
from realtime.frame import Face, Frame
from realtime.identification import Identification, tells_something
from realtime.telemetry.histogram import Histogram
from tests.fakes.clock import FakeClock
from tests.fakes.people import looks_like
from tests.fakes.recognisers import PlacedRecogniser

WIDTH, HEIGHT = 640, 480


def face(number: int, x: float, yaw: float = 0.0, pitch: float = 0.0, size: float = 60.0, score=0.95) -> Face:
    """Turned by degrees; `size`: pixels between the outer eye corners, from the front."""
    a, b = np.radians([yaw, pitch])
    turn = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    nod = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    points = (CANONICAL @ (nod @ turn).T * size + (x, 200, 0)).astype(np.float32)
    return Face(number, points, score)


class Rig:
    def __init__(self, who="reference", references=1) -> None:
        vectors = tuple(looks_like(number) for number in range(1, 1 + references))
        settings = CastingSettings(who, references, COVERED, vectors if who == "reference" else ())
        self.recogniser, self.spent = PlacedRecogniser(), Histogram()
        self.identification = Identification(Casting(settings), self.recogniser, FakeClock(), self.spent)
        self.seq = 0

    def frame(self, *faces: Face):
        self.seq += 1
        bgr = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        return self.identification.cast(Frame(self.seq, self.seq * LOOK_EVERY_NS, bgr), faces)


def test_people_are_told_by_looks_and_each_look_is_counted() -> None:
    rig = Rig()
    faces = face(1, 150), face(2, 450)
    parts = [rig.frame(*faces) for _ in range(12)]
    assert parts[0] == {1: COVERED, 2: COVERED}
    assert parts[-1] == {1: Wear(0), 2: COVERED}
    assert set(rig.recogniser.looked) == {1, 4}
    assert rig.spent.count == len(rig.recogniser.looked)


def test_there_is_one_look_a_frame_at_most() -> None:
    rig = Rig()
    for frame in range(1, 5):
        rig.frame(*(face(number, 100 * number + 50) for number in range(1, 5)))
        assert len(rig.recogniser.looked) == frame


def test_nobody_is_looked_at_where_nobody_need_be() -> None:
    for who in ("many", "one", "left-to-right"):
        rig = Rig(who)
        assert rig.frame(face(1, 150)) == {1: Wear(0)}
        assert rig.recogniser.looked == []


def test_who_cannot_be_told_waits_and_the_others_do_not() -> None:
    rig = Rig(references=2)
    turned = [face(number, 100 * number + 50, yaw=60) for number in (3, 4, 5)]
    parts = [rig.frame(face(9, 250), *turned) for _ in range(5)]
    assert parts[-1] == {9: Wear(1), 3: COVERED, 4: COVERED, 5: COVERED}
    assert rig.recogniser.looked == [2, 2]


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        (face(1, 300), True),
        (face(1, 300, yaw=30), True),
        (face(1, 300, yaw=-40), False),
        (face(1, 300, yaw=40), False),
        (face(1, 300, pitch=25), True),
        (face(1, 300, pitch=35), False),
        (face(1, 300, size=12), False),
        (face(1, 300, score=0.7), False),
        (face(1, 300, score=float("nan")), False),
        (face(1, 10), False),
        (face(1, WIDTH - 10), False),
    ],
)
def test_a_face_that_tells_something(seen: Face, told: bool) -> None:
    assert tells_something(seen, WIDTH, HEIGHT) is told


def test_points_that_are_no_numbers_tell_nothing() -> None:
    assert not tells_something(Face(1, np.full((468, 3), np.nan, np.float32), 0.95), WIDTH, HEIGHT)


def test_a_recogniser_without_numbers_is_told_of_once_and_nobody_is_known(caplog) -> None:
    rig = Rig()
    rig.recogniser.answer = np.full(64, np.nan, np.float32)
    parts = [rig.frame(face(1, 150)) for _ in range(10)]
    assert parts[-1] == {1: COVERED}
    assert len(caplog.records) == 1


def test_closing_closes_the_recogniser() -> None:
    rig = Rig()
    rig.identification.close()
    assert rig.recogniser.closed == 1
    Identification(Casting(CastingSettings()), None, FakeClock(), Histogram()).close()
