import numpy as np
import pytest

from models.runtime.base import InputSpec, Normalisation
from models.runtime.encode import PictureEncoder


@pytest.mark.parametrize("layout", ["nhwc", "nchw"])
@pytest.mark.parametrize("order", ["rgb", "bgr"])
def test_a_batch_is_written_where_it_belongs(layout, order):
    bgr = np.random.default_rng(0).integers(0, 256, (3, 6, 5, 3), np.uint8)
    mean, scale = (1.0, 2.0, 3.0), (4.0, 5.0, 6.0)
    out = np.full((3, 6, 5, 3) if layout == "nhwc" else (3, 3, 6, 5), np.nan, np.float32)
    PictureEncoder(InputSpec(6, 5, layout, Normalisation(mean, scale, order))).encode(bgr, out)
    exact = ((bgr[..., ::-1] if order == "rgb" else bgr).astype(np.float64) - mean) / scale
    np.testing.assert_allclose(
        out, exact if layout == "nhwc" else exact.transpose(0, 3, 1, 2), rtol=1e-5, atol=1e-5
    )


def test_a_part_of_a_picture_is_taken_as_it_lies():
    whole = np.random.default_rng(0).integers(0, 256, (1, 9, 9, 3), np.uint8)
    out = np.zeros((1, 3, 6, 5), np.float32)
    PictureEncoder(InputSpec(6, 5, "nchw", Normalisation(0, 1, "bgr"))).encode(whole[:, 1:7, 2:7], out)
    np.testing.assert_array_equal(out[0].transpose(1, 2, 0), whole[0, 1:7, 2:7])
