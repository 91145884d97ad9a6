"""Pictures in and out of TensorRT's session, on stand-ins of CUDA and TensorRT."""

import importlib
import json

import numpy as np
import pytest

from models.engines import builder
from models.engines.cache import EngineCache
from models.errors import BackendError, SwapError
from models.runtime.base import EACH, InputSpec, Normalisation, PictureOut
from tests.fakes.cuda_library import pretend_library
from tests.fakes.cudart import FakeCudart
from tests.fakes.onnx_file import negating_network
from tests.fakes.tensorrt import FakeTensorRT, pretend_tensorrt

MEANS, SCALES = (10.0, 20.0, 30.0), (2.0, 4.0, 8.0)
NEGATED = PictureOut((-60.0, 5.0))


@pytest.fixture
def load(monkeypatch, tmp_path):
    cudart = FakeCudart()
    pretend_library("cuda-bindings", cudart, monkeypatch)
    trt = FakeTensorRT(cudart)
    pretend_tensorrt(trt, monkeypatch)
    opened = []
    session_type = importlib.import_module("models.runtime.tensorrt").TensorRTSession

    def build(request, paths, progress, stop):
        builder.build(json.loads(request.line(paths)), trt.module, progress)

    def load(shape, **options):
        path = tmp_path / "toy.onnx"
        path.write_bytes(negating_network(shape))
        cache = EngineCache(tmp_path / "engines")
        opened.append(session_type(path, build=build, cache=cache, **options))
        return opened[-1]

    yield load
    for session in opened:
        session.close()
    opened.clear()
    assert cudart.problems == []


def noise(count=1, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, 6, 5, 3), np.uint8)


def taken(batch=1):
    return InputSpec(6, 5, "nchw", Normalisation(MEANS, SCALES), batch)


def answer(bgr):
    values = -(bgr[..., ::-1].astype(np.float64) - MEANS) / SCALES
    return np.clip((values + 60) * 255 / 65, 0, 255)[..., ::-1]


def test_channels_have_their_own_mean_and_scale_and_a_picture_comes_out(load):
    session = load((1, 3, 6, 5), picture=taken(), picture_out=NEGATED)
    assert [(spec.shape, spec.dtype) for spec in session.outputs] == [((1, 6, 5, 3), "uint8")]
    session.warmup()
    assert np.abs(session.run({"picture": noise()})["negated"] - answer(noise())).max() <= 0.501


def test_as_many_pictures_as_are_fed(load):
    session = load(("count", 3, 6, 5), picture=taken(EACH), picture_out=NEGATED)
    assert session.inputs[0].shape == (-1, 6, 5, 3)
    for count in (1, 4, 2, 16):
        given = session.run({"picture": noise(count)})["negated"]
        assert np.abs(given - answer(noise(count))).max() <= 0.501
    with pytest.raises(BackendError, match="16 pictures at most"):
        session.run({"picture": noise(17)})


def test_a_network_of_one_picture_says_so(load):
    assert load((1, 3, 6, 5), picture=taken(EACH)).inputs[0].shape == (1, 6, 5, 3)


def test_a_batch_of_a_fixed_size(load):
    session = load(("count", 3, 6, 5), picture=taken(3), picture_out=NEGATED)
    assert session.inputs[0].shape == (3, 6, 5, 3)
    assert np.abs(session.run({"picture": noise(3)})["negated"] - answer(noise(3))).max() <= 0.501
    with pytest.raises(BackendError, match=r"\(3, 6, 5, 3\) uint8"):
        session.run({"picture": noise(2)})


def test_frames_in_flight_have_pictures_of_their_own(load):
    session = load((1, 3, 6, 5), picture=taken(), picture_out=NEGATED, depth=2)
    for seed in (1, 2):
        session.submit({"picture": noise(seed=seed)})
    first, second = session.collect(), session.collect()
    assert np.abs(first.outputs["negated"] - answer(noise(seed=1))).max() <= 0.501
    assert np.abs(second.outputs["negated"] - answer(noise(seed=2))).max() <= 0.501


def test_values_that_are_no_numbers_fail_the_run_and_not_the_warming_up(load):
    endless = InputSpec(6, 5, "nchw", Normalisation(0.0, 1e-40))  # 255 / 1e-40 is infinite in float32
    session = load((1, 3, 6, 5), picture=endless, picture_out=NEGATED)
    session.warmup()
    with pytest.raises(SwapError, match=r"toy\.onnx computes values of 'negated' that are no numbers"):
        session.run({"picture": noise()})
