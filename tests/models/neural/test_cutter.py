import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.geometry import crop_matrix
from models.neural.align import Alignment, between, crop
from models.neural.cutter import Cutter, serves


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
        finest = max(squares, key=lambda each: each.scale)
        expected = crop(bgr, square)
        if square is not finest and serves(finest, square):
            expected = crop(crop(bgr, finest), Alignment(between(finest, square), square.size))
        assert abs(cut.astype(int) - expected).max() <= 1


def test_a_coarse_square_within_a_fine_one_is_cut_out_of_it_and_passes_less_over():
    bgr = np.zeros((400, 400, 3), np.uint8)
    bgr[::2] = 255
    wide = Alignment(crop_matrix((200, 200), 320, 0.0, 160), 160)
    small = Alignment(crop_matrix((200, 200), 280, 0.0, 47), 47)
    assert serves(wide, small)
    _, found = Cutter().cut(bgr, [wide, small])
    direct = crop(bgr, small)
    assert np.ptp(found[5:-5]) < np.ptp(direct[5:-5]), "lines that are finer than its pixels show less"


def test_a_square_that_reaches_beyond_the_finer_one_is_cut_by_itself():
    wide = Alignment(crop_matrix((200, 200), 200, 0.0, 200), 200)
    assert serves(wide, Alignment(crop_matrix((200, 200), 190, 0.0, 64), 64))
    assert not serves(wide, Alignment(crop_matrix((200, 200), 210, 0.0, 64), 64))
    assert not serves(wide, Alignment(crop_matrix((200, 200), 190, 0.5, 64), 64))
    assert not serves(wide, Alignment(crop_matrix((200, 200), 190, 0.0, 180), 180)), "it is as fine"


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
