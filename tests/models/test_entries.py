import pytest

from models.catalog import load_catalog
from models.entries import Contract, InputContract, PictureFeed
from models.errors import ModelError


def of_picture(shape, layout="nchw", mean=(0.0, 0.0, 0.0), scale=(255.0, 255.0, 255.0)):
    feed = PictureFeed(layout, "rgb", mean, scale)
    return Contract((InputContract("picture", shape, feed=feed, template="t"),), {})


@pytest.mark.parametrize(("shape", "layout"), [((1, 3, 8, 16), "nchw"), ((1, 8, 16, 3), "nhwc")])
def test_a_session_is_told_the_size_whatever_the_layout(shape, layout):
    spec = of_picture(shape, layout).picture
    assert (spec.height, spec.width, spec.layout) == (8, 16, layout)
    assert (spec.normalisation.mean, spec.normalisation.scale) == ((0.0,) * 3, (255.0,) * 3)


@pytest.mark.parametrize(
    ("contract", "said"),
    [
        (Contract((InputContract("embedding", (1, 512)),), {}), "takes no picture"),
        (of_picture((1, 3, -1, -1)), "any size"),
    ],
)
def test_what_no_session_prepares_is_told(contract, said):
    with pytest.raises(ModelError, match=said):
        _ = contract.picture


def test_each_channel_has_its_own_mean_and_scale():
    spec = of_picture((1, 3, 8, 8), mean=(1.0, 2.0, 3.0), scale=(4.0, 5.0, 6.0)).picture
    assert (spec.normalisation.mean, spec.normalisation.scale) == ((1.0, 2.0, 3.0), (4.0, 5.0, 6.0))


@pytest.mark.parametrize(("layout", "shape"), [("nchw", (1, 3, -1, -1)), ("nhwc", (1, -1, -1, 3))])
def test_a_network_of_any_size_is_given_one(layout, shape):
    spec = of_picture(shape, layout).sized(32, 64).picture
    assert (spec.height, spec.width) == (32, 64)


def test_the_template_is_the_pictures_own():
    assert of_picture((1, 3, 8, 8)).template == "t"
    assert load_catalog()["blendswap_256"].contract.template == "ffhq_512"
    assert load_catalog()["crossface_ghost"].contract.template == ""
