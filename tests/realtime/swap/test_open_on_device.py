"""Which painter the program opens where TensorRT is asked for, on a GPU without a GPU."""

import logging
from functools import partial

import cv2
import numpy as np
import pytest

from models.cuda.base import CudaError, DeviceLostError
from models.neural.open_device_faces import open_device_faces
from realtime.config import BackendConfig, Config, MaskConfig, NeuralConfig
from realtime.swap import open_neural
from realtime.swap.device import DevicePainter
from realtime.swap.neural import NeuralPainter
from tests.fakes.device_gpu import SWAPPER, DeviceGpu, Pretended
from tests.fakes.head import picture_of, skin_texture
from tests.fakes.networks_masks import xseg_network
from tests.fakes.networks_swap import recogniser_network
from tests.realtime.swap.test_open_neural import POINTS, config, dresser, painted

TENSORRT = BackendConfig(swap="tensorrt")
PLAIN = NeuralConfig(colour=0)


@pytest.fixture
def gpu(monkeypatch, tmp_path, tmp_path_factory):
    gpu = DeviceGpu(monkeypatch, tmp_path, tmp_path_factory.getbasetemp() / "face.cu")
    gpu.network()
    recogniser_network(tmp_path / "arcface_w600k_r50.onnx", gain=0.5)
    # Vectors are kept by what the catalogue says of a recogniser, and other tests have another one.
    monkeypatch.setenv("REALTIME_FACES", str(tmp_path / "faces"))
    gpu.compiler = Pretended
    monkeypatch.setattr(
        open_neural,
        "open_device_faces",
        lambda *given, **more: partial(open_device_faces, compiler=gpu.compiler, build=gpu.build)(
            *given, **more
        ),
    )
    yield gpu
    gpu.check_all_is_freed()


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "anna.png"
    cv2.imwrite(str(path), picture_of(skin_texture(), POINTS)[:, :, ::-1])
    return path


@pytest.fixture
def opened(gpu):
    made = []

    def opened(wanted: Config):
        made.append(dresser(gpu.folder).replacement(wanted, lossless=True))
        return made[-1]

    yield opened
    for each in made:
        each.close()


def test_tensorrt_keeps_the_pictures_on_the_gpu(gpu, opened, picture, caplog):
    with caplog.at_level(logging.WARNING):
        device = opened(config(picture, SWAPPER, backend=TENSORRT, neural=PLAIN))
    assert isinstance(device._painter, DevicePainter)
    assert caplog.text == ""
    cpu = opened(config(picture, SWAPPER, neural=PLAIN))
    assert type(cpu._painter) is NeuralPainter
    bare, got, replaced = painted(device)
    assert replaced
    _, expected, _ = painted(cpu)
    difference = np.abs(got.astype(int) - expected)
    assert difference.max() <= 4
    assert difference.mean() <= 0.2
    assert np.abs(expected.astype(int) - bare).max() > 30
    assert "kernel" in gpu.cudart.names()


def test_without_kernels_the_cpu_does_it_and_the_log_says_so_once(gpu, opened, picture, caplog):
    wanted = config(picture, SWAPPER, backend=TENSORRT, neural=PLAIN)
    opened(wanted).close()

    def none():
        raise CudaError("there is nothing to compile CUDA kernels with", "")

    gpu.compiler = none
    gpu.forget()
    with caplog.at_level(logging.WARNING):
        without = opened(wanted)
        assert type(without._painter) is NeuralPainter
        assert painted(without)[2]
        painted(without)
    assert caplog.text.count("cut out and pasted by the CPU") == 1
    assert "nothing to compile CUDA kernels with" in caplog.text
    assert "kernel" not in gpu.cudart.names()
    assert "compute" in gpu.cudart.names(), "the network is TensorRT's all the same"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"mask": MaskConfig(masks=("box", "xseg_3"))}, "a network for a mask"),
        ({"neural": NeuralConfig(colour=0, boost=2)}, "boosted"),
    ],
)
def test_what_the_kernels_cannot_do_the_cpu_does(gpu, opened, picture, caplog, changed, said):
    xseg_network(gpu.folder / "xseg_3.onnx")
    opened(config(picture, SWAPPER, backend=TENSORRT, neural=PLAIN)).close()
    with caplog.at_level(logging.WARNING):
        other = opened(config(picture, SWAPPER, backend=TENSORRT, **{"neural": PLAIN, **changed}))
    assert type(other._painter) is NeuralPainter
    assert caplog.text.count("cut out and pasted by the CPU") == 1
    assert said in caplog.text


def test_a_lost_device_is_no_reason_to_go_on(gpu, opened, picture):
    def lost():
        raise DeviceLostError("cuModuleLoadData met cudaErrorLaunchFailure")

    gpu.compiler = lost
    with pytest.raises(DeviceLostError) as caught:
        opened(config(picture, SWAPPER, backend=TENSORRT))
    assert caught.value.final
