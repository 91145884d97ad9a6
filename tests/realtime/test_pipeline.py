import threading

import numpy as np
import pytest

from realtime.casting.parts import COVERED, Leave, Wear
from realtime.clock import NS_PER_S
from realtime.errors import BackendError
from realtime.frame import Frame, Outcome
from realtime.pipeline import SHADOW_NS, Pipeline, PipelineFigures
from realtime.replacement import Replacement
from realtime.swap.base import Sliders
from realtime.swap.mesh import MeshPainter
from realtime.swap.patience import Late
from realtime.tracking import Tracker, TrackerSettings
from tests.fakes.casting import everybody
from tests.fakes.clock import FakeClock
from tests.fakes.swapper import PAINT, PaintingSwapper, blank_source
from tests.fakes.vision import FakeDetector, FakeLandmarker, Stage

FRAME_NS = NS_PER_S // 30


class Rig:
    def __init__(self, stage: Stage, *sources: str, max_faces: int = 4) -> None:
        self.stage, self.swapper = stage, PaintingSwapper()
        self.detector, self.landmarker = FakeDetector(stage), FakeLandmarker(stage)
        self.figures, self.clock = PipelineFigures(), FakeClock()
        self.pipeline = Pipeline(
            self.detector,
            self.landmarker,
            Tracker(TrackerSettings(max_faces=max_faces)),
            everybody(len(sources or ("anna",))),
            Replacement(
                MeshPainter(self.swapper, FakeClock()),
                tuple(blank_source(name) for name in sources or ("anna",)),
                FakeClock(),
            ),
            self.clock,
            self.figures,
        )
        self.seq = 0

    def frame(self):  # type: ignore[no-untyped-def]
        self.seq += 1
        rng = np.random.default_rng(5)
        bgr = rng.integers(0, 100, (480, 640, 3)).astype(np.uint8)
        return self.pipeline.process(Frame(self.seq, self.seq * FRAME_NS, bgr))


def test_the_face_is_replaced_and_the_rest_is_the_frame() -> None:
    result = Rig(Stage(((200, 200), 100))).frame()
    assert result.outcome is Outcome.SWAPPED
    assert (result.bgr[160:240, 160:240] == PAINT).all()
    outside = np.ones((480, 640), bool)
    outside[148:252, 148:252] = False
    assert (result.bgr[outside] == result.frame.bgr[outside]).all()


def test_the_frame_itself_is_never_written_to() -> None:
    rig = Rig(Stage(((200, 200), 100), ((450, 300), 80)))
    result = rig.frame()
    assert result.frame.bgr.max() < 100
    assert not np.shares_memory(result.bgr, result.frame.bgr)


def test_no_face_is_nothing_to_show() -> None:
    result = Rig(Stage()).frame()
    assert result.outcome is Outcome.NO_FACE
    assert result.faces == ()


def test_a_face_in_doubt_makes_the_frame_unfit_though_others_were_replaced() -> None:
    rig = Rig(Stage(((200, 200), 100), ((500, 200), 100)))
    assert rig.frame().outcome is Outcome.SWAPPED
    rig.stage.hidden.add(0)
    rig.stage.unseen.add(0)
    assert rig.frame().outcome is Outcome.NO_FACE


@pytest.mark.parametrize("why", ["no landmarks fit", "past the limit"])
def test_a_face_that_cannot_be_replaced_is_covered(why: str) -> None:
    rig = Rig(Stage(((200, 200), 100), ((500, 200), 100)), max_faces=1 if why == "past the limit" else 4)
    if why == "no landmarks fit":
        rig.stage.hidden.add(1)
    result = rig.frame()
    assert result.outcome is Outcome.SWAPPED
    bare, shown = result.frame.bgr[150:250, 450:550], result.bgr[150:250, 450:550]
    assert len(np.unique(shown.reshape(-1, 3), axis=0)) <= 16
    assert abs(np.corrcoef(bare.ravel(), shown.ravel())[0, 1]) < 0.2


