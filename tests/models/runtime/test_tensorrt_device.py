"""A network on the device, on stand-ins of CUDA and TensorRT; tests/gpu runs it on the real ones."""

import importlib
import json

import numpy as np
import pytest

from models.cuda.device_chain import DeviceChain
from models.engines import builder
from models.engines.cache import EngineCache
from models.engines.profile import Range
from models.errors import BackendError
from models.runtime.base import InputSpec, Normalisation, PictureOut
from tests.fakes.cuda_library import pretend_library
from tests.fakes.cudart import FakeCudart
from tests.fakes.host_kernels import compiled_for_host
from tests.fakes.onnx_file import negating_network
from tests.fakes.tensorrt import DataType, FakeTensorRT, pretend_tensorrt
from tests.models.cuda.chains import HEIGHT, SIZE, WIDTH, by_the_cpu, frame_of, soft_alpha
from tests.models.cuda.kernels.parity import placed


@pytest.fixture(params=["cuda-bindings", "pycuda"])
def cudart(request, monkeypatch):
    cudart = FakeCudart()
    cudart.library = request.param
    pretend_library(request.param, cudart, monkeypatch)
    return cudart


@pytest.fixture
def trt(cudart, monkeypatch):
    trt = FakeTensorRT(cudart)
    pretend_tensorrt(trt, monkeypatch)
    return trt


@pytest.fixture
def open_network(trt, cudart, tmp_path):
    """Open a negating network of the given input shape on the device; closed after the test."""
    opened = []
    engines = importlib.import_module("models.engines.tensorrt")
    kind = importlib.import_module("models.runtime.tensorrt_device").TensorRTOnDevice

    def build(request, paths, progress, stop):
        builder.build(json.loads(request.line(paths)), trt.module, progress)

    def open_network(shape=(1, 3, SIZE, SIZE), ranges=None, shapes=None):
        path = tmp_path / "toy.onnx"
        path.write_bytes(negating_network(shape))
        wanted = engines.order(path, "GPU", None, ranges, cudart.library)
        held = engines.load(wanted, EngineCache(tmp_path / "engines"), build)
        opened.append((wanted.cuda, held))
        opened.append((wanted.cuda, kind(wanted.cuda, held, path.name, shapes)))
        return wanted.cuda, opened[-1][1]

    yield open_network
    for cuda, thing in opened:
        if hasattr(thing, "close"):
            thing.close()
        cuda.close()
    opened.clear()
    assert cudart.problems == []
    assert cudart.device_memory == {}


def test_the_network_reads_what_the_kernels_write(open_network, cudart, tmp_path):
    """Frame up, crop, network, picture, paste, frame down: nothing of it passes the host in between."""
    compiled_for_host(tmp_path / "host").behind(cudart)
    cuda, network = open_network()
    target, negated = network.tensor("picture"), network.tensor("negated")
    assert (target.shape, target.dtype) == ((1, 3, SIZE, SIZE), "float32")
    assert network.inputs == ("picture",)
    module = cuda.module(b"face.cu")
    chain = DeviceChain(cuda, module, HEIGHT, WIDTH)
    bgr, where = frame_of(1), placed((60, 50), 60, 0.2, SIZE)
    out = np.empty_like(bgr)
    for _ in range(2):
        chain.begin(bgr)
        chain.crop([where], into=(target, InputSpec(SIZE, SIZE, "nchw", Normalisation(127.5, 127.5))))
        network.enqueue(chain.stream)
        face = chain.decode(negated, PictureOut((-1.0, 1.0)), "face")
        chain.paste(face, chain.mask("alpha", [np.minimum(soft_alpha(), 240)]), where)
        assert chain.finish(out) == (True,)
    difference = np.abs(out.astype(int) - by_the_cpu(bgr, where))
    assert difference.max() <= 3
    assert difference.mean() < 0.2
    chain.close()
    module.close()


