"""Each kernel on a real GPU against the CPU path: the checks of tests/models/cuda/kernels on other memory."""

import numpy as np
import pytest

from models.cuda.base import CudaError
from models.cuda.choice import open_cuda
from models.cuda.kernels.compile import find_compiler, image
from tests.fakes.kernel_memory import DeviceMemory
from tests.models.cuda.chains import soft_alpha
from tests.models.cuda.kernels import parity
from tests.models.cuda.kernels.parity import noise, placed, smooth

pytestmark = pytest.mark.gpu


@pytest.fixture
def memory(library, tmp_path):
    cuda = open_cuda(0, library)
    try:
        module = cuda.module(image(cuda.device.capability, find_compiler(), tmp_path))
    except CudaError as error:
        cuda.close()
        pytest.skip(f"no compiled kernels: {error.message}")
    memory = DeviceMemory(cuda, module)
    yield memory
    memory.close()
    module.close()
    cuda.close()


@pytest.mark.parametrize("size", [112, 128, 256, 512])
def test_crops(memory, size):
    places = [(960, 540, 440), (0, 0, 300), (1919, 1079, 300), (900, 500, 2500), (-900, 20, 100)]
    where = [placed((x, y), side, index, size) for index, (x, y, side) in enumerate(places)]
    parity.check_crops(memory, smooth(1, 1080, 1920, 3), where)


@pytest.mark.parametrize("layout", ["nchw", "nhwc"])
@pytest.mark.parametrize("order", ["rgb", "bgr"])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_network_inputs(memory, layout, order, dtype):
    parity.check_network_input(memory, layout, order, dtype)


@pytest.mark.parametrize("layout", ["nchw", "nhwc"])
@pytest.mark.parametrize("order", ["rgb", "bgr"])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("black_white", [(-1.0, 1.0), (0.0, 255.0), (1.0, 0.0)])
def test_outputs(memory, layout, order, dtype, black_white):
    parity.check_decoded(memory, layout, order, dtype, black_white)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_what_is_not_finite(memory, value, dtype):
    parity.check_unfinite(memory, value, dtype)


def test_colours(memory):
    parity.check_colour(memory)


@pytest.mark.parametrize("count", [1, 3, 8])
def test_masks(memory, count):
    parity.check_least_mask(memory, count)


@pytest.mark.parametrize(("size", "factor"), [(32, 2), (50, 4), (512, 3)])
def test_averaging(memory, size, factor):
    parity.check_shrunk(memory, size, factor)


@pytest.mark.parametrize("size", [128, 256, 512])
@pytest.mark.parametrize("centre", [(960, 540), (10, 1070)])
def test_pasting(memory, size, centre):
    bgr, where = smooth(2, 1080, 1920, 3), placed(centre, 440, 0.4, size)
    assert parity.check_pasted(memory, bgr, noise(3, size, size, 3), soft_alpha(size), where) == (True, True)