def test_a_newcomer_is_replaced_under_a_cover_that_fades() -> None:
    rig = Rig(Stage(((200, 200), 100)))
    for _ in range(30):
        rig.frame()
    rig.stage.faces.append(((480, 200), 100))
    pictures = [rig.frame() for _ in range(30)]
    born = next(index for index, result in enumerate(pictures) if len(result.faces) == 2)
    bare = pictures[0].frame.bgr[160:240, 440:520].astype(float)
    for result in pictures[born:]:
        shown = result.bgr[160:240, 440:520]
        assert result.outcome is Outcome.SWAPPED
        assert abs(np.corrcoef(bare.ravel(), shown.ravel() + np.linspace(0, 1e-3, shown.size))[0, 1]) < 0.1
    assert (pictures[born].bgr[160:240, 440:520] != PAINT).mean() > 0.3
    assert (pictures[-1].bgr[160:240, 440:520] == PAINT).all()


def test_where_a_face_has_gone_the_cover_fades_out() -> None:
    rig = Rig(Stage(((200, 200), 100), ((480, 200), 100)))
    for _ in range(5):
        rig.frame()
    rig.stage.faces.pop()
    shown = [result for result in (rig.frame() for _ in range(30)) if result.outcome is Outcome.SWAPPED]
    place = np.s_[160:240, 440:520]
    likeness = [np.corrcoef(one.bgr[place].ravel(), one.frame.bgr[place].ravel())[0, 1] for one in shown]
    assert likeness[0] < 0.2
    assert likeness == sorted(likeness)
    assert (shown[-1].bgr[place] == shown[-1].frame.bgr[place]).all()


def test_a_patch_brings_back_no_face_that_is_replaced_or_covered_already() -> None:
    rig = Rig(Stage(((200, 200), 100), ((290, 200), 80)))
    rig.swapper.frame_px = 40
    result = rig.frame()
    assert (result.bgr[165:235, 255:325] == PAINT).all()
    assert (result.bgr[155:245, 155:245] == PAINT).all()


def test_several_faces_get_the_sources_in_turn() -> None:
    rig = Rig(Stage(((100, 200), 80), ((300, 200), 80), ((500, 200), 80)), "anna", "ben")
    rig.frame()
    assert rig.swapper.sources == ["anna", "ben", "anna"]


def test_detector_calls_and_tracked_frames_are_counted_and_the_stages_timed() -> None:
    rig = Rig(Stage(((200, 200), 100)))
    for _ in range(60):
        rig.frame()
    counts = rig.figures
    assert counts.frames == 60
    assert counts.detector_calls == rig.detector.calls <= 60 / 7
    assert counts.tracked == 60 - rig.detector.calls
    assert rig.figures.stages["swap"].count == 60
    assert rig.figures.stages["detect"].count == rig.detector.calls


def test_what_a_stage_raises_comes_out() -> None:
    rig = Rig(Stage(((200, 200), 100)))
    rig.swapper.fail = BackendError("the swap broke", "mend it")
    with pytest.raises(BackendError, match="the swap broke"):
        rig.frame()


def test_close_frees_the_models() -> None:
    rig = Rig(Stage())
    rig.pipeline.close()
    rig.pipeline.close()
    assert rig.detector.closed


class Hesitant(MeshPainter):
    """Has nothing to show until the test says so."""

    def __init__(self, swapper: PaintingSwapper, shows: bool = False) -> None:
        super().__init__(swapper, FakeClock())
        self.shows, self.waited, self.begun = shows, [], 0
        self.closed = threading.Event()

    def begin(self, frame, wearers, times, *, wait=True, aside=()) -> bool:  # type: ignore[no-untyped-def]
        self.begun += 1
        self.waited.append(wait)
        return self.shows

    def paint(self, picture, frame, wearer, times):  # type: ignore[no-untyped-def]
        return self.shows and super().paint(picture, frame, wearer, times)

    def close(self) -> None:
        self.closed.set()


BLUE = (200, 0, 0)


def offered(rig: Rig, painter: Hesitant) -> None:
    rig.pipeline.offer(Replacement(painter, (blank_source("berta"),), FakeClock()))


