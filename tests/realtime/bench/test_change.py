import numpy as np
import pytest

from realtime.bench.change import SIDE_PX, Seen, _figures, seen_after_ns
from realtime.clock import NS_PER_MS, NS_PER_S
from realtime.frame import PictureKind

FRAME_NS = NS_PER_S // 30
FACE = np.s_[20:30, 20:30]


def small(face: float, noise: int = 0) -> np.ndarray:
    picture = np.full((SIDE_PX, SIDE_PX, 3), 100.0, np.float32)
    picture += np.random.default_rng(noise).uniform(-5, 5, picture.shape)
    picture[FACE] = face
    return picture


def filmed(changes_at: int, count: int = 90) -> list[Seen]:
    return [
        Seen(at * FRAME_NS, PictureKind.SWAPPED, small(40 if at < changes_at else 200, at))
        for at in range(count)
    ]


@pytest.mark.parametrize("late_by", [0, 1, 7])
def test_the_first_picture_with_the_other_face_counts(late_by: int) -> None:
    seen = filmed(changes_at=30 + late_by)
    assert seen_after_ns(seen, 30 * FRAME_NS, 90 * FRAME_NS) == late_by * FRAME_NS


def test_a_face_that_never_comes_is_told() -> None:
    seen = filmed(changes_at=80)
    with pytest.raises(ValueError, match="never seen"):
        seen_after_ns(seen, 40 * FRAME_NS, 70 * FRAME_NS)


def test_what_moves_is_not_taken_for_another_face() -> None:
    seen = filmed(changes_at=50)
    for at, one in enumerate(seen):
        one.small[:, at % SIDE_PX] = 255
        one.small[:, (at + 1) % SIDE_PX] = 255
    assert seen_after_ns(seen, 40 * FRAME_NS, 70 * FRAME_NS) == 10 * FRAME_NS


def test_too_few_pictures_tell_nothing() -> None:
    with pytest.raises(ValueError, match="no pictures"):
        seen_after_ns(filmed(30), 89 * FRAME_NS, 90 * FRAME_NS)


def test_the_figures_say_what_it_cost_the_picture() -> None:
    seen = filmed(changes_at=33)
    del seen[40:43]
    seen[50].kind = PictureKind.CARD
    given, answered = 30 * FRAME_NS, 31 * FRAME_NS
    found = _figures(seen, [(given, answered, 90 * FRAME_NS)])
    assert found["changes"] == 1
    assert found["visible_ms"]["max"] == pytest.approx(3 * FRAME_NS / NS_PER_MS, abs=0.1)
    assert found["answered_ms"]["p50"] == pytest.approx(FRAME_NS / NS_PER_MS, abs=0.1)
    assert found["gap_ms"]["max"] == pytest.approx(4 * FRAME_NS / NS_PER_MS, abs=0.1)
    assert found["not_swapped"] == 1
