"""A frame that goes up once and comes down once, on a real GPU, with a TensorRT network that negates."""

import sys
import time
from statistics import median

import numpy as np
import pytest

from models.cuda.base import CudaError
from models.cuda.device_chain import DeviceChain
from models.cuda.kernels.compile import find_compiler, image
from models.engines.cache import EngineCache
from models.engines.child import build_in_child
from models.runtime.base import InputSpec, Normalisation, PictureOut
from tests.fakes.onnx_file import negating_network
from tests.models.cuda.chains import by_the_cpu, soft_alpha
from tests.models.cuda.kernels.parity import placed, smooth

pytestmark = pytest.mark.gpu

HEIGHT, WIDTH, SIZE = 1080, 1920, 256
ROUNDS = 100


@pytest.fixture
def opened(library, tmp_path):
    """A chain for 1080p and a negating network of 256 pixels on the same device."""
    try:
        from models.engines import tensorrt as engines
        from models.runtime.tensorrt_device import TensorRTOnDevice
    except (ImportError, OSError) as error:
        pytest.skip(f"no TensorRT: {error}")
    path = tmp_path / "toy.onnx"
    path.write_bytes(negating_network((1, 3, SIZE, SIZE)))
    wanted = engines.order(path, "GPU", None, None, library)
    cuda = wanted.cuda
    try:
        module = cuda.module(image(cuda.device.capability, find_compiler(), tmp_path / "kernels"))
    except CudaError as error:
        cuda.close()
        pytest.skip(f"no compiled kernels: {error.message}")
    held = engines.load(wanted, EngineCache(tmp_path / "engines"), build_in_child)
    network = TensorRTOnDevice(cuda, held, path.name)
    chain = DeviceChain(cuda, module, HEIGHT, WIDTH)
    yield chain, network
    chain.close()
    network.close()
    module.close()
    cuda.close()


def on_the_device(chain, network, bgr, where, out):
    chain.begin(bgr)
    spec = InputSpec(SIZE, SIZE, "nchw", Normalisation(127.5, 127.5))
    chain.crop([where], into=(network.tensor("picture"), spec))
    network.enqueue(chain.stream)
    face = chain.decode(network.tensor("negated"), PictureOut((-1.0, 1.0)), "face")
    chain.paste(face, chain.mask("alpha", [np.minimum(soft_alpha(SIZE), 240)]), where)
    return chain.finish(out)


def test_frames_are_those_of_the_cpu(opened):
    chain, network = opened
    out = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    for seed in range(4):
        bgr, where = smooth(seed, HEIGHT, WIDTH, 3), placed((900, 500), 440, 0.3 * seed, SIZE)
        assert on_the_device(chain, network, bgr, where, out) == (True,)
        difference = np.abs(out.astype(int) - by_the_cpu(bgr, where))
        assert difference.max() <= 3
        assert difference.mean() < 0.2


def test_how_long_it_takes_beside_the_cpu(opened, capsys):
    """Told, not judged. The CPU's side is without a network, the device's with one."""
    chain, network = opened
    bgr, where = smooth(0, HEIGHT, WIDTH, 3), placed((900, 500), 440, 0.3, SIZE)
    out = np.empty_like(bgr)
    took_ms: dict[str, list[float]] = {"device": [], "CPU": []}
    for _ in range(ROUNDS):
        began = time.perf_counter()
        on_the_device(chain, network, bgr, where, out)
        between = time.perf_counter()
        by_the_cpu(bgr, where)
        took_ms["device"].append(1e3 * (between - began))
        took_ms["CPU"].append(1e3 * (time.perf_counter() - between))
    with capsys.disabled():
        told = ", ".join(f"{side} {median(times):.2f} ms" for side, times in took_ms.items())
        sys.stdout.write(f"\n1080p, face of 440 pixels, crop of {SIZE}, p50 of {ROUNDS}: {told}\n")
