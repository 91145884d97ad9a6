"""Which swappers the kernels serve, and what becomes of the others."""

from dataclasses import replace

import pytest

from models.cuda.base import CudaError
from models.errors import BackendError
from models.neural.device_faces import DeviceFaces
from models.neural.open_device_faces import NotOnDeviceError
from models.neural.settings import ChainSettings
from models.neural.swapper import open_swapper
from tests.fakes.cudart import Code
from tests.fakes.device_gpu import SWAPPER, DeviceGpu


@pytest.fixture
def gpu(monkeypatch, tmp_path, tmp_path_factory):
    gpu = DeviceGpu(monkeypatch, tmp_path, tmp_path_factory.getbasetemp() / "face.cu")
    yield gpu
    gpu.check_all_is_freed()


def test_one_that_the_kernels_serve(gpu):
    opened = gpu.open(gpu.network())
    assert isinstance(opened, DeviceFaces)
    assert opened.template == ("arcface_128", 256)
    assert opened.templates == ()
    opened.close()


def test_the_engine_is_the_one_that_a_session_uses(gpu):
    model = gpu.network()
    gpu.open(model).close()
    assert len(gpu.trt.built) == 1
    swapper = open_swapper(model, gpu.folder, "tensorrt")
    assert len(gpu.trt.built) == 1
    swapper.close()


def test_kernels_are_compiled_once(gpu):
    class Counting:
        version, made = "none", 0

        def architectures(self):
            return (89,)

        def compile(self, code, target):
            Counting.made += 1
            return b"face.cu, compiled"

    for _ in range(2):
        gpu.open(gpu.network(), compiler=Counting).close()
    assert Counting.made == 1


@pytest.mark.parametrize(
    ("name", "network", "options", "said"),
    [
        (SWAPPER, {}, {"boost": 2}, "boosted"),
        ("hyperswap_1a_256", {"mask": True}, {}, "its own mask"),
    ],
)
def test_what_the_kernels_cannot_do_is_told(gpu, name, network, options, said):
    with pytest.raises(NotOnDeviceError, match=said) as caught:
        gpu.open(gpu.network(name, **network), **options)
    assert not caught.value.final
    assert gpu.trt.built == []


def test_a_mask_that_does_not_count_is_no_hindrance(gpu):
    gpu.open(gpu.network("hyperswap_1a_256", mask=True), own=False).close()


def test_what_is_sharpened_is_not_for_the_kernels(gpu):
    model = gpu.network()
    sharp = replace(model, contract=replace(model.contract, sharpen=(0.5, 1.0)))
    with pytest.raises(NotOnDeviceError, match="sharpened"):
        gpu.open(sharp)


def test_a_file_that_tensorrt_does_not_read(gpu):
    with pytest.raises(NotOnDeviceError, match="does not read"):
        gpu.open(replace(gpu.network(), file="celeb.dfm"))


def test_a_tensorrt_that_does_not_start(gpu):
    gpu.trt.broken.add("runtime")
    with pytest.raises(BackendError, match="finds no GPU"):
        gpu.open(gpu.network())


def test_a_gpu_that_is_not_there(gpu):
    gpu.cudart.devices = 0
    with pytest.raises(CudaError, match="no GPU 0"):
        gpu.open(gpu.network())


def test_want_of_memory_gives_back_what_was_taken(gpu):
    model = gpu.network()
    gpu.cudart.failing["cudaMalloc"] = Code.cudaErrorMemoryAllocation
    with pytest.raises(CudaError, match="cudaErrorMemoryAllocation"):
        gpu.open(model)


def test_settings_are_kept_from_the_start(gpu):
    opened = gpu.open(gpu.network(), settings=ChainSettings(colour=0.3))
    assert opened.settings.colour == 0.3
    opened.close()
