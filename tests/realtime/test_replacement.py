import numpy as np
import pytest

from models.errors import BackendError
from models.hidden import HiddenFace
from models.patch import Patch
from realtime.casting.parts import COVERED, Hide, Leave, Wear
from realtime.frame import Face, Frame
from realtime.replacement import Replacement as Replacing
from realtime.swap.base import Times
from realtime.swap.mesh import MeshPainter
from tests.fakes.clock import FakeClock
from tests.fakes.head import posed
from tests.fakes.occlusion import HandBefore, InvertingEnhancer
from tests.fakes.swapper import PAINT, PaintingSwapper, blank_source
from tests.fakes.vision import mesh

BLUR = HiddenFace("blur", "blur")
ANNA = blank_source("anna")
BOX = np.s_[155:245, 155:245]
"""Well inside the face that `face` makes."""
HAND = np.s_[155:245, 155:200]
BESIDE_HAND = np.s_[155:245, 200:245]


class SlowSwapper(PaintingSwapper):
    """A painting swapper that takes its time and tells when it was asked, and for whom."""

    def __init__(
        self, clock: FakeClock | None = None, cost_ns: int = 0, said: list[str] | None = None
    ) -> None:
        super().__init__()
        self.said = [] if said is None else said
        self.ids: list[int] = []
        self._clock, self._cost_ns = clock, cost_ns

    def swap(self, bgr, points, source, track_id=0) -> Patch:  # type: ignore[no-untyped-def]
        self.said.append("swap")
        self.ids.append(track_id)
        if self._clock is not None:
            self._clock.advance(self._cost_ns)
        return super().swap(bgr, points, source, track_id)


EVERYBODY = {track_id: Wear(0) for track_id in range(1, 4)}


def Replacement(swapper, worn, clock, occlusion=None, enhancer=None):
    return Replacing(MeshPainter(swapper, clock, occlusion, enhancer), worn, clock)


def frame(captured_ns=70):
    return Frame(1, captured_ns, np.random.default_rng(5).integers(0, 100, (400, 500, 3)).astype(np.uint8))


def face(track_id=1, centre=(200, 200)):
    return Face(track_id, mesh(centre, 100), 0.9)


def head(track_id=1):
    """A face whose points lie as a face's do."""
    return Face(track_id, posed((200, 200), 70), 0.9)


def replaced(replacement, one, shown=None, times=None):
    shown = frame() if shown is None else shown
    picture = shown.bgr.copy()
    replacement.replace(picture, shown, one, Wear(one.id - 1), Times() if times is None else times)
    return picture


def test_the_face_is_drawn_and_the_rest_is_the_picture():
    swapper, shown = PaintingSwapper(), frame()
    picture = replaced(Replacement(swapper, (ANNA,), FakeClock()), face(), shown)
    assert (picture[BOX] == PAINT).all()
    outside = np.ones((400, 500), bool)
    outside[148:252, 148:252] = False
    np.testing.assert_array_equal(picture[outside], shown.bgr[outside])


def test_it_is_drawn_then_enhanced_then_what_stands_before_it_is_kept():
    said: list[str] = []
    replacement = Replacement(
        SlowSwapper(said=said), (ANNA,), FakeClock(), HandBefore(200, said=said), InvertingEnhancer(said=said)
    )
    replaced(replacement, face())
    assert said == ["swap", "enhance", "visible", "onto"]


def test_the_time_of_each_stage_is_counted():
    clock, times = FakeClock(), Times()
    replacement = Replacement(
        SlowSwapper(clock, 5), (ANNA,), clock, HandBefore(200, clock, 7), InvertingEnhancer(clock, 11)
    )
    replaced(replacement, face(), times=times)
    assert times.spent_ns == {"swap": 5, "enhance": 11, "mask": 7, "compose": 0}
    replaced(replacement, face(2), times=times)
    assert times.spent_ns == {"swap": 10, "enhance": 22, "mask": 14, "compose": 0}


def test_a_stage_that_did_not_run_is_not_counted():
    clock = FakeClock()
    times = Times()
    replaced(Replacement(SlowSwapper(clock, 5), (ANNA,), clock), face(), times=times)
    assert times.spent_ns == {"swap": 5, "compose": 0}
    hidden = Times()
    everything = HandBefore(200, clock, 7), InvertingEnhancer(clock, 11)
    replaced(Replacement(SlowSwapper(clock, 5), (BLUR,), clock, *everything), head(), times=hidden)
    assert hidden.spent_ns == {"swap": 0, "compose": 0}


