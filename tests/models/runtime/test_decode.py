import numpy as np
import pytest

from models.runtime.base import PictureOut
from models.runtime.decode import PictureDecoder, decode_picture, not_finite


def levels(output, black_white, order, layout):
    black, white = black_white
    values = np.clip((output.astype(np.float64) - black) * 255 / (white - black), 0, 255)
    nhwc = values if layout == "nhwc" else values.transpose(0, 2, 3, 1)
    return nhwc if order == "bgr" else nhwc[..., ::-1]


def drawn(layout, count=2, dtype=np.float32):
    shape = (count, 6, 5, 3) if layout == "nhwc" else (count, 3, 6, 5)
    return np.random.default_rng(0).uniform(-1.5, 1.5, shape).astype(dtype)


@pytest.mark.parametrize("layout", ["nhwc", "nchw"])
@pytest.mark.parametrize("order", ["rgb", "bgr"])
@pytest.mark.parametrize("black_white", [(-1.0, 1.0), (0.0, 1.0)])
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_every_level_is_the_nearest(layout, order, black_white, dtype):
    output = drawn(layout, dtype=dtype)
    pictures, finite = PictureDecoder(PictureOut(black_white, order, layout)).decode(output)
    assert (pictures.shape, pictures.dtype, finite) == ((2, 6, 5, 3), np.uint8, [True, True])
    assert np.abs(pictures - levels(output, black_white, order, layout)).max() <= 0.501


@pytest.mark.parametrize("layout", ["nhwc", "nchw"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_of_each_picture_is_told_whether_it_is_finite(layout, value):
    output = drawn(layout, count=3)
    output[1, 2, 2, 2] = value
    assert PictureDecoder(PictureOut((0, 1), layout=layout)).decode(output)[1] == [True, False, True]
    out = np.zeros((3, 6, 5, 3), np.uint8)
    assert not decode_picture(output, (0, 1), "rgb", out, layout=layout)


def test_the_arrays_are_kept_while_the_batch_does_not_grow():
    decoder = PictureDecoder(PictureOut((0, 1)))
    four = decoder.decode(drawn("nchw", 4))[0]
    assert decoder.decode(drawn("nchw", 4))[0] is four
    assert np.shares_memory(decoder.decode(drawn("nchw", 2))[0], four)
    assert len(decoder.decode(drawn("nchw", 5))[0]) == 5


def test_the_error_names_the_pictures():
    error = not_finite("net.onnx", "result", [True, False, False])
    assert error.faces == (1, 2)
    assert "net.onnx" in error.message
    assert "'result'" in error.message
