import numpy as np
import pytest

from models.topology import LIPS_INNER, LIPS_OUTER, NOSE_TIP, UV
from realtime.personas.features import (
    SIDES,
    brow,
    lips,
    lower_lid,
    mouth,
    nose_wing,
    nostril,
    on_side,
    upper_lid,
)


def inside(line):
    return line.min() > 0 and line.max() < 1


@pytest.mark.parametrize("draw", [brow, upper_lid, lower_lid, nose_wing, nostril])
def test_the_right_side_is_the_mirror_image_of_the_left(draw):
    left, right = draw(-1), draw(1)
    assert inside(left)
    assert left[:, 0].mean() < 0.5 < right[:, 0].mean()
    assert right == pytest.approx(np.column_stack([1 - left[:, 0], left[:, 1]]), abs=0.01)


@pytest.mark.parametrize("side", SIDES)
def test_lines_run_from_the_nose_outwards(side):
    for line in (brow(side), upper_lid(side), lower_lid(side)):
        assert abs(line[0, 0] - 0.5) < abs(line[-1, 0] - 0.5)
    assert upper_lid(side)[0] == pytest.approx(lower_lid(side)[0])
    assert upper_lid(side)[-1] == pytest.approx(lower_lid(side)[-1])
    assert upper_lid(side)[:, 1].mean() < lower_lid(side)[:, 1].mean()
    assert brow(side)[:, 1].mean() < upper_lid(side)[:, 1].min()


def test_the_lips_close_round_the_mouth():
    upper, lower = lips()
    assert upper[:, 1].mean() < mouth()[:, 1].mean() < lower[:, 1].mean()
    for corner in (LIPS_OUTER[0], LIPS_OUTER[10], LIPS_INNER[0], LIPS_INNER[10]):
        for lip in (upper, lower):
            assert np.hypot(*(lip - UV[corner]).T).min() < 1e-6
    assert upper[:, 1].max() < lower[:, 1].max()


def test_the_nostrils_are_under_the_tip_of_the_nose():
    for side in SIDES:
        assert abs(nostril(side)[:, 1].mean() - UV[NOSE_TIP][1]) < 0.03
        assert abs(nostril(side)[:, 0].mean() - 0.5) < 0.05


def test_on_side_leaves_its_argument_alone():
    line = np.array([(0.2, 0.3)])
    assert on_side(line, 1) == pytest.approx(np.array([(0.8, 0.3)]))
    assert line == pytest.approx(np.array([(0.2, 0.3)]))
