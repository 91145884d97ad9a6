import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.clock import NS_PER_S
from realtime.cuts import luma_histogram
from realtime.tracking import DOUBT_LASTS_NS, STABLE_AFTER_NS, Glance, Tracker, TrackerSettings, View
from tests.fakes.vision import FakeDetector, FakeLandmarker, Stage

FRAME_NS = NS_PER_S // 30
BLANK = np.zeros((8, 8, 3), np.uint8)
DULL = luma_histogram(np.full((64, 64, 3), 90, np.uint8))
BRIGHT = luma_histogram(np.full((64, 64, 3), 200, np.uint8))


class Watcher:
    """Runs a tracker over a stage, frame by frame, as the pipeline does."""

    def __init__(self, stage: Stage, settings: TrackerSettings | None = None) -> None:
        self.stage = stage
        self.tracker = Tracker(settings or TrackerSettings())
        self.detector, self.landmarker = FakeDetector(stage), FakeLandmarker(stage)
        self.now_ns = 0
        self.epoch = 0
        self.histogram = DULL
        self.glance: Glance | None = None

    def frame(self) -> View:
        self.now_ns += FRAME_NS
        if self.tracker.begin(self.now_ns, self.epoch, self.histogram, self.glance):
            self.tracker.admit(self.detector.detect(BLANK))
        self._follow()
        if self.tracker.wants_detection():
            self.tracker.admit(self.detector.detect(BLANK))
            self._follow()
        return self.tracker.end()

    def frames(self, count: int) -> list[View]:
        return [self.frame() for _ in range(count)]

    def _follow(self) -> None:
        for seed in self.tracker.seeds():
            self.tracker.update(seed.track_id, self.landmarker.landmarks(BLANK, seed.region))


def test_a_face_is_there_in_its_first_frame() -> None:
    view = Watcher(Stage(((200, 200), 100))).frame()
    assert [face.id for face in view.faces] == [1]
    assert view.faces[0].box == pytest.approx((150, 150, 250, 250), abs=1)
    assert not view.in_doubt


def test_a_steady_face_needs_the_detector_in_one_frame_of_eight_at_most() -> None:
    watcher = Watcher(Stage(((200, 200), 100)))
    watcher.frames(300)
    assert watcher.detector.calls <= 300 / 8
    watcher.detector.calls = 0
    watcher.frames(300)
    assert watcher.detector.calls <= 300 / 12


def test_an_empty_picture_is_searched_in_every_frame() -> None:
    watcher = Watcher(Stage())
    assert not any(view.faces or view.in_doubt for view in watcher.frames(10))
    assert watcher.detector.calls == 10


def test_a_lost_face_is_found_again_by_the_detector_in_the_same_frame() -> None:
    watcher = Watcher(Stage(((200, 200), 100)))
    watcher.frames(10)
    watcher.stage.faces[0] = ((400, 200), 100)
    view = watcher.frame()
    assert [face.box for face in view.faces] == [pytest.approx((350, 150, 450, 250), abs=1)]


def test_a_face_found_again_elsewhere_is_not_dragged_there_by_the_smoothing() -> None:
    watcher = Watcher(Stage(((200, 200), 100)))
    watcher.frames(10)
    watcher.stage.hidden.add(0)
    watcher.frame()
    watcher.stage.hidden.clear()
    watcher.stage.faces[0] = ((230, 200), 100)
    view = watcher.frame()
    assert [face.id for face in view.faces] == [1]
    assert view.faces[0].box == pytest.approx((180, 150, 280, 250), abs=0.01)


def test_a_face_that_cannot_be_followed_puts_the_frame_in_doubt_until_it_is_given_up() -> None:
    watcher = Watcher(Stage(((200, 200), 100), ((500, 200), 100)))
    watcher.frames(5)
    watcher.stage.hidden.add(0)
    watcher.stage.unseen.add(0)
    views = watcher.frames(round(DOUBT_LASTS_NS / FRAME_NS) + 3)
    assert all(view.in_doubt for view in views[:-4])
    assert not views[-1].in_doubt
    assert [face.id for face in views[-1].faces] == [2]


def test_a_face_that_no_landmarks_fit_is_reported_to_be_covered() -> None:
    watcher = Watcher(Stage(((200, 200), 100), ((500, 200), 100)))
    watcher.stage.hidden.add(1)
    for view in watcher.frames(20):
        assert [face.id for face in view.faces] == [1]
        assert view.strangers == ((450, 150, 550, 250),)


def test_faces_past_the_limit_are_reported_to_be_covered() -> None:
    stage = Stage(*(((100 + 200 * index, 200), 100) for index in range(5)))
    view = Watcher(stage, TrackerSettings(max_faces=3)).frame()
    assert len(view.faces) == 3
    assert len(view.strangers) == 2


