import numpy as np
import pytest

from models.landmarker import CropRegion, Landmarks
from realtime.boxes import box_of
from realtime.clock import NS_PER_MS, NS_PER_S
from realtime.departed import HIDDEN_AT_MOST_NS, HIDDEN_NS, REMEMBERED_NS, Departures
from realtime.smoothing import OneEuroSettings
from realtime.track import Track
from tests.fakes.head import posed

FADE_NS = 150 * NS_PER_MS
FRAME_NS = NS_PER_S // 30


def walker(number: int = 7, step_px: float = 4.0) -> tuple[Track, int]:
    track = Track(number, CropRegion((200, 200), 150, 0.0), OneEuroSettings())
    for frame in range(20):
        points = posed((200 + frame * step_px, 200), eyes_px=50)
        track.see(Landmarks(points, 0.9), box_of(points), frame * FRAME_NS)
        track.settle(frame * FRAME_NS)
    return track, 19 * FRAME_NS


def test_a_cover_fades_out_where_a_face_has_gone() -> None:
    track, now_ns = walker()
    gone = Departures(FADE_NS)
    gone.leave(track, now_ns)
    steps = [gone.fading(now_ns + step * FADE_NS // 5) for step in range(6)]
    strengths = [fading[0][1] for fading in steps[:5]]
    assert strengths == pytest.approx([1, 0.8, 0.6, 0.4, 0.2], abs=1e-6)
    assert steps[5] == ()
    assert steps[3][0][0] == pytest.approx(track.box, abs=5)
    assert gone.hidden(now_ns) == ()


def test_without_a_fade_nothing_fades() -> None:
    track, now_ns = walker()
    gone = Departures(0)
    gone.leave(track, now_ns)
    assert gone.fading(now_ns) == ()


def test_who_is_behind_another_is_covered_as_long_as_that_one_is_there_and_fades_after() -> None:
    track, now_ns = walker(step_px=0)
    gone = Departures(FADE_NS)
    gone.hide(track, True, now_ns)
    for _ in range(30):
        now_ns += FRAME_NS
        gone.pass_time([track.box], now_ns)
        assert gone.hidden(now_ns) == (pytest.approx(track.box, abs=1),)
        assert gone.fading(now_ns) == ()
    gone.pass_time([], now_ns + HIDDEN_NS)
    assert gone.hidden(now_ns + HIDDEN_NS) == ()
    assert len(gone.fading(now_ns + HIDDEN_NS)) == 1


def test_nobody_is_behind_another_for_ever() -> None:
    track, now_ns = walker(step_px=0)
    gone = Departures(FADE_NS)
    gone.hide(track, True, now_ns)
    for step in range(round((HIDDEN_AT_MOST_NS + HIDDEN_NS) / FRAME_NS) + 2):
        gone.pass_time([track.box], now_ns + step * FRAME_NS)
    assert gone.hidden(now_ns + HIDDEN_AT_MOST_NS + HIDDEN_NS + FRAME_NS) == ()


def test_the_hidden_one_is_expected_to_walk_on_and_the_gone_one_to_stay() -> None:
    walking, now_ns = walker()
    hiding, staying = Departures(FADE_NS), Departures(NS_PER_S)
    hiding.hide(walking, True, now_ns)
    later_ns = now_ns + 6 * FRAME_NS
    assert hiding.hidden(later_ns)[0][0] == pytest.approx(walking.box[0] + 24, abs=3)
    staying.leave(walking, now_ns)
    assert staying.fading(later_ns)[0][0][0] == pytest.approx(walking.box[0], abs=3)


def test_those_who_left_are_forgotten_in_time_and_the_uncertain_at_once() -> None:
    gone = Departures(FADE_NS)
    known, now_ns = walker(7)
    unsure, _ = walker(8)
    gone.leave(known, now_ns)
    gone.hide(unsure, False, now_ns)
    assert [one.id for one in gone.candidates()] == [7]
    gone.came_back(gone.candidates()[0])
    assert gone.candidates() == ()
    gone.leave(known, now_ns)
    gone.pass_time([], now_ns + REMEMBERED_NS)
    assert gone.candidates() == ()
    assert np.isfinite(gone.hidden(now_ns)).all()
