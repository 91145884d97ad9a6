import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.geometry import crop_matrix
from models.neural.align import Alignment, crop
from models.neural.cutter import Cutter


def noise(seed, height, width):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)


@settings(max_examples=60, deadline=None)
@given(
    centre=st.tuples(st.floats(-300, 500), st.floats(-300, 400)),
    sides=st.lists(st.floats(5, 300), min_size=1, max_size=3),
    angle=st.floats(-4, 4),
    size=st.sampled_from([16, 64, 256]),
)
def test_it_cuts_what_crop_cuts(centre, sides, angle, size):
    """Wherever the squares lie, also across the frame's edges or beyond them."""
    bgr = noise(1, 120, 160)
    squares = [
        Alignment(crop_matrix(centre, side, angle + number, size // (number + 1)), size // (number + 1))
        for number, side in enumerate(sides)
    ]
    found = Cutter().cut(bgr, squares)
    assert len(found) == len(squares)
    for cut, square in zip(found, squares, strict=True):
        assert cut.shape == (square.size, square.size, 3)
        assert cut.flags.c_contiguous
        assert abs(cut.astype(int) - crop(bgr, square)).max() <= 1


def test_what_was_cut_stays():
    """Slow networks look at it while the next frames are cut."""
    cutter, square = Cutter(), Alignment(crop_matrix((60, 50), 70, 0.2, 64), 64)
    (first,) = cutter.cut(noise(1, 120, 160), [square])
    kept = first.copy()
    cutter.cut(noise(2, 120, 160), [square, square])
    np.testing.assert_array_equal(first, kept)


def test_no_square_is_no_work():
    assert Cutter().cut(noise(1, 20, 20), []) == []


def test_alignments_that_are_none_are_refused():
    with pytest.raises(ValueError, match="finite"):
        Cutter().cut(noise(1, 20, 20), [Alignment(crop_matrix((9, 9), 9, 0.0, 16) * np.nan, 16)])
    with pytest.raises(np.linalg.LinAlgError):
        Cutter().cut(noise(1, 20, 20), [Alignment(np.zeros((2, 3)), 16)])