def test_a_newcomer_is_seen_within_a_beat_and_keeps_his_own_number() -> None:
    watcher = Watcher(Stage(((200, 200), 100)))
    watcher.frames(120)
    watcher.stage.faces.append(((500, 200), 80))
    views = watcher.frames(round(0.5 * 30) + 1)
    assert [face.id for face in views[-1].faces] == [1, 2]


def test_a_newcomer_who_changes_the_picture_is_looked_for_before_the_beat() -> None:
    watcher = Watcher(Stage(((200, 200), 100)))
    room = np.full((18, 32), 90, np.uint8)
    watcher.glance = Glance(room, (640, 360))
    watcher.frames(121)
    assert watcher.detector.calls <= 121 / 8
    changed = room.copy()
    changed[6:12, 24:30] = 140
    waits = []
    for _ in range(8):
        watcher.stage.faces.append(((550, 180), 80))
        watcher.glance = Glance(changed, (640, 360))
        waits.append([len(view.faces) for view in watcher.frames(4)].index(2))
        watcher.stage.faces.pop()
        watcher.glance = Glance(room, (640, 360))
        watcher.frames(37)
    assert max(waits) <= 3, waits


def test_what_moves_in_the_background_keeps_the_detector_below_one_frame_in_eight() -> None:
    watcher = Watcher(Stage(((200, 200), 100)))
    noise = np.random.default_rng(2)
    for _ in range(900):
        watcher.glance = Glance(noise.integers(0, 255, (18, 32)).astype(np.uint8), (640, 360))
        watcher.frame()
    assert 900 / 16 < watcher.detector.calls <= 900 / 8


def test_who_is_lost_beside_another_may_be_behind_the_head_and_nobody_is_after_a_cut() -> None:
    watcher = Watcher(Stage(((200, 200), 100), ((330, 200), 100)))
    watcher.frames(10)
    watcher.stage.faces.pop()
    views = watcher.frames(30)
    assert any(box[0] > 250 for box in views[-1].strangers)
    assert any(box[2] < 150 for box in views[-1].strangers)
    watcher.epoch += 1
    assert watcher.frame().strangers == ()


def test_identities_follow_the_faces_not_their_order() -> None:
    watcher = Watcher(Stage(((200, 200), 100), ((500, 200), 100)))
    watcher.frames(3)
    watcher.stage.faces.reverse()
    view = watcher.frame()
    assert {face.id: round(face.box[0]) for face in view.faces} == {1: 150, 2: 450}


def test_two_tracks_on_one_face_become_one() -> None:
    watcher = Watcher(Stage(((200, 200), 100), ((260, 200), 100)))
    watcher.frames(3)
    watcher.stage.faces = [((230, 200), 100)]
    assert [face.id for face in watcher.frames(3)[-1].faces] == [1]


@pytest.mark.parametrize("cut", ["epoch", "histogram"])
def test_after_a_cut_nothing_is_carried_over(cut: str) -> None:
    watcher = Watcher(Stage(((200, 200), 100)))
    watcher.frames(40)
    calls = watcher.detector.calls
    watcher.stage.faces = [((215, 205), 100)]
    if cut == "epoch":
        watcher.epoch += 1
    else:
        watcher.histogram = BRIGHT
    view = watcher.frame()
    assert watcher.detector.calls == calls + 1
    assert [face.id for face in view.faces] == [2]
    assert view.faces[0].box == pytest.approx((165, 155, 265, 255), abs=0.01)


def test_a_flicker_of_light_is_no_cut() -> None:
    watcher = Watcher(Stage(((200, 200), 100)))
    picture = np.random.default_rng(3).integers(0, 200, (64, 64, 3)).astype(np.uint8)
    for brighter in (0, 12, 0, 20, 5):
        watcher.histogram = luma_histogram(picture + np.uint8(brighter))
        view = watcher.frame()
    assert [face.id for face in view.faces] == [1]


def test_the_beat_slows_once_nothing_has_changed_for_a_while() -> None:
    watcher = Watcher(Stage(((200, 200), 100)))

    def calls(seconds: float) -> int:
        before = watcher.detector.calls
        watcher.frames(round(seconds * 30))
        return watcher.detector.calls - before

    restless = calls(STABLE_AFTER_NS / NS_PER_S)
    calm = calls(STABLE_AFTER_NS / NS_PER_S)
    assert calm < restless


positions = st.tuples(st.floats(-50, 700), st.floats(-50, 500))
casts = st.lists(st.tuples(positions, st.floats(4, 300)), max_size=6)


@given(st.lists(casts, min_size=1, max_size=25))
def test_whatever_comes_and_goes_the_tracker_keeps_its_promises(script: list[list]) -> None:
    watcher = Watcher(Stage(), TrackerSettings(max_faces=3))
    seen: set[int] = set()
    for cast in script:
        watcher.stage.faces = list(cast)
        view = watcher.frame()
        ids = [face.id for face in view.faces]
        assert ids == sorted(set(ids))
        assert len(ids) <= 3
        assert all(number in seen or number > max(seen, default=0) for number in ids)
        seen.update(ids)


