import dataclasses

import numpy as np
import pytest

from models.catalog import lookup
from models.errors import BackendError, ModelError, SettingError, SwapError
from models.neural.enhancer import DEFAULT_WEIGHT, open_neural_enhancer
from tests.fakes.networks_enhance import enhancer_network, inverted, upscaler_network

FAMILIES = ("gfpgan_1.2", "gfpgan_1.3", "gfpgan_1.4", "codeformer", "gpen_bfr_256", "restoreformer_plus_plus")
TEMPLATE = {"gpen_bfr_256": "arcface_128"}
SIDE = 16


def of_side(name, side=SIDE):
    """The catalogue's model with a smaller picture, which is all that differs."""
    model = lookup([name])[0]
    contract = model.contract.sized(side, side)
    return dataclasses.replace(
        model, contract=dataclasses.replace(contract, returns={"picture": (1, 3, side, side)})
    )


@pytest.fixture(params=["openvino", "onnx"])
def opened(request, tmp_path):
    held = []

    def made(name="gfpgan_1.4", *, kind=None, **sliders):
        model = of_side(name)
        enhancer_network(tmp_path / model.file, **({"side": SIDE} | (kind or {})))
        held.append(open_neural_enhancer(model, tmp_path, request.param, **sliders))
        return held[-1]

    yield made
    for each in held:
        each.close()


def crops(count=1, seed=1, side=SIDE):
    return np.random.default_rng(seed).integers(1, 255, (count, side, side, 3), dtype=np.uint8)


def near(given, wanted):
    return np.abs(given.astype(float) - wanted).max() <= 1


@pytest.mark.parametrize("name", FAMILIES)
def test_each_family_runs_by_its_contract(opened, name):
    enhancer = opened(name, strength=1.0)
    assert enhancer.template == TEMPLATE.get(name, "ffhq_512")
    assert enhancer.size == SIDE
    given = crops()
    assert near(enhancer.enhance(given), inverted(given))


@pytest.mark.parametrize(
    ("name", "size"), [("gpen_bfr_256", 256), ("gpen_bfr_512", 512), ("gpen_bfr_1024", 1024)]
)
def test_the_sizes_are_the_catalogue_s(tmp_path, name, size):
    model = lookup([name])[0]
    enhancer_network(tmp_path / model.file, side=size)
    enhancer = open_neural_enhancer(model, tmp_path, strength=1.0)
    assert enhancer.size == size
    given = crops(side=size)
    assert near(enhancer.enhance(given), inverted(given))
    enhancer.close()


def test_gpen_2048_is_in_the_catalogue_with_its_size():
    assert lookup(["gpen_bfr_2048"])[0].contract.picture.width == 2048


@pytest.mark.parametrize("strength", [0.0, 0.25, 0.8, 1.0])
def test_the_strength_is_the_share_of_the_network_s_answer(opened, strength):
    enhancer = opened(strength=strength)
    given = crops(2)
    before = given.copy()
    wanted = strength * inverted(given) + (1 - strength) * given
    assert near(enhancer.enhance(given), wanted)
    assert (given == before).all()


def test_sliders_move_while_it_runs(opened):
    enhancer = opened("codeformer", kind={"weighted": True}, strength=1.0, weight=1.0)
    given = crops()
    assert near(enhancer.enhance(given), inverted(given))
    enhancer.weight = 0.25
    assert near(enhancer.enhance(given), inverted(given, 0.25))
    enhancer.strength = 0.5
    assert near(enhancer.enhance(given), 0.5 * inverted(given, 0.25) + 0.5 * given)


def test_the_weight_reaches_the_network_that_has_one(opened):
    enhancer = opened("codeformer", kind={"weighted": True}, strength=1.0)
    assert enhancer.has_weight
    assert enhancer.weight == DEFAULT_WEIGHT
    given = crops()
    assert near(enhancer.enhance(given), inverted(given, DEFAULT_WEIGHT))


def test_a_codeformer_without_a_weight_runs_too(opened):
    enhancer = opened("codeformer", strength=1.0)
    assert not enhancer.has_weight
    given = crops()
    assert near(enhancer.enhance(given), inverted(given))