def test_what_stands_before_the_face_keeps_the_frames_own_pixels():
    shown = frame()
    picture = replaced(Replacement(PaintingSwapper(), (ANNA,), FakeClock(), HandBefore(200)), face(), shown)
    np.testing.assert_array_equal(picture[HAND], shown.bgr[HAND])
    assert (picture[BESIDE_HAND] == PAINT).all()


def test_a_cover_shows_no_more_of_a_patch_than_it_had():
    swapper = PaintingSwapper()
    swapper.alpha = 0
    shown = frame()
    picture = replaced(Replacement(swapper, (ANNA,), FakeClock(), HandBefore(0)), face(), shown)
    np.testing.assert_array_equal(picture, shown.bgr)


def test_the_occlusion_sees_the_bare_frame_and_knows_whose_face_it_is():
    occlusion, shown = HandBefore(200), frame(captured_ns=1234)
    picture = np.full_like(shown.bgr, 7)
    one = face(3)
    Replacement(PaintingSwapper(), (ANNA,), FakeClock(), occlusion).replace(
        picture, shown, one, Wear(0), Times()
    )
    ((bgr, points, track_id, captured_ns),) = occlusion.seen
    np.testing.assert_array_equal(bgr, shown.bgr)
    assert points is one.points
    assert (track_id, captured_ns) == (3, 1234)


def test_a_face_is_drawn_of_the_picture_so_far_and_the_frame_is_only_read():
    """The patch carries some of what is round the face: of another's, which is replaced already."""
    swapper, shown = PaintingSwapper(), frame()
    swapper.frame_px = 40
    shown.bgr.setflags(write=False)
    picture = np.full_like(shown.bgr, 7)
    Replacement(swapper, (ANNA,), FakeClock()).replace(picture, shown, face(), Wear(0), Times())
    assert set(np.unique(picture)) == {7, PAINT}


@pytest.mark.parametrize("manner", ["blur", "pixel"])
def test_a_hidden_face_is_hidden_whatever_stands_before_it_and_not_enhanced(manner):
    shown, hidden = frame(), HiddenFace("hidden", manner)
    occlusion, enhancer, swapper = HandBefore(500), InvertingEnhancer(), SlowSwapper()
    picture = replaced(Replacement(swapper, (hidden,), FakeClock(), occlusion, enhancer), head(), shown)
    bare = shown.bgr[170:230, 170:230].astype(float)
    seen = picture[170:230, 170:230].astype(float)
    assert abs(np.corrcoef(bare.ravel(), seen.ravel())[0, 1]) < 0.2
    assert swapper.said == occlusion.said == enhancer.said == []
    plain = replaced(Replacement(PaintingSwapper(), (hidden,), FakeClock()), head(), shown)
    np.testing.assert_array_equal(picture, plain)


def test_what_is_enhanced_is_what_is_pasted():
    picture = replaced(
        Replacement(PaintingSwapper(), (ANNA,), FakeClock(), enhancer=InvertingEnhancer()), face()
    )
    assert (picture[BOX] == 255 - PAINT).all()


def test_faces_to_put_on_are_given_by_id_in_turn():
    swapper = SlowSwapper()
    worn = blank_source("anna"), blank_source("ben"), BLUR
    replacement = Replacement(swapper, worn, FakeClock())
    for track_id in (1, 2, 3, 4, 5, 8, 2):
        replaced(replacement, head(track_id))
    assert swapper.sources == ["anna", "ben", "anna", "ben", "ben", "ben"]
    assert swapper.ids == [1, 2, 4, 5, 8, 2]


@pytest.mark.parametrize("worn", [ANNA, BLUR])
def test_a_face_outside_the_frame_changes_nothing(worn):
    shown, occlusion = frame(), HandBefore(200)
    replacement = Replacement(PaintingSwapper(), (worn,), FakeClock(), occlusion, InvertingEnhancer())
    outside = Face(1, posed((2000, 200), 70), 0.9)
    np.testing.assert_array_equal(replaced(replacement, outside, shown), shown.bgr)
    assert occlusion.said == [], "no inference for nothing"


def test_what_a_stage_raises_comes_out_and_the_picture_is_as_it_was():
    swapper, shown = PaintingSwapper(), frame()
    swapper.fail = BackendError("the swap broke", "mend it")
    picture = shown.bgr.copy()
    with pytest.raises(BackendError, match="the swap broke"):
        Replacement(swapper, (ANNA,), FakeClock()).replace(picture, shown, face(), Wear(0), Times())
    np.testing.assert_array_equal(picture, shown.bgr)