def test_a_face_that_cannot_be_shown_is_covered_and_the_picture_is_not_for_publication() -> None:
    rig = Rig(Stage(((200, 200), 100)))
    rig.pipeline._replacement = Replacement(Hesitant(rig.swapper), (blank_source("anna"),), FakeClock())
    result = rig.frame()
    assert (result.outcome, result.refused) == (Outcome.FAULT, True)
    assert rig.figures.covered == 1


def test_one_face_is_shown_while_another_has_to_be_covered() -> None:
    rig = Rig(Stage(((150, 240), 100), ((450, 240), 80)))
    seen: list[int] = []

    class OnlyTheFirst(Hesitant):
        def paint(self, picture, frame, wearer, times):  # type: ignore[no-untyped-def]
            seen.append(wearer.face.id)
            self.shows = wearer.face.id == 1
            return super().paint(picture, frame, wearer, times)

    rig.pipeline._replacement = Replacement(OnlyTheFirst(rig.swapper), (blank_source("anna"),), FakeClock())
    result = rig.frame()
    assert result.outcome is Outcome.SWAPPED
    assert len(seen) == 2
    assert rig.figures.covered == 1
    other = next(face for face in result.faces if face.id != 1)
    x0, y0, x1, y1 = map(int, other.box)
    region = result.bgr[y0:y1, x0:x1].reshape(-1, 3)
    assert len(np.unique(region, axis=0)) <= 16, "nothing but flat cells"


def test_another_replacement_takes_over_only_when_it_has_something_to_show() -> None:
    rig = Rig(Stage(((200, 200), 100)))
    rig.frame()
    painter = Hesitant(PaintingSwapper(BLUE))
    offered(rig, painter)
    for _ in range(5):
        result = rig.frame()
        assert result.outcome is Outcome.SWAPPED
        assert (result.bgr[160:240, 160:240] == PAINT).all(), "the old one serves"
    painter.shows = True
    result = rig.frame()
    assert (result.bgr[160:240, 160:240] == BLUE).all()
    assert painter.waited[:6] == [False] * 6, "while it only looks on, no frame waits for it"
    assert painter.waited[6:] == [True]


def test_the_replacement_that_served_is_closed_when_another_has_taken_over() -> None:
    rig = Rig(Stage(((200, 200), 100)))
    old, new = Hesitant(rig.swapper, shows=True), Hesitant(PaintingSwapper(BLUE), shows=True)
    rig.pipeline._replacement = Replacement(old, (blank_source("anna"),), FakeClock())
    offered(rig, new)
    rig.frame()
    assert old.closed.wait(10)
    rig.pipeline.close()
    assert new.closed.is_set()


def test_of_two_that_were_offered_the_later_takes_over() -> None:
    rig = Rig(Stage(((200, 200), 100)))
    first, second = Hesitant(PaintingSwapper(BLUE)), Hesitant(PaintingSwapper(BLUE), shows=True)
    offered(rig, first)
    rig.frame()
    offered(rig, second)
    result = rig.frame()
    assert first.closed.is_set()
    assert (result.bgr[160:240, 160:240] == BLUE).all()


def test_one_that_never_has_anything_to_show_takes_over_in_the_end_and_covers() -> None:
    rig = Rig(Stage(((200, 200), 100)))
    offered(rig, Hesitant(PaintingSwapper(BLUE)))
    rig.frame()
    rig.clock.advance(SHADOW_NS)
    assert rig.frame().refused


def test_sliders_are_told_between_frames_in_their_order() -> None:
    rig = Rig(Stage(((200, 200), 100)))
    told: list[Sliders] = []

    class Listening(Hesitant):
        def adjust(self, sliders: Sliders) -> None:
            told.append(sliders)

    rig.pipeline._replacement = Replacement(
        Listening(rig.swapper, shows=True), (blank_source("anna"),), FakeClock()
    )
    wanted = [Sliders(late) for late in Late]
    for sliders in wanted:
        rig.pipeline.adjust(sliders)
    assert told == []
    rig.frame()
    assert told == wanted