@pytest.mark.parametrize("batch", [1, "batch"])
@pytest.mark.parametrize("count", [1, 3, 2])
def test_several_crops_come_back_in_their_order(opened, batch, count):
    enhancer = opened(kind={"batch": batch}, strength=1.0)
    given = crops(count)
    assert near(enhancer.enhance(given), inverted(given))
    fewer = crops(1, seed=9)
    assert near(enhancer.enhance(fewer), inverted(fewer))


@pytest.mark.parametrize(("batch", "runs"), [(1, 4), ("batch", 1)])
def test_a_batch_is_one_run_where_the_network_takes_it(opened, batch, runs):
    enhancer = opened(kind={"batch": batch})
    session, done = enhancer._session, []

    class Counting:
        def run(self, feeds):
            done.append(1)
            return session.run(feeds)

        def close(self):
            session.close()

    enhancer._session = Counting()
    enhancer.enhance(crops(4))
    assert len(done) == runs


@pytest.mark.parametrize("batch", [1, "batch"])
def test_no_crops_are_no_run(opened, batch):
    assert len(opened(kind={"batch": batch}).enhance(crops(0))) == 0


@pytest.mark.parametrize("fault", ["nan", "constant"])
@pytest.mark.parametrize("batch", [1, "batch"])
def test_an_answer_that_is_no_face_is_an_error(opened, fault, batch):
    enhancer = opened(kind={"fault": fault, "batch": batch})
    with pytest.raises(SwapError) as caught:
        enhancer.enhance(crops(1))
    assert caught.value.faces == (0,)
    assert isinstance(caught.value, BackendError)
    assert caught.value.hint


@pytest.mark.parametrize("batch", [1, "batch"])
def test_the_error_says_which_of_them(opened, batch):
    enhancer = opened(kind={"fault": "some", "batch": batch})
    given = crops(3)
    given[2, 0, 0] = 0
    with pytest.raises(SwapError) as caught:
        enhancer.enhance(given)
    assert caught.value.faces == (2,)
    assert near(enhancer.enhance(given[:2]), 0.8 * inverted(given[:2]) + 0.2 * given[:2])


def test_a_plain_crop_may_stay_plain(opened):
    plain = np.full((1, SIDE, SIDE, 3), 90, np.uint8)
    assert near(opened(strength=1.0).enhance(plain), 165)


@pytest.mark.parametrize("sliders", [{"strength": 1.1}, {"strength": -0.1}, {"weight": 2.0}])
def test_a_slider_outside_its_range_is_an_error(opened, sliders):
    with pytest.raises(SettingError):
        opened(**sliders)
    enhancer = opened()
    for name, value in sliders.items():
        with pytest.raises(SettingError):
            setattr(enhancer, name, value)
    assert near(enhancer.enhance(crops()), 0.8 * inverted(crops()) + 0.2 * crops())


def test_a_network_of_another_size_is_refused(opened):
    with pytest.raises(ModelError):
        opened(kind={"side": 32})


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(ModelError):
        open_neural_enhancer(of_side("gfpgan_1.4"), tmp_path)


def test_what_restores_no_aligned_face_is_refused(tmp_path):
    model = dataclasses.replace(lookup(["xseg_3"])[0])
    from tests.fakes.networks_masks import xseg_network

    xseg_network(tmp_path / model.file)
    with pytest.raises(ModelError) as caught:
        open_neural_enhancer(model, tmp_path)
    assert "xseg_3" in caught.value.message


def test_an_upscaler_restores_no_aligned_face(tmp_path):
    model = lookup(["lsdir_compact_x4"])[0]
    upscaler_network(tmp_path / model.file)
    sized = dataclasses.replace(model, contract=model.contract.sized(SIDE, SIDE))
    with pytest.raises(ModelError) as caught:
        open_neural_enhancer(sized, tmp_path)
    assert "lsdir_compact_x4" in caught.value.message


def test_it_warms_up_and_closes_twice(opened):
    enhancer = opened("codeformer", kind={"weighted": True})
    enhancer.warmup()
    enhancer.close()
    enhancer.close()
    with pytest.raises(BackendError):
        enhancer.enhance(crops())
