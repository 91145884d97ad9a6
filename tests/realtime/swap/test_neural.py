import logging
import threading
from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from models.errors import BackendError
from models.masks.masker import Masker
from models.masks.settings import BOX, HULL, OWN, MaskSettings
from models.neural.face import GivenFace, MadeFace, MadeFaces
from models.neural.settings import ChainSettings
from models.neural.source_feed import SourceFeed
from realtime.clock import NS_PER_MS, NS_PER_S
from realtime.frame import Face, Frame
from realtime.swap.base import Times, Wearer
from realtime.swap.heavy import HeavyThread
from realtime.swap.neural import NeuralPainter
from realtime.swap.patience import Late, Patience
from tests.fakes.clock import FakeClock
from tests.fakes.head import posed

FRAME_NS = NS_PER_S // 30
WAIT_S = 10.0
TEMPLATE = ("arcface_128", 128)
PLACE = (200, 200)
ANNA, BERTA = SourceFeed(), SourceFeed({"embedding": np.ones((1, 512), np.float32)})
COLOURS = {id(ANNA): (0, 0, 250), id(BERTA): (250, 0, 0)}


class FlatNetworks:
    """Paints each face flat, in the colour of whom it wears, when the test lets it."""

    def __init__(self) -> None:
        self.go = threading.Semaphore(0)
        self.fail: Exception | None = None
        self.refuse: BackendError | None = None
        self.jobs: list[Sequence[GivenFace]] = []
        self.closed = threading.Event()
        self.settings = ChainSettings()
        self.templates = (TEMPLATE,)

    def run(self, job: Sequence[GivenFace]) -> MadeFaces:
        self.jobs.append(job)
        assert self.go.acquire(timeout=WAIT_S)
        if self.fail is not None:
            raise self.fail
        return MadeFaces(tuple(map(self._made, job)), {"swap": 5})

    def _made(self, given: GivenFace) -> MadeFace:
        where = given.crops[TEMPLATE].where
        bgr = np.empty((where.size, where.size, 3), np.uint8)
        bgr[:] = COLOURS[id(given.feed)]
        return MadeFace(given, where, bgr, np.full((where.size, where.size), 255, np.uint8), self.refuse)

    def close(self) -> None:
        self.closed.set()


class Rig:
    def __init__(self, late: Late = Late.NEVER) -> None:
        self.clock, self.networks = FakeClock(), FlatNetworks()
        self.heavy: HeavyThread[Sequence[GivenFace], MadeFaces] = HeavyThread(
            lambda: self.networks, self.clock
        )
        self.heavy.start(WAIT_S)
        self.masks = Masker(MaskSettings(masks=(BOX, HULL, OWN)), {})
        self.patience = Patience(late)
        self.painter = NeuralPainter(self.heavy, self.networks, self.masks, self.patience, self.clock)
        self.seq = 0
        self.times = Times()

    def frame(self, *places: tuple[int, int], feed: SourceFeed = ANNA, wait: bool = True) -> np.ndarray:
        """The next frame of the camera, painted where it could be; grey where it was not."""
        self.seq += 1
        self.clock.advance(FRAME_NS)
        frame = Frame(self.seq, self.clock.now_ns(), np.full((400, 600, 3), 60, np.uint8))
        wearers = [
            Wearer(Face(number, posed(place, 70), 0.9), feed) for number, place in enumerate(places, 1)
        ]
        self.times = Times()
        self.ready = self.painter.begin(frame, wearers, self.times, wait=wait)
        picture = frame.bgr.copy()
        self.painted = [self.painter.paint(picture, frame, wearer, self.times) for wearer in wearers]
        return picture

    def finish_job(self) -> None:
        self.networks.go.release()
        assert self.heavy._settled.wait(WAIT_S)


@pytest.fixture
def rig() -> Iterator[Rig]:
    rig = Rig()
    rig.networks.go.release(1000)
    yield rig
    rig.painter.close()


@pytest.fixture
def late() -> Iterator[Rig]:
    rig = Rig(Late.ALWAYS)
    yield rig
    rig.networks.go.release(1000)
    rig.painter.close()


def middle(picture: np.ndarray, channel: int = 2) -> tuple[float, float]:
    """Where the paint lies, x and y."""
    rows, columns = np.nonzero(picture[:, :, channel] > 200)
    return float(columns.mean()), float(rows.mean())


def test_a_frame_that_waits_shows_its_own_face(rig: Rig) -> None:
    picture = rig.frame(PLACE)
    assert rig.painted == [True]
    assert tuple(picture[200, 200]) == COLOURS[id(ANNA)]
    assert rig.networks.jobs[0][0].captured_ns == rig.clock.now_ns()
    assert set(rig.times.spent_ns) == {"swap", "mask", "compose"}


def test_what_lies_outside_the_face_stays_as_it_is(rig: Rig) -> None:
    picture = rig.frame(PLACE)
    assert (picture[:, 320:] == 60).all()
    assert (picture[:90] == 60).all()


def test_all_faces_of_a_frame_are_one_job(rig: Rig) -> None:
    rig.frame((150, 200), (430, 200))
    assert [[given.id for given in job] for job in rig.networks.jobs] == [[1, 2]]
    assert rig.painted == [True, True]


def test_a_late_face_is_put_where_the_face_is_now(late: Rig) -> None:
    late.frame(PLACE)
    assert late.painted == [False], "nothing is made yet: the face is to be covered"
    late.finish_job()
    here = middle(late.frame(PLACE))
    for step in range(1, 6):
        x, y = middle(late.frame((PLACE[0] + 20 * step, PLACE[1] + 4 * step)))
        assert x - here[0] == pytest.approx(20 * step, abs=0.6)
        assert y - here[1] == pytest.approx(4 * step, abs=0.6)
    assert len(late.networks.jobs) == 2, "the second is still running"