def test_close_frees_everything_and_may_be_called_again():
    occlusion, enhancer = HandBefore(0), InvertingEnhancer()
    replacement = Replacement(PaintingSwapper(), (ANNA,), FakeClock(), occlusion, enhancer)
    replacement.close()
    assert (occlusion.closed, enhancer.closed) == (1, 1)
    replacement.close()
    Replacement(PaintingSwapper(), (ANNA,), FakeClock()).close()


def test_where_many_are_to_be_seen_to_each_is_looked_at_in_every_second_frame():
    occlusion, one = HandBefore(200), head()
    replacement = Replacement(PaintingSwapper(), (ANNA,), FakeClock(), occlusion)
    for seq in range(1, 7):
        shown = Frame(seq, seq, frame().bgr)
        replacement.begin(shown, [head(track_id) for track_id in range(1, 4)], EVERYBODY, Times())
        replacement.replace(shown.bgr.copy(), shown, one, Wear(0), Times())
    looks = [said for said in occlusion.said if said != "onto"]
    assert looks.count("visible") == 3
    assert looks.count("again") == 3
    assert occlusion.said.count("onto") == 6


def test_a_face_never_looked_at_is_not_spared():
    for seq in (0, 1):
        occlusion, shown = HandBefore(200), Frame(seq, 0, frame().bgr)
        replacement = Replacement(PaintingSwapper(), (ANNA,), FakeClock(), occlusion)
        replacement.begin(shown, [head(track_id) for track_id in range(1, 4)], EVERYBODY, Times())
        replacement.replace(shown.bgr.copy(), shown, head(), Wear(0), Times())
        assert "visible" in occlusion.said


@pytest.mark.parametrize("manner", ["blur", "pixel"])
def test_somebody_who_wears_nothing_is_hidden_and_not_drawn(manner):
    swapper, shown = SlowSwapper(), frame()
    picture = shown.bgr.copy()
    assert Replacement(swapper, (ANNA,), FakeClock()).replace(picture, shown, head(), Hide(manner), Times())
    assert swapper.said == []
    assert (picture[BOX] != shown.bgr[BOX]).mean() > 0.9


def test_somebody_who_is_covered_shows_flat_cells():
    shown, one = frame(), face()
    picture = shown.bgr.copy()
    assert Replacement(SlowSwapper(), (ANNA,), FakeClock()).replace(picture, shown, one, COVERED, Times())
    assert len(np.unique(picture[BOX].reshape(-1, 3), axis=0)) <= 16


def test_somebody_is_left_bare_only_because_the_part_says_so():
    swapper, shown = SlowSwapper(), frame()
    picture = shown.bgr.copy()
    assert Replacement(swapper, (ANNA,), FakeClock()).replace(picture, shown, face(), Leave(), Times())
    np.testing.assert_array_equal(picture, shown.bgr)
    assert swapper.said == []


def test_only_those_who_wear_a_face_are_the_painters():
    begun = []

    class Counting(MeshPainter):
        def begin(self, frame, wearers, times, *, wait=True, aside=()):
            begun.append([wearer.face.id for wearer in wearers])
            return super().begin(frame, wearers, times, wait=wait, aside=aside)

    replacement = Replacing(Counting(SlowSwapper(), FakeClock()), (ANNA, BLUR), FakeClock())
    parts = {1: Wear(0), 2: Leave(), 3: Hide("blur"), 4: Wear(1)}
    replacement.begin(frame(), [head(number) for number in (1, 2, 3, 4, 5)], parts, Times())
    assert begun == [[1]], "the fifth has no part: it is covered"


def test_the_painter_is_told_where_people_are_who_are_not_to_be_seen():
    told = []

    class Listening(MeshPainter):
        def begin(self, frame, wearers, times, *, wait=True, aside=()):
            told.append(list(aside))
            return True

    replacement = Replacing(Listening(SlowSwapper(), FakeClock()), (ANNA, BLUR), FakeClock())
    parts = {1: Wear(0), 2: Leave(), 3: Hide("blur"), 4: Wear(1)}
    faces = [head(number) for number in (1, 2, 3, 4)]
    replacement.begin(frame(), faces, parts, Times(), strangers=[(1.0, 2.0, 3.0, 4.0)])
    assert told == [[(1.0, 2.0, 3.0, 4.0), faces[2].box, faces[3].box]], (
        "all but who wears, and who is left bare"
    )
