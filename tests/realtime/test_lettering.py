import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.lettering import blend, centred, text_mask, wrap


def test_a_mask_holds_ink_and_grows_with_the_text_and_the_weight():
    thin, bold = text_mask("Starting", 24, 200), text_mask("Starting", 24, 800)
    assert thin.dtype == np.uint8
    assert bold.max() == 255
    assert bold.sum() > thin.sum() * 1.3
    assert text_mask("Starting the camera", 24).shape[1] > text_mask("Starting", 24).shape[1]


@pytest.mark.parametrize("text", ["Agjpqy|", "WWW", "ÅÇ,;", "il."])
def test_the_ink_is_inside_its_mask(text):
    mask = text_mask(text, 40, 600)
    assert mask.any()
    assert not mask[:, -1].any()
    assert not mask[-1].any()


def test_no_text_is_no_ink():
    assert not text_mask("", 20).any()


@given(
    words=st.lists(st.text("abcdefghij", min_size=1, max_size=12), max_size=12),
    width=st.integers(30, 400),
)
def test_wrapping_keeps_every_word_and_the_width(words, width):
    lines = wrap(" ".join(words), 16, 400, width)
    assert " ".join(lines).split() == words
    for line in lines:
        assert " " not in line or text_mask(line, 16).shape[1] <= width


def test_blend_lays_colour_through_the_mask_and_clips():
    bgr = np.zeros((10, 10, 3), np.uint8)
    mask = np.full((4, 4), 128, np.uint8)
    blend(bgr, mask, 8, -2, (200, 100, 50))
    assert np.abs(bgr[0, 9].astype(int) - (100, 50, 25)).max() <= 1
    assert not bgr[2:].any()
    assert not bgr[:, :8].any()
    blend(bgr, mask, 50, 50, (255, 255, 255))
    blend(bgr, mask, -9, 0, (255, 255, 255))
    assert not bgr[2:].any()


def test_centred_is_in_the_middle():
    bgr = np.zeros((10, 21, 3), np.uint8)
    centred(bgr, np.full((2, 5), 255, np.uint8), 3, (255, 255, 255))
    ys, xs = np.nonzero(bgr[..., 0])
    assert (xs.min(), xs.max(), ys.min(), ys.max()) == (8, 12, 3, 4)
