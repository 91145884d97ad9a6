import numpy as np
import pytest

from models.build.samples import Samples, fed_by_contract
from models.entries import InputContract, PictureFeed
from models.errors import ModelError
from models.runtime.base import TensorSpec

PICTURE = TensorSpec("picture", (1, 3, 8, 8), "float32")
FEED = PictureFeed("nchw", "bgr", (10.0, 20.0, 30.0), (2.0, 4.0, 5.0))


def flat(*bgr, height=8, width=8):
    return np.full((height, width, 3), bgr, np.uint8)


def test_a_picture_is_prepared_as_the_contract_says():
    contract = [InputContract("picture", (1, 3, 8, 8), feed=FEED)]
    (feeds,) = list(Samples([PICTURE], contract, [flat(20, 40, 80)]))
    assert feeds["picture"].shape == (1, 3, 8, 8)
    assert feeds["picture"].dtype == np.float32
    np.testing.assert_allclose(feeds["picture"][0, :, 0, 0], [5, 5, 10])


@pytest.mark.parametrize("shape", [(1, 3, 4, 4), (1, 4, 4, 3)])
def test_without_a_contract_it_is_rgb_from_0_to_1(shape):
    value = Samples([TensorSpec("x", shape, "float32")], (), [flat(0, 51, 255)])[0]["x"]
    assert value.shape == shape
    channels = value[0, :, 0, 0] if shape[1] == 3 else value[0, 0, 0]
    np.testing.assert_allclose(channels, [1, 0.2, 0], atol=1e-6)


def test_the_middle_is_cut_out_and_not_squeezed():
    wide = flat(0, 0, 0, height=10, width=30)
    wide[:, 10:20] = 255
    value = Samples([PICTURE], (), [wide])[0]["picture"]
    assert value.min() == 1


def test_what_is_no_picture_is_drawn_the_same_for_the_same_number():
    inputs = [PICTURE, TensorSpec("identity", (1, 512), "float32"), TensorSpec("weight", (1,), "float64")]
    one, other = (Samples(inputs, (), [flat(1, 2, 3)] * 2) for _ in range(2))
    np.testing.assert_array_equal(one[1]["identity"], other[1]["identity"])
    assert np.abs(one[0]["identity"] - one[1]["identity"]).max() > 0
    assert np.linalg.norm(one[0]["identity"]) == pytest.approx(1)
    assert one[0]["weight"] == 0.5
    assert one[0]["weight"].dtype == np.float64


def test_inputs_find_their_entry_by_name_then_by_dimensions():
    source = InputContract("source_picture", (1, 3, 8, 8), name="source", feed=FEED)
    target = InputContract(
        "picture", (1, 3, 8, 8), name="target", feed=PictureFeed("nchw", "rgb", (0,) * 3, (1,) * 3)
    )
    both = [TensorSpec("target", (1, 3, 8, 8), "float32"), TensorSpec("other", (1, 3, 8, 8), "float32")]
    assert [feed for _, feed in fed_by_contract(both, [source, target])] == [target.feed, source.feed]


def test_it_is_a_sequence():
    samples = Samples([PICTURE], (), [flat(n, n, n) for n in range(5)])
    assert len(samples) == len(list(samples)) == 5
    assert len(samples[1:4]) == 3
    np.testing.assert_array_equal(samples[-1]["picture"], samples[4]["picture"])
    with pytest.raises(IndexError):
        samples[5]


def test_no_picture_at_all():
    with pytest.raises(ModelError, match="no picture"):
        Samples([PICTURE], (), [])


def test_an_input_that_no_picture_fits():
    with pytest.raises(ModelError, match="'depth'"):
        Samples([TensorSpec("depth", (1, 1, 8, 8), "float32")], (), [flat(1, 1, 1)])
