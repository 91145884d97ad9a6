import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.card import KEPT_CARDS, Cards, draw_card

SIZES = [(1280, 720), (640, 360), (176, 144), (720, 1280), (1920, 1080)]


def bright(card):
    """Where words and emblem are."""
    return np.argwhere(card.max(axis=2) > 150)


@pytest.mark.parametrize("size", SIZES)
def test_a_card_is_dark_with_its_words_in_the_middle(size):
    width, height = size
    card = draw_card(width, height, "No face in the picture", "Turn to the camera")
    assert card.shape == (height, width, 3)
    assert card.dtype == np.uint8
    assert card.flags.c_contiguous
    assert card.mean() < 60
    points = bright(card)
    assert abs(points[:, 1].mean() - width / 2) < width * 0.03
    assert points[:, 1].min() > 0
    assert points[:, 1].max() < width - 1
    assert abs(np.median(points[:, 0]) - height / 2) < height * 0.2


def test_title_and_detail_are_seen():
    plain = draw_card(640, 360, "Starting")
    assert (draw_card(640, 360, "Starting", "Fetching the models") != plain).any()
    assert (draw_card(640, 360, "Paused for privacy") != plain).any()


def test_the_same_words_give_the_same_card():
    assert np.array_equal(draw_card(320, 240, "Starting", "x"), draw_card(320, 240, "Starting", "x"))


@given(
    width=st.integers(16, 400),
    height=st.integers(16, 400),
    title=st.text(max_size=60),
    detail=st.text(max_size=200),
)
@settings(max_examples=40, deadline=None)
def test_any_words_fit_any_size(width, height, title, detail):
    assert draw_card(width, height, title, detail).shape == (height, width, 3)


def test_a_long_title_stays_inside():
    points = bright(
        draw_card(640, 360, "The picture of the camera came far too late to be shown to anybody " * 2)
    )
    assert points[:, 1].min() > 10
    assert points[:, 1].max() < 630


def test_cards_are_kept_and_cannot_be_written_to():
    cards = Cards()
    first = cards.card(160, 120, "Starting")
    assert cards.card(160, 120, "Starting") is first
    assert cards.card(160, 120, "Starting", "more") is not first
    with pytest.raises(ValueError, match="read-only"):
        first[0, 0] = 1


def test_only_the_last_few_cards_are_kept():
    cards = Cards()
    first = cards.card(64, 48, "0")
    for number in range(1, KEPT_CARDS):
        cards.card(64, 48, str(number))
    assert cards.card(64, 48, "0") is first
    for number in range(KEPT_CARDS, 2 * KEPT_CARDS):
        cards.card(64, 48, str(number))
    assert cards.card(64, 48, "0") is not first
