import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.boxes import Box
from realtime.clock import NS_PER_S
from realtime.motion import FASTEST, LONGEST_NS, Motion

FRAME_NS = NS_PER_S // 30


def box(x: float, y: float = 200, side: float = 100) -> Box:
    return x - side / 2, y - side / 2, x + side / 2, y + side / 2


def walked(speed_px: float, frames: int = 30) -> tuple[Motion, int]:
    motion = Motion(box(0), 0)
    for number in range(1, frames):
        motion.follow(box(speed_px * number), number * FRAME_NS, crowded=False)
    return motion, (frames - 1) * FRAME_NS


@given(st.floats(-15, 15), st.integers(0, 15))
def test_a_steady_walk_is_expected_to_go_on(speed_px: float, ahead: int) -> None:
    motion, now_ns = walked(speed_px)
    there = box(speed_px * (29 + ahead))
    assert motion.expected(now_ns + ahead * FRAME_NS) == pytest.approx(there, abs=1)
    assert motion.surprise(there, now_ns + ahead * FRAME_NS) < 0.02


def test_what_is_elsewhere_or_of_another_size_surprises() -> None:
    motion, now_ns = walked(0)
    assert motion.surprise(box(50), now_ns) == pytest.approx(0.5, abs=0.01)
    assert motion.surprise(box(0, side=50), now_ns) == pytest.approx(0.693, abs=0.01)


def test_in_a_crowd_it_is_not_dragged_along() -> None:
    alone, now_ns = walked(0)
    crowded, _ = walked(0)
    for number in range(1, 6):
        alone.follow(box(10 * number), now_ns + number * FRAME_NS, crowded=False)
        crowded.follow(box(10 * number), now_ns + number * FRAME_NS, crowded=True)
    now_ns += 5 * FRAME_NS
    assert alone.surprise(box(50), now_ns) < 0.15
    assert crowded.surprise(box(50), now_ns) > 0.3


def test_a_jump_does_not_make_it_race_away() -> None:
    motion, now_ns = walked(0)
    motion.follow(box(5000), now_ns + FRAME_NS, crowded=False)
    later = motion.expected(now_ns + FRAME_NS + NS_PER_S)
    assert later[0] < 5000 + FASTEST * 110


def test_nobody_goes_on_for_ever_nor_while_halted() -> None:
    motion, now_ns = walked(5)
    assert motion.expected(now_ns + LONGEST_NS) == motion.expected(now_ns + 9 * LONGEST_NS)
    motion.halt()
    assert motion.expected(now_ns + LONGEST_NS) == pytest.approx(motion.expected(now_ns))
