import numpy as np
import pytest

from models.masks.mouth import OPEN, SHUT, draw_mouth, openness
from models.scratch import Scratch
from models.topology import LIPS_INNER, LIPS_OUTER
from tests.fakes.head import posed

UNIT = 55.0
_LOWER_LIP = [78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308]


def speaking(gap_px):
    """A face whose lower lip is `gap_px` below its upper one."""
    points = posed(centre=(128, 128), eyes_px=80)[:, :2].copy()
    inner = points[LIPS_INNER].copy()
    middle = inner[:, 1].mean()
    points[LIPS_INNER, 1] = middle
    depth = np.sin(np.linspace(0, np.pi, len(_LOWER_LIP)))
    points[_LOWER_LIP, 1] = middle + gap_px * depth
    below = points[LIPS_OUTER, 1] > middle
    points[LIPS_OUTER[below], 1] += gap_px
    return points


def drawn(points):
    out = np.full((256, 256), 7, np.uint8)
    return draw_mouth(points, UNIT, 5, out, Scratch()), out


def test_a_shut_mouth_is_the_new_face_s():
    keeps, out = drawn(speaking(0))
    assert not keeps
    assert (out == 7).all()


def test_an_open_mouth_shows_what_is_between_the_lips_and_no_more():
    points = speaking(20)
    keeps, out = drawn(points)
    assert keeps
    x, y = (points[13] + points[14]) / 2
    assert out[round(float(y)), round(float(x))] == 0
    lips = np.rint(points[LIPS_OUTER]).astype(int)
    assert (out[lips[:, 1], lips[:, 0]] > 250).all()
    assert (out[:100] == 255).all()


def test_it_opens_without_a_jump():
    shares = [openness(speaking(gap), UNIT) for gap in np.linspace(0, 8, 33)]
    assert shares[0] == 0
    assert shares[-1] == 1
    assert max(np.diff(shares)) < 0.12
    assert min(np.diff(shares)) >= 0


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
def test_a_half_open_one_is_kept_in_part(share):
    points = speaking(20)
    middle = (points[13] + points[14]) / 2
    gap = float(points[14, 1] - points[13, 1])
    unit = gap / (SHUT + share * (OPEN - SHUT))
    out = np.empty((256, 256), np.uint8)
    assert draw_mouth(points, unit, 5, out, Scratch())
    assert out[round(float(middle[1])), round(float(middle[0]))] == pytest.approx(255 * (1 - share), abs=2)