def test_another_face_is_worn_from_the_next_frame_on() -> None:
    rig = Rig(Stage(((200, 200), 100)))
    rig.frame()
    rig.pipeline.wear((blank_source("berta"),))
    rig.frame()
    assert rig.swapper.sources[-2:] == ["anna", "berta"]


class Cast:
    """Gives each face the part that the test says."""

    def __init__(self, **parts: object) -> None:
        self.parts = {int(key.removeprefix("n")): part for key, part in parts.items()}

    def cast(self, frame, faces):  # type: ignore[no-untyped-def]
        return {face.id: self.parts[face.id] for face in faces}

    def close(self) -> None:
        pass


def beside(rig: Rig, **parts: object):  # type: ignore[no-untyped-def]
    rig.pipeline._identification = Cast(**parts)  # type: ignore[assignment]
    result = rig.frame()
    by_id = {face.id: face for face in result.faces}

    def inside(number: int) -> np.ndarray:
        x0, y0, x1, y1 = map(int, by_id[number].box)
        shrink = (x1 - x0) // 4
        return np.s_[y0 + shrink : y1 - shrink, x0 + shrink : x1 - shrink]  # type: ignore[return-value]

    return result, inside


def test_who_is_covered_on_purpose_is_no_reason_to_show_nothing() -> None:
    rig = Rig(Stage(((150, 240), 100), ((450, 240), 80)))
    result, inside = beside(rig, n1=COVERED, n2=COVERED)
    assert result.outcome is Outcome.SWAPPED
    for number in (1, 2):
        assert len(np.unique(result.bgr[inside(number)].reshape(-1, 3), axis=0)) <= 16
    assert rig.figures.covered == 0, "nobody was refused"


def test_who_is_left_bare_is_left_and_the_other_is_not() -> None:
    rig = Rig(Stage(((150, 240), 100), ((450, 240), 80)))
    result, inside = beside(rig, n1=Leave(), n2=Wear(0))
    np.testing.assert_array_equal(result.bgr[inside(1)], result.frame.bgr[inside(1)])
    assert (result.bgr[inside(2)] == PAINT).all()


def test_the_cover_of_one_does_not_blot_the_face_that_another_wears() -> None:
    rig = Rig(Stage(((200, 240), 100), ((310, 240), 100)))
    result, inside = beside(rig, n1=COVERED, n2=Wear(0))
    assert (result.bgr[inside(2)] == PAINT).all()


def test_the_bare_face_does_not_shine_through_one_that_is_left() -> None:
    rig = Rig(Stage(((200, 240), 100), ((270, 240), 100)))
    result, _ = beside(rig, n1=COVERED, n2=Leave())
    x0, y0, x1, y1 = map(int, next(face for face in result.faces if face.id == 1).box)
    region = result.bgr[y0:y1, x0:x1].reshape(-1, 3)
    assert len(np.unique(region, axis=0)) <= 16, "all of the covered face is covered, though one is before it"


def test_one_that_fails_while_it_looks_on_costs_no_frame(caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig(Stage(((200, 200), 100)))

    class Failing(Hesitant):
        def begin(self, frame, wearers, times, *, wait=True, aside=()) -> bool:  # type: ignore[no-untyped-def]
            raise BackendError("the device is gone", "restart")

    offered(rig, Failing(PaintingSwapper(BLUE)))
    for _ in range(4):
        assert (rig.frame().bgr[160:240, 160:240] == PAINT).all(), "the old one serves"
    assert caplog.text.count("fails as yet: the device is gone") == 1
    rig.clock.advance(SHADOW_NS)
    with pytest.raises(BackendError, match="gone"):
        rig.frame()


def test_what_was_offered_and_never_looked_at_is_closed() -> None:
    rig = Rig(Stage(((200, 200), 100)))
    painter = Hesitant(PaintingSwapper(BLUE))
    offered(rig, painter)
    rig.pipeline.close()
    assert painter.closed.is_set()
