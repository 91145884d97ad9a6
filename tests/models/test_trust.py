import numpy as np
import pytest

from models.trust import trust_in
from tests.fakes.head import posed


def test_a_face_that_stays_while_the_crop_moves_is_trusted() -> None:
    first = posed(eyes_px=80, yaw=20)
    second = first + np.random.default_rng(1).normal(0, 1.5, first.shape).astype(np.float32)
    assert trust_in(first, second) == 1


def test_a_face_that_moves_with_the_crop_is_imagined() -> None:
    first = posed(eyes_px=80)
    assert trust_in(first, first + np.float32(80 * 0.14)) == 0


def test_trust_falls_as_the_looks_differ_whatever_the_size() -> None:
    for eyes_px in (20, 80, 320):
        first = posed(eyes_px=eyes_px)
        shifts = [0.0, 0.06, 0.08, 0.10, 0.2]
        values = [trust_in(first, first + np.float32([share * eyes_px, 0, 0])) for share in shifts]
        assert values == sorted(values, reverse=True)
        assert values[2] == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("spoil", ["crumpled", "nan", "flat"])
def test_what_is_no_face_at_all_is_not_trusted(spoil: str) -> None:
    points = posed()
    if spoil == "crumpled":
        points = np.random.default_rng(2).permutation(points)
    elif spoil == "nan":
        points[7] = np.nan
    else:
        points[:] = points[0]
    assert trust_in(points, points) == 0


def test_any_pose_of_a_face_is_possible() -> None:
    heads = [posed(yaw=yaw, pitch=20) for yaw in range(-80, 81, 20)]
    assert all(trust_in(head, head) == 1 for head in heads)
