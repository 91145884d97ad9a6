import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.paint import Canvas, moved, smooth, tapered

SQUARE = np.array([(1.0, 1.0), (3.0, 1.0), (3.0, 3.0), (1.0, 3.0)])
RED = (0, 0, 255)


def canvas(side=40, scale=10.0, origin=(0.0, 0.0), level=0):
    return Canvas(np.full((side, side, 3), level, np.uint8), scale, origin)


def test_a_point_of_the_drawing_lies_where_scale_and_origin_say():
    drawn = canvas(origin=(-0.5, 0.0))
    drawn.fill(SQUARE, RED)
    ys, xs = np.nonzero(drawn.bgr[..., 2] > 250)
    assert (xs.min(), ys.min()) == (pytest.approx(15, abs=1), pytest.approx(10, abs=1))
    assert (xs.max(), ys.max()) == (pytest.approx(35, abs=1), pytest.approx(30, abs=1))
    assert not drawn.bgr[..., :2].any()


def test_opacity_mixes_paint_and_ground():
    drawn = canvas(level=100)
    drawn.fill(SQUARE, (200, 200, 200), 0.5)
    assert np.abs(drawn.bgr[20, 20].astype(int) - 150).max() <= 1
    assert (drawn.bgr[2, 2] == 100).all()


def test_a_blurred_edge_is_soft_and_spreads():
    hard, soft = canvas(), canvas()
    hard.fill(SQUARE, RED)
    soft.fill(SQUARE, RED, blur=0.3)
    assert hard.bgr[20, 7, 2] == 0
    assert 0 < soft.bgr[20, 7, 2] < 128
    assert soft.bgr[20, 20, 2] > 240


def test_a_wide_blur_is_worked_out_small_and_looks_the_same():
    fine, coarse = canvas(200, 10.0), canvas(200, 10.0)
    big = SQUARE * 5
    fine.fill(big, RED, blur=0.99)
    coarse.fill(big, RED, blur=1.01)
    assert np.abs(fine.bgr.astype(int) - coarse.bgr).max() < 12


def test_paint_stays_within_its_mask():
    drawn = canvas()
    left = np.zeros((40, 40), np.uint8)
    left[:, :20] = 255
    drawn.fill(SQUARE, RED, within=left)
    drawn.glow((2.0, 2.0), (1.0, 1.0), RED, within=left)
    assert drawn.bgr[20, 15, 2] > 200
    assert not drawn.bgr[:, 20:].any()


def test_a_glow_falls_off_from_its_middle_along_its_axes():
    drawn = canvas(80)
    drawn.glow((4.0, 4.0), (2.0, 0.5), RED)
    assert drawn.bgr[40, 40, 2] > 240
    assert drawn.bgr[40, 60, 2] > drawn.bgr[60, 40, 2]
    turned = canvas(80)
    turned.glow((4.0, 4.0), (2.0, 0.5), RED, turn=np.pi / 2)
    assert turned.bgr[60, 40, 2] > turned.bgr[40, 60, 2]


@given(x=st.floats(-100, 100), y=st.floats(-100, 100), size=st.floats(0.1, 60), blur=st.floats(0, 5))
def test_shapes_anywhere_are_clipped(x, y, size, blur):
    drawn = canvas()
    drawn.fill(SQUARE * size + (x, y), RED, 0.7, blur)
    drawn.glow((x, y), (size, size / 2), RED, 0.7, 0.3)
    drawn.stroke([(x, y), (x + size, y), (x, y + size)], (0.0, size, 0.0), RED)
    assert drawn.mask(SQUARE * size + (x, y), blur).shape == (40, 40)
    assert not drawn.bgr[..., :2].any()


def test_a_sheet_is_merged_only_through_the_mask():
    drawn = canvas()
    sheet = drawn.sheet()
    sheet.polygon(np.array([(0, 0), (4, 0), (4, 4), (0, 4)]), RED)
    assert not drawn.bgr.any()
    drawn.merge(sheet, drawn.mask(SQUARE))
    assert drawn.bgr[20, 20, 2] == 255
    assert drawn.bgr[2, 2, 2] == 0
    drawn.merge(sheet, np.zeros((40, 40), np.uint8))


def test_shade_lays_pixels_from_a_corner_on():
    drawn = canvas()
    drawn.shade(np.full((50, 10, 3), 90, np.float32), (3.5, 1.0), np.full((40, 40), 255, np.uint8))
    assert (drawn.bgr[10:, 35:] == 90).all()
    assert not drawn.bgr[:, :35].any()
    assert not drawn.bgr[:10].any()
    drawn.shade(np.zeros((5, 5, 3), np.float32), (90.0, 1.0), np.full((40, 40), 255, np.uint8))


def test_smooth_goes_through_every_point():
    knots = np.array([(0.0, 0.0), (1.0, 2.0), (3.0, 1.0), (4.0, 4.0)])
    for line in (smooth(knots), smooth(knots, closed=True)):
        for knot in knots:
            assert np.hypot(*(line - knot).T).min() < 1e-12
    assert smooth(knots)[-1] == pytest.approx(knots[-1])
    assert len(smooth(knots[:2])) == 2


def test_tapered_is_as_wide_as_told_and_pointed_at_zero():
    line = np.stack([np.linspace(0, 10, 21), np.zeros(21)], 1)
    outline = tapered(line, (0.0, 2.0, 0.0))
    upper, lower = outline[:21], outline[21:][::-1]
    widths = np.hypot(*(upper - lower).T)
    assert widths[0] == pytest.approx(0)
    assert widths[10] == pytest.approx(2)
    assert widths[5] == pytest.approx(1)


def test_moved_shifts_a_point_or_many():
    assert moved((1.0, 2.0), 3, -1) == pytest.approx([4, 1])
    assert moved(SQUARE, 1, 1) == pytest.approx(SQUARE + 1)