def test_a_late_face_is_of_one_make_and_not_torn(late: Rig) -> None:
    late.frame(PLACE, feed=ANNA)
    late.finish_job()
    picture = late.frame((260, 210), feed=BERTA)
    inside = picture[180:240, 230:290].reshape(-1, 3)
    assert {tuple(colour) for colour in inside} == {COLOURS[id(ANNA)]}
    late.finish_job()
    picture = late.frame((260, 210), feed=BERTA)
    inside = picture[180:240, 230:290].reshape(-1, 3)
    assert {tuple(colour) for colour in inside} == {COLOURS[id(BERTA)]}


def test_the_networks_look_at_the_newest_frame_when_they_are_free(late: Rig) -> None:
    for _ in range(5):
        late.frame(PLACE)
    assert late.heavy.busy
    late.finish_job()
    late.frame((300, 200))
    assert len(late.networks.jobs) <= 2
    late.networks.go.release(2)
    assert late.heavy._settled.wait(WAIT_S)
    assert late.networks.jobs[1][0].captured_ns == late.clock.now_ns()


def test_the_networks_do_not_see_the_frames_own_memory(late: Rig) -> None:
    late.frame(PLACE)
    given = late.networks.jobs[0][0] if late.networks.jobs else None
    late.finish_job()
    given = given or late.networks.jobs[0][0]
    assert given.crops[TEMPLATE].bgr.base is None
    assert given.crops[TEMPLATE].bgr.shape == (128, 128, 3)


def test_a_face_made_too_long_ago_is_shown_no_more(late: Rig) -> None:
    late.frame(PLACE)
    late.finish_job()
    late.frame(PLACE)
    assert late.painted == [True]
    late.clock.advance(NS_PER_S)
    late.frame(PLACE)
    assert late.painted == [False]


def test_somebody_new_has_nothing_to_show_while_the_others_do(late: Rig) -> None:
    late.frame((150, 200))
    late.finish_job()
    late.frame((150, 200), (430, 200))
    assert late.painted == [True, False]
    assert not late.ready


def test_one_that_only_looks_on_does_not_wait(late: Rig) -> None:
    late.patience.late = Late.NEVER
    late.frame(PLACE, wait=False)
    assert late.painted == [False]
    late.finish_job()
    late.frame(PLACE, wait=False)
    assert late.ready


def test_a_refused_face_is_covered_once_the_last_good_one_is_too_old(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    rig.frame(PLACE)
    rig.networks.refuse = BackendError("the network painted nothing", "try another")
    with caplog.at_level(logging.WARNING):
        for _ in range(5):
            rig.frame(PLACE)
            assert rig.painted == [True]
        rig.clock.advance(600 * NS_PER_MS)
        rig.frame(PLACE)
    assert rig.painted == [False]
    assert caplog.text.count("a face is covered: the network painted nothing") == 1


def test_what_the_networks_raise_fails_the_frame(rig: Rig) -> None:
    rig.networks.fail = ValueError("odd")
    with pytest.raises(BackendError, match="odd"):
        rig.frame(PLACE)
    rig.networks.fail = None
    rig.frame(PLACE)
    assert rig.painted == [True]


def test_nobody_there_is_no_job(rig: Rig) -> None:
    rig.frame()
    assert rig.networks.jobs == []


def test_closing_ends_the_networks(rig: Rig) -> None:
    rig.painter.close()
    assert rig.networks.closed.is_set()


def test_a_face_that_touches_another_is_made_without_the_others_bare_pixels(rig: Rig) -> None:
    secret = np.full((400, 600, 3), 60, np.uint8)
    near, far = posed((285, 200), 70), posed((200, 200), 70)
    low, high = near[:, :2].min(axis=0).astype(int), near[:, :2].max(axis=0).astype(int)
    secret[low[1] : high[1], low[0] : high[0]] = np.random.default_rng(1).integers(
        0, 255, (*(high - low)[::-1], 3), np.uint8
    )
    frame = Frame(1, rig.clock.now_ns(), secret)
    wearers = [Wearer(Face(1, far, 0.9), ANNA), Wearer(Face(2, near, 0.9), ANNA)]
    assert far[:, 0].max() > near[:, 0].min(), "they touch"
    rig.painter.begin(frame, wearers, Times())
    seen = {given.id: given.crops[TEMPLATE].bgr for given in rig.networks.jobs[0]}
    right = seen[1][:, 110:]
    assert len(np.unique(right.reshape(-1, 3), axis=0)) < 200, "of the other nothing but flat cells"
    assert len(np.unique(seen[2].reshape(-1, 3), axis=0)) > 5000, "its own is all there"


def test_nor_with_those_of_somebody_who_wears_nothing(rig: Rig) -> None:
    secret = np.random.default_rng(1).integers(0, 255, (400, 600, 3), np.uint8)
    frame = Frame(1, rig.clock.now_ns(), secret)
    wearer = Wearer(Face(1, posed((200, 200), 70), 0.9), ANNA)
    rig.painter.begin(frame, [wearer], Times())
    rig.painter.begin(frame, [wearer], Times(), aside=[(230.0, 150.0, 330.0, 260.0)])
    without, beside = (job[0].crops[TEMPLATE].bgr for job in rig.networks.jobs)
    strip = np.s_[50:80, 108:]
    assert len(np.unique(without[strip].reshape(-1, 3), axis=0)) > 300
    assert len(np.unique(beside[strip].reshape(-1, 3), axis=0)) < 150
