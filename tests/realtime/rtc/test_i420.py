import threading

import cv2
import numpy as np
import pytest

from realtime.frame import Picture, PictureKind
from realtime.rtc.i420 import I420Converter
from tests.fakes.card_publisher import card

WHITE_LUMA = 235
"""White in video range (ITU-R BT.601)."""


@pytest.fixture
def converter():
    converter = I420Converter()
    yield converter
    converter.close()


async def test_the_frame_is_the_picture(converter: I420Converter) -> None:
    picture = card(1, 0)
    frame = await converter.frame(picture)
    expected = cv2.cvtColor(picture.bgr, cv2.COLOR_BGR2YUV_I420)
    assert frame.format.name == "yuv420p"
    assert np.array_equal(frame.to_ndarray(), expected)


async def test_viewers_share_a_conversion_but_not_a_frame(converter: I420Converter) -> None:
    picture = card(1, 0)
    first, second = await converter.frame(picture), await converter.frame(picture)
    assert converter.converted == 1
    assert first is not second
    await converter.frame(card(2, 0))
    assert converter.converted == 2
    assert np.array_equal(first.to_ndarray(), second.to_ndarray())


async def test_a_picture_with_an_old_number_is_not_mistaken_for_the_last(converter: I420Converter) -> None:
    await converter.frame(card(1, 0))
    other = Picture(1, 0, np.full((360, 640, 3), 255, np.uint8), PictureKind.CARD)
    assert (await converter.frame(other)).to_ndarray()[0, 0] == WHITE_LUMA


@pytest.mark.parametrize("size", [(65, 49), (2, 2), (640, 30), (48, 65)])
async def test_odd_sides_lose_their_last_pixel(converter: I420Converter, size: tuple[int, int]) -> None:
    width, height = size
    picture = Picture(1, 0, np.full((height, width, 3), 255, np.uint8), PictureKind.CARD)
    frame = await converter.frame(picture)
    assert (frame.width, frame.height) == (width & ~1, height & ~1)
    assert int(frame.to_ndarray()[: height & ~1].min()) == WHITE_LUMA


async def test_what_cannot_be_converted_is_said(converter: I420Converter) -> None:
    with pytest.raises(ValueError, match="no I420"):
        await converter.frame(Picture(1, 0, np.zeros((0, 4, 3), np.uint8), PictureKind.CARD))
    assert (await converter.frame(card(2, 0))).width == 640


async def test_it_works_in_its_own_thread_and_ends_it() -> None:
    converter = I420Converter()
    await converter.frame(card(1, 0))
    assert any(thread.name.startswith("rtc-i420") for thread in threading.enumerate())
    converter.close()
    converter.close()
    assert not any(thread.name.startswith("rtc-i420") for thread in threading.enumerate())
    with pytest.raises(RuntimeError):
        await converter.frame(card(2, 0))
