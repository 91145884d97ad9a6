import av
import numpy as np
import pytest

from realtime.capture.decoded import BgrConverter, upright_size
from tests.fakes.clips import gradient
from tests.realtime.capture.contract import fresh


@pytest.mark.parametrize("size", [(64, 48), (70, 33), (2, 2), (131, 77)])
def test_padded_rows_are_cut_to_the_picture(size: tuple[int, int]) -> None:
    frame = av.VideoFrame.from_ndarray(gradient(3, size), format="bgr24")
    bgr = BgrConverter().convert(frame, fresh)
    assert np.array_equal(bgr, gradient(3, size))
    assert upright_size(frame) == size


def test_the_buffer_is_the_lent_one() -> None:
    lent = fresh((48, 64, 3))
    frame = av.VideoFrame.from_ndarray(gradient(0), format="bgr24")
    assert BgrConverter().convert(frame, lambda shape: lent) is lent


@pytest.mark.parametrize("form", ["yuv420p", "yuvj420p", "yuv444p", "yuv420p10le", "nv12", "gray", "rgba"])
def test_every_pixel_format_becomes_the_same_picture(form: str) -> None:
    frame = av.VideoFrame.from_ndarray(gradient(5), format="bgr24").reformat(format=form)
    bgr = BgrConverter().convert(frame, fresh)
    assert np.abs(bgr.astype(int) - gradient(5)).mean() < 3


def test_one_converter_serves_changing_sizes() -> None:
    converter = BgrConverter()
    for size in ((64, 48), (32, 24), (64, 48)):
        frame = av.VideoFrame.from_ndarray(gradient(1, size), format="bgr24")
        assert np.array_equal(converter.convert(frame, fresh), gradient(1, size))
