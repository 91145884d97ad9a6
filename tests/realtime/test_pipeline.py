import numpy as np
import pytest

from realtime.clock import NS_PER_S
from realtime.errors import BackendError
from realtime.frame import Frame, Outcome
from realtime.pipeline import Pipeline, PipelineFigures
from realtime.replacement import Replacement
from realtime.tracking import Tracker, TrackerSettings
from tests.fakes.clock import FakeClock
from tests.fakes.swapper import PAINT, PaintingSwapper, blank_source
from tests.fakes.vision import FakeDetector, FakeLandmarker, Stage

FRAME_NS = NS_PER_S // 30


class Rig:
    def __init__(self, stage: Stage, *sources: str, max_faces: int = 4) -> None:
        self.stage, self.swapper = stage, PaintingSwapper()
        self.detector, self.landmarker = FakeDetector(stage), FakeLandmarker(stage)
        self.figures = PipelineFigures()
        self.pipeline = Pipeline(
            self.detector,
            self.landmarker,
            Tracker(TrackerSettings(max_faces=max_faces)),
            Replacement(
                self.swapper, tuple(blank_source(name) for name in sources or ("anna",)), FakeClock()
            ),
            FakeClock(),
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
