"""Pictures in and out of a session, with answers that can be computed by hand, on both backends of a CPU."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import ModelError, SwapError
from models.runtime.base import EACH, InputSpec, Normalisation, PictureOut, TensorSpec
from models.runtime.pictures import find_input, find_output
from models.runtime.proof import prove
from models.runtime.registry import open_session
from tests.fakes.networks import mixing_network, tiny_network

BACKENDS = ["openvino", "onnx"]
FOLDED = "openvino folded"
WAYS = [*BACKENDS, FOLDED]
HEIGHT, WIDTH = 6, 5
MEANS, SCALES = (10.0, 20.0, 30.0), (2.0, 4.0, 8.0)


def shape(layout, batch=1):
    return (batch, 3, HEIGHT, WIDTH) if layout == "nchw" else (batch, HEIGHT, WIDTH, 3)


def noise(count=1, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, HEIGHT, WIDTH, 3), np.uint8)


def taken(layout="nchw", *, order="rgb", batch=1, name=""):
    return InputSpec(HEIGHT, WIDTH, layout, Normalisation(MEANS, SCALES, order), batch, name)


def prepared(bgr, layout="nchw", order="rgb"):
    channels = bgr[..., ::-1] if order == "rgb" else bgr
    values = (channels.astype(np.float64) - MEANS) / SCALES
    return values if layout == "nhwc" else values.transpose(0, 3, 1, 2)


def decoded(values, black_white, layout="nchw", order="rgb"):
    black, white = black_white
    levels = np.clip((values - black) * 255 / (white - black), 0, 255)
    nhwc = levels if layout == "nhwc" else levels.transpose(0, 2, 3, 1)
    return nhwc[..., ::-1] if order == "rgb" else nhwc


def opened_on(way, path, monkeypatch, **options):
    """`way`: a backend, or OpenVINO as it does on devices that decode in the graph."""
    if way == FOLDED:
        monkeypatch.setattr("models.runtime.openvino._FOLDS_OUTPUT", {"CPU"})
    return open_session(path, "openvino" if way == FOLDED else way, **options)


@pytest.fixture(params=WAYS)
def load(request, tmp_path, monkeypatch):
    opened = []

    def load(network_shape, factors=None, *, weight="", fault="", **options):
        path = mixing_network(
            tmp_path / "mixing.onnx", network_shape, factors or {"picture": 1.0}, weight=weight, fault=fault
        )
        opened.append(opened_on(request.param, path, monkeypatch, **options))
        return opened[-1]

    yield load
    for session in opened:
        session.close()


@pytest.mark.parametrize("layout", ["nhwc", "nchw"])
@pytest.mark.parametrize("order", ["rgb", "bgr"])
def test_each_channel_is_prepared_by_its_own_mean_and_scale(load, layout, order):
    session = load(shape(layout), picture=taken(layout, order=order))
    values = session.run({"picture": noise()})["mixed"]
    np.testing.assert_allclose(values, prepared(noise(), layout, order), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("layout", ["nhwc", "nchw"])
@pytest.mark.parametrize("order", ["rgb", "bgr"])
@pytest.mark.parametrize("black_white", [(-5.0, 60.0), (0.0, 1.0)])
def test_a_picture_comes_out_rounded_and_cut(load, layout, order, black_white):
    session = load(
        shape(layout), picture=taken(layout, order=order), picture_out=PictureOut(black_white, order, layout)
    )
    assert session.outputs[1] == TensorSpec("mixed", (1, HEIGHT, WIDTH, 3), "uint8")
    assert session.outputs[0].dtype == "float32"
    assert len(session.outputs) == 2
    results = session.run({"picture": noise()})
    assert set(results) == {"other", "mixed"}
    given = results["mixed"]
    exact = decoded(prepared(noise(), layout, order), black_white, layout, order)
    assert (given.shape, given.dtype) == ((1, HEIGHT, WIDTH, 3), np.uint8)
    assert np.abs(given - exact).max() <= 0.501
    assert given.flags["C_CONTIGUOUS"]


def test_what_went_in_comes_out(load):
    same = InputSpec(HEIGHT, WIDTH, "nchw", Normalisation(127.5, 127.5))
    session = load(shape("nchw"), picture=same, picture_out=PictureOut((-1.0, 1.0)))
    for seed in range(3):
        np.testing.assert_array_equal(session.run({"picture": noise(seed=seed)})["mixed"], noise(seed=seed))


def test_the_picture_is_written_to_the_same_array(load):
    session = load(shape("nchw"), picture=taken(), picture_out=PictureOut((0.0, 1.0)))
    first = session.run({"picture": noise()})["mixed"]
    assert session.run({"picture": noise(seed=1)})["mixed"] is first


@pytest.mark.parametrize("output", ["mixed", 1])
def test_the_output_may_be_named(load, output):
    session = load(shape("nchw"), picture=taken(), picture_out=PictureOut((0.0, 1.0), output=output))
    assert session.outputs[1].dtype == "uint8"


@pytest.mark.parametrize("output", ["other", 0, "nothing", 7])
def test_an_output_that_is_no_picture_is_refused(load, output):
    with pytest.raises(ModelError, match=r"mixing\.onnx has no output called .*'mixed' \(1, 3, 6, 5\)"):
        load(shape("nchw"), picture=taken(), picture_out=PictureOut((0.0, 1.0), output=output))


def test_the_wrong_layout_is_refused(load):
    with pytest.raises(ModelError, match=r"no output that is a picture, nhwc"):
        load(shape("nchw"), picture=taken(), picture_out=PictureOut((0.0, 1.0), layout="nhwc"))


@pytest.mark.parametrize("layout", ["nhwc", "nchw"])
def test_as_many_pictures_as_are_fed_go_through(load, layout):
    session = load(
        shape(layout, "count"),
        picture=taken(layout, batch=EACH),
        picture_out=PictureOut((-5.0, 60.0), layout=layout),
    )
    assert session.inputs[0].shape == (-1, HEIGHT, WIDTH, 3) == session.outputs[1].shape
    session.warmup()
    for count in (1, 4, 2, 4):
        given = session.run({"picture": noise(count)})["mixed"]
        exact = decoded(prepared(noise(count), layout), (-5.0, 60.0), layout)
        assert given.shape == exact.shape
        assert np.abs(given - exact).max() <= 0.501


def test_a_batch_of_a_fixed_size(load):
    session = load(shape("nchw", "count"), picture=taken(batch=3), picture_out=PictureOut((-5.0, 60.0)))
    assert session.inputs[0].shape == (3, HEIGHT, WIDTH, 3) == session.outputs[1].shape
    exact = decoded(prepared(noise(3)), (-5.0, 60.0))
    assert np.abs(session.run({"picture": noise(3)})["mixed"] - exact).max() <= 0.501


def test_a_network_of_one_picture_says_so_when_asked_for_as_many_as_are_fed(load):
    session = load(shape("nchw"), picture=taken(batch=EACH), picture_out=PictureOut((-5.0, 60.0)))
    assert session.inputs[0].shape == (1, HEIGHT, WIDTH, 3)
    exact = decoded(prepared(noise()), (-5.0, 60.0))
    assert np.abs(session.run({"picture": noise()})["mixed"] - exact).max() <= 0.501


def test_a_network_of_one_picture_refuses_a_batch(load):
    with pytest.raises(ModelError, match=r"no picture input of the shape \(4, 3, 6, 5\).*\(1, 3, 6, 5\)"):
        load(shape("nchw"), picture=taken(batch=4))


@pytest.mark.parametrize("count", [1, 3])
def test_values_that_are_no_numbers_fail_the_run_and_say_which_pictures(load, count):
    session = load(
        shape("nchw", "count"),
        picture=InputSpec(HEIGHT, WIDTH, "nchw", Normalisation(0.0, 1.0), EACH),
        picture_out=PictureOut((0.0, 10.0)),
        fault="Log",
    )
    good = np.full((count, HEIGHT, WIDTH, 3), 100, np.uint8)
    level = round(np.log(100) * 25.5)
    assert (session.run({"picture": good})["mixed"] == level).all()
    bad = good.copy()
    bad[count - 1, 2, 3, 1] = 0  # its logarithm is minus infinity
    with pytest.raises(SwapError, match=r"mixing\.onnx.*'mixed'.*no numbers") as caught:
        session.run({"picture": bad})
    assert caught.value.faces == (count - 1,)
    assert (session.run({"picture": good})["mixed"] == level).all()


def test_one_value_that_is_no_number_is_enough(load):
    session = load(
        shape("nchw"),
        picture=InputSpec(HEIGHT, WIDTH, "nchw", Normalisation(1.0, 1.0)),
        picture_out=PictureOut((0.0, 10.0)),
        fault="Sqrt",
    )
    bgr = np.full((1, HEIGHT, WIDTH, 3), 100, np.uint8)
    bgr[0, 5, 4, 2] = 0  # the root of -1 is NaN
    with pytest.raises(SwapError, match="no numbers"):
        session.run({"picture": bgr})


def test_zeros_may_have_no_answer_when_warming_up(load):
    session = load(
        shape("nchw"),
        picture=InputSpec(HEIGHT, WIDTH, "nchw", Normalisation(0.0, 1.0)),
        picture_out=PictureOut((0.0, 10.0)),
        fault="Log",
    )
    session.warmup()
    with pytest.raises(SwapError):
        session.run({"picture": np.zeros((1, HEIGHT, WIDTH, 3), np.uint8)})
    with pytest.raises(SwapError):
        prove(session, "mixing.onnx")  # its noise has zeros, too


@pytest.mark.parametrize("names", [("target", "source"), ("source", "target")])
@pytest.mark.parametrize("batch", [1, EACH])
def test_of_two_pictures_the_one_of_the_name_is_prepared(load, names, batch):
    session = load(
        shape("nchw", 1 if batch == 1 else "count"),
        {names[0]: 1.0, names[1]: 100.0},
        picture=taken(name="target", batch=batch),
    )
    dtypes = {spec.name: spec.dtype for spec in session.inputs}
    assert dtypes == {"target": "uint8", "source": "float32"}
    other = np.ones((1, 3, HEIGHT, WIDTH), np.float32)
    factors = {names[0]: 1.0, names[1]: 100.0}
    values = session.run({"target": noise(), "source": other})["mixed"]
    exact = prepared(noise()) * factors["target"] + factors["source"]
    np.testing.assert_allclose(values, exact, rtol=1e-4, atol=1e-4)


def test_the_picture_need_not_be_the_first_input(load):
    session = load(shape("nchw"), weight="weight", picture=taken(), picture_out=PictureOut((-5.0, 60.0)))
    given = session.run({"picture": noise(), "weight": np.array([2.0], np.float32)})["mixed"]
    assert np.abs(given - decoded(2 * prepared(noise()), (-5.0, 60.0))).max() <= 0.501


@pytest.mark.parametrize("order_in", ["rgb", "bgr"])
@pytest.mark.parametrize("order_out", ["rgb", "bgr"])
@pytest.mark.parametrize("way", WAYS)
def test_a_network_with_weights_gives_what_it_gives_alone(tmp_path, way, order_in, order_out, monkeypatch):
    path = tiny_network(tmp_path / "tiny.onnx")
    bgr = np.random.default_rng(0).integers(0, 256, (1, 16, 16, 3), np.uint8)
    channels = bgr[..., ::-1] if order_in == "rgb" else bgr
    values = ((channels - np.array(MEANS)) / SCALES).astype(np.float32).transpose(0, 3, 1, 2)
    plain = open_session(path, "onnx")
    exact = decoded(
        plain.run({"picture": np.ascontiguousarray(values)})["result"], (0.0, 1.0), order=order_out
    )
    plain.close()
    taken_so = InputSpec(16, 16, "nchw", Normalisation(MEANS, SCALES, order_in))
    given_so = PictureOut((0.0, 1.0), order_out)
    session = opened_on(way, path, monkeypatch, picture=taken_so, picture_out=given_so)
    assert np.abs(session.run({"picture": bgr})["result"] - exact).max() <= 0.6
    session.close()


@pytest.mark.parametrize("folded", [True, False])
def test_two_frames_in_flight_have_pictures_of_their_own(tmp_path, monkeypatch, folded):
    from models.runtime.openvino_overlap import OverlappingOpenVinoSession

    if folded:
        monkeypatch.setattr("models.runtime.openvino._FOLDS_OUTPUT", {"CPU"})
    path = mixing_network(tmp_path / "mixing.onnx", shape("nchw"), {"picture": 1.0})
    session = OverlappingOpenVinoSession(path, picture=taken(), picture_out=PictureOut((-5.0, 60.0)))
    for seed in (1, 2):
        session.submit({"picture": noise(seed=seed)})
    first, second = session.collect(), session.collect()
    for seed, result in ((1, first), (2, second)):
        exact = decoded(prepared(noise(seed=seed)), (-5.0, 60.0))
        assert np.abs(result.outputs["mixed"] - exact).max() <= 0.501
    session.close()


@settings(max_examples=15, deadline=None)
@given(
    black=st.floats(-4, 4),
    span=st.floats(0.5, 300),
    order=st.sampled_from(["rgb", "bgr"]),
    seed=st.integers(0, 99),
)
def test_the_backends_give_the_same_picture(tmp_path_factory, black, span, order, seed):
    path = mixing_network(tmp_path_factory.mktemp("parity") / "mixing.onnx", shape("nchw"), {"picture": 1.0})
    pictures = []
    for backend in BACKENDS:
        session = open_session(
            path,
            backend,
            picture=taken(order=order),
            picture_out=PictureOut((black, black + span), order),
        )
        pictures.append(session.run({"picture": noise(seed=seed)})["mixed"].astype(int))
        session.close()
    assert np.abs(pictures[0] - pictures[1]).max() <= 1  # a value half way between two levels


def test_the_input_is_found_by_name_then_by_shape():
    specs = [
        TensorSpec("vector", (1, 512), "float32"),
        TensorSpec("small", (1, 3, 4, 4), "float32"),
        TensorSpec("a", (-1, 3, -1, -1), "float32"),
        TensorSpec("b", (1, 3, HEIGHT, WIDTH), "float32"),
    ]
    assert find_input(specs, taken(), "m") == (2, 1)
    assert find_input(specs, taken(name="b"), "m") == (3, 1)
    assert find_input(specs, taken(name="small"), "m") == (2, 1)
    assert find_input(specs, taken(batch=EACH), "m") == (2, EACH)
    assert find_input(specs, taken(name="b", batch=EACH), "m") == (3, 1)
    with pytest.raises(ModelError, match="it has none"):
        find_input([], taken(), "m")


def test_integers_are_no_picture_to_decode():
    spec = TensorSpec("levels", (1, 3, HEIGHT, WIDTH), "uint8")
    with pytest.raises(ModelError, match="'levels'"):
        find_output([spec], PictureOut((0.0, 1.0)), "m")
