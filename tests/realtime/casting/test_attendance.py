from realtime.casting.attendance import FORGOTTEN_NS, Attendance
from realtime.clock import NS_PER_MS
from tests.fakes.people import sighting

FRAME_NS = 33 * NS_PER_MS


def test_who_is_there_since_when_and_for_the_first_time() -> None:
    attendance = Attendance()
    assert attendance.note([sighting(1)], 0)
    assert not attendance.note([sighting(1)], FRAME_NS)
    assert attendance.note([sighting(1), sighting(2)], 2 * FRAME_NS)
    assert attendance[1].born_ns == 0
    assert attendance[2].born_ns == 2 * FRAME_NS
    assert attendance[1].seen_ns == 2 * FRAME_NS


def test_only_frames_without_somebody_are_an_absence() -> None:
    attendance = Attendance()
    for frame in (0, 30, 60):
        attendance.note([sighting(1)], frame * FRAME_NS)
    assert attendance[1].away_ns == 0
    attendance.note([], 61 * FRAME_NS)
    attendance.note([sighting(1)], 70 * FRAME_NS)
    assert attendance[1].away_ns == 10 * FRAME_NS
    attendance.note([sighting(1)], 71 * FRAME_NS)
    assert attendance[1].away_ns == 0


def test_who_has_gone_is_forgotten_in_time_and_not_before() -> None:
    attendance = Attendance()
    attendance.note([sighting(1)], 0)
    attendance.note([], FORGOTTEN_NS - 1)
    assert 1 in attendance
    attendance.note([], FORGOTTEN_NS)
    assert 1 not in attendance
    assert len(attendance) == 0
    assert attendance.note([sighting(1)], FORGOTTEN_NS + 1)