def test_what_comes_from_the_host_is_sent_before_the_run(open_network):
    cuda, network = open_network((1, 4))
    stream, back = cuda.stream(), cuda.pinned(16)
    for value in (3.0, 5.0):
        network.feed("picture", np.full((1, 4), value), stream)
        network.enqueue(stream)
        stream.download(back, network.tensor("negated").address)
    network.feed("picture", np.full((1, 4), 9.0), stream)
    stream.synchronise()
    np.testing.assert_array_equal(back.view(np.float32), [-5.0] * 4)
    with pytest.raises(BackendError, match=r"takes 'picture' as \(1, 4\), not \(4,\)"):
        network.feed("picture", np.zeros(4, np.float32), stream)
    stream.close()


def test_a_free_batch_takes_the_shape_it_is_told(open_network):
    ranges = {"picture": Range((1, 3), (2, 3), (4, 3))}
    _, network = open_network(("batch", 3), ranges, {"picture": (4, 3)})
    assert network.tensor("negated").shape == (4, 3)


def test_a_free_batch_takes_fewer_and_as_many_again(open_network):
    ranges = {"picture": Range((1, 3), (2, 3), (4, 3))}
    cuda, network = open_network(("batch", 3), ranges, {"picture": (3, 3)})
    stream, back = cuda.stream(), cuda.pinned(36)
    place = network.tensor("negated").address
    for count in (3, 1, 2, 2, 3):
        network.reshape({"picture": (count, 3)})
        assert network.tensor("picture").shape == network.tensor("negated").shape == (count, 3)
        assert network.tensor("negated").address == place
        values = np.arange(3 * count, dtype=np.float32).reshape(count, 3) + count
        network.feed("picture", values, stream)
        network.enqueue(stream)
        stream.download(back, place)
        stream.synchronise()
        np.testing.assert_array_equal(back.view(np.float32)[: 3 * count], -values.ravel())
    with pytest.raises(BackendError, match="was opened for less"):
        network.reshape({"picture": (4, 3)})
    network.enqueue(stream)
    with pytest.raises(BackendError, match="being told the shape"):
        network.reshape({"picture": (0, 3)})
    with pytest.raises(BackendError, match="shapes that do not fit"):
        network.enqueue(stream)
    network.reshape({"picture": (3, 3)})
    network.enqueue(stream)
    stream.synchronise()
    stream.close()
    network.close()
    with pytest.raises(BackendError, match="is closed"):
        network.reshape({"picture": (1, 3)})


@pytest.mark.parametrize("shapes", [None, {"picture": (5, 3)}])
def test_a_free_batch_without_a_shape_that_fits(open_network, shapes):
    ranges = {"picture": Range((1, 3), (2, 3), (4, 3))}
    with pytest.raises(BackendError, match="being told the shape"):
        open_network(("batch", 3), ranges, shapes)


def test_an_output_whose_size_depends_on_what_it_is_fed(open_network, trt):
    trt.data_dependent = True
    with pytest.raises(BackendError, match="depends on what it is fed"):
        open_network()


def test_a_type_that_numpy_does_not_know(open_network, trt):
    trt.output_type = DataType.BF16
    with pytest.raises(BackendError, match="numpy does not know"):
        open_network()


def test_no_context(open_network, trt):
    trt.broken.add("context")
    with pytest.raises(BackendError, match="want of GPU memory"):
        open_network()


def test_a_run_that_tensorrt_refuses(open_network, trt):
    cuda, network = open_network()
    trt.broken.add("enqueue")
    stream = cuda.stream()
    with pytest.raises(BackendError, match=r"enqueueing a frame .*an error"):
        network.enqueue(stream)
    stream.close()


def test_the_context_goes_before_the_engine_and_once(open_network, cudart):
    cuda, network = open_network()
    network.close()
    network.close()
    assert [name for name in cudart.names() if name.endswith("freed")] == ["context freed", "engine freed"]
    stream = cuda.stream()
    with pytest.raises(BackendError, match="is closed"):
        network.enqueue(stream)
    stream.close()