def test_a_doubtful_birth_is_covered_until_a_second_frame_confirms_it() -> None:
    watcher = Watcher(Stage(((200, 200), 100)))
    watcher.landmarker.score = 0.6
    first, second = watcher.frame(), watcher.frame()
    assert first.faces == ()
    assert first.strangers[0] == pytest.approx((150, 150, 250, 250), abs=1)
    assert [face.id for face in second.faces] == [1]
    assert second.strangers == ()


def test_a_face_that_has_been_born_stays_at_a_score_that_would_not_bear_it_at_once() -> None:
    watcher = Watcher(Stage(((200, 200), 100)))
    watcher.frames(5)
    watcher.landmarker.score = 0.55
    assert all(len(view.faces) == 1 and not view.in_doubt for view in watcher.frames(30))


def test_a_glimpse_of_one_frame_gets_no_number() -> None:
    watcher = Watcher(Stage(((200, 200), 100)))
    watcher.landmarker.score = 0.6
    watcher.frame()
    watcher.stage.faces.clear()
    watcher.frame()
    watcher.stage.faces.append(((500, 200), 100))
    watcher.landmarker.score = 0.95
    assert [face.id for face in watcher.frame().faces] == [1]


def test_the_first_face_of_a_scene_is_there_at_once_a_newcomer_fades_in() -> None:
    watcher = Watcher(Stage(((200, 200), 100)))
    assert watcher.frame().faces[0].shown == 1
    watcher.frames(60)
    watcher.stage.faces.append(((500, 200), 100))
    shown = [face.shown for view in watcher.frames(30) for face in view.faces if face.id == 2]
    assert 0 < shown[0] <= 0.2
    assert shown == sorted(shown)
    assert shown[5:] == [1] * len(shown[5:])


def test_without_a_fade_a_newcomer_is_there_at_once() -> None:
    watcher = Watcher(Stage(), TrackerSettings(fade_ns=0))
    watcher.frames(3)
    watcher.stage.faces.append(((500, 200), 100))
    assert watcher.frame().faces[0].shown == 1


def test_a_face_that_has_gone_fades_out_from_a_full_cover() -> None:
    watcher = Watcher(Stage(((200, 200), 100), ((500, 200), 100)))
    watcher.frames(10)
    watcher.stage.faces.pop(0)
    views = watcher.frames(30)
    clear = next(index for index, view in enumerate(views) if not view.in_doubt)
    strengths = [strength for view in views for _, strength in view.fading]
    assert not any(view.fading for view in views[:clear])
    assert strengths[0] == 1
    assert strengths == sorted(strengths, reverse=True)
    assert 3 <= len(strengths) <= 6
    assert views[clear].fading[0][0] == pytest.approx((150, 150, 250, 250), abs=2)


def test_who_comes_back_within_a_moment_is_known_again_and_later_is_somebody_new() -> None:
    watcher = Watcher(Stage(((200, 200), 100), ((500, 200), 100)))
    watcher.frames(10)
    away = watcher.stage.faces.pop(0)
    watcher.frames(25)
    watcher.stage.faces.append(away)
    assert [face.id for face in watcher.frames(8)[-1].faces] == [1, 2]
    watcher.stage.faces.remove(away)
    watcher.frames(60)
    watcher.stage.faces.append(away)
    assert [face.id for face in watcher.frames(20)[-1].faces] == [2, 3]


def test_two_lost_faces_are_found_again_each_by_its_own_detection() -> None:
    watcher = Watcher(Stage(((200, 200), 100), ((270, 200), 100)))
    watcher.frames(5)
    watcher.stage.hidden = {0, 1}
    watcher.stage.faces = [((275, 202), 100), ((205, 202), 100)]
    watcher.frame()
    watcher.stage.hidden.clear()
    view = watcher.frame()
    assert {face.id: round(face.box[0]) for face in view.faces} == {1: 155, 2: 225}


def test_eight_faces_keep_their_numbers() -> None:
    stage = Stage(*(((100 + 150 * (index % 4), 120 + 200 * (index // 4)), 90) for index in range(8)))
    watcher = Watcher(stage)
    first = {face.id: face.box for face in watcher.frame().faces}
    for step in range(60):
        stage.faces = [((x + 1, y), side) for (x, y), side in stage.faces]
        if step % 7 == 0:
            stage.faces.reverse()
        view = watcher.frame()
        assert [face.id for face in view.faces] == list(range(1, 9))
    for face in view.faces:
        assert face.box[0] == pytest.approx(first[face.id][0] + 60, abs=4)
        assert face.box[1] == pytest.approx(first[face.id][1], abs=2)
