"""What both libraries must do, on the runtime without a GPU."""

import ctypes
import threading
from enum import IntEnum

import numpy as np
import pytest

from models.cuda.base import CudaError, DeviceLostError
from models.cuda.choice import open_cuda
from tests.fakes.cudart import Code


@pytest.fixture
def cuda(library):
    cuda = open_cuda(0, library)
    yield cuda
    cuda.close()


def test_what_is_uploaded_comes_back(cuda, cudart):
    stream = cuda.stream()
    there, back = cuda.pinned(16), cuda.pinned(16)
    there[:] = np.arange(16)
    back[:] = 0
    address = cuda.allocate(16)
    stream.upload(address, there)
    stream.download(back, address)
    assert back.max() == 0, "the copies return at once"
    stream.synchronise()
    np.testing.assert_array_equal(back, there)
    cuda.free(address)
    stream.close()
    assert cudart.problems == []


def test_a_stream_waits_for_an_event_of_another(cuda, cudart):
    first, second, event = cuda.stream(), cuda.stream(), cuda.event(timed=True)
    begin = cuda.event(timed=True)
    host, address = cuda.pinned(8), cuda.allocate(8)
    host[:] = 7
    first.record(begin)
    first.upload(address, host)
    first.record(event)
    second.wait(event)
    back = cuda.pinned(8)
    second.download(back, address)
    second.synchronise()
    assert back.tolist() == [7] * 8
    assert event.elapsed_ms(begin) == pytest.approx(cudart.upload_ms, abs=0.1)


def test_pinned_memory_lives_as_long_as_somebody_looks_into_it(bindings, cudart):
    cuda = open_cuda(0, bindings)
    view = cuda.pinned(64)[8:].view(np.float32)
    cuda.close()
    assert len(cudart.pinned_memory) == 1
    view[:] = 3
    del view
    assert len(cudart.pinned_memory) == 0
    assert cudart.problems == []


def test_an_error_that_passes_is_told_and_the_device_goes_on(library, cuda, cudart):
    name = "cudaMalloc" if library == "cuda-bindings" else "mem_alloc"
    cudart.failing[name] = Code.cudaErrorMemoryAllocation
    with pytest.raises(CudaError) as caught:
        cuda.allocate(8)
    assert not isinstance(caught.value, DeviceLostError)
    cuda.free(cuda.allocate(8))


def test_want_of_memory_says_what_to_do(bindings, cudart):
    cuda = open_cuda(0, bindings)
    cudart.failing["cudaMalloc"] = Code.cudaErrorMemoryAllocation
    with pytest.raises(CudaError, match="cudaMalloc failed with cudaErrorMemoryAllocation") as caught:
        cuda.allocate(8)
    assert "depth 1" in caught.value.hint


def test_a_driver_that_is_missing_or_too_old(bindings, cudart):
    cudart.failing["cudaGetDeviceCount"] = Code.cudaErrorInsufficientDriver
    with pytest.raises(CudaError) as caught:
        open_cuda(0, bindings)
    assert "580" in caught.value.hint


def test_a_lost_device_is_told_from_other_errors(cuda, cudart):
    stream, event = cuda.stream(), cuda.event()
    cudart.lost = Code.cudaErrorIllegalAddress
    for step in (stream.synchronise, event.synchronise, lambda: cuda.allocate(8)):
        with pytest.raises(DeviceLostError, match="can no longer be used") as caught:
            step()
        assert caught.value.exit_code == 4
        assert "start the program again" in caught.value.hint
    cudart.lost = None


def test_another_thread_makes_the_device_its_own(library, cuda, cudart):
    cudart.calls.clear()
    thread = threading.Thread(target=cuda.use)
    thread.start()
    thread.join(5)
    assert cudart.names() == (
        ["cudaSetDevice"] if library == "cuda-bindings" else ["Context.push", "Context.pop"]
    ), "pycuda ends the process where a thread ends whose context is not popped"


def test_pycuda_shares_the_primary_context_and_pushes_once_per_thread(cudart, monkeypatch):
    from tests.fakes.cuda_library import pretend_library

    pretend_library("pycuda", cudart, monkeypatch)
    cuda = open_cuda(0, "pycuda")
    cuda.use()
    cuda.close()
    cuda.close()
    assert cudart.names() == ["init", "Device.retain_primary_context", "Context.push", "Context.pop"]


def test_a_graph_is_captured_for_this_thread_alone(bindings, cudart):
    cuda = open_cuda(0, bindings)
    stream = cuda.stream()
    stream.begin_capture()
    assert cudart.calls[-1][2] == "thread local"
    graph = stream.end_capture()
    graph.launch(stream)
    graph.close()
    graph.close()
    assert cudart.names()[-5:] == [
        "cudaStreamEndCapture",
        "cudaGraphInstantiate",
        "cudaGraphDestroy",
        "cudaGraphLaunch",
        "cudaGraphExecDestroy",
    ]


def test_pycuda_says_that_it_has_no_graphs(cudart, monkeypatch):
    from tests.fakes.cuda_library import pretend_library

    pretend_library("pycuda", cudart, monkeypatch)
    with pytest.raises(CudaError, match="no CUDA graphs"):
        open_cuda(0, "pycuda").stream().begin_capture()


def test_closing_streams_and_events_twice(cuda, cudart):
    for thing in (cuda.stream(), cuda.event()):
        thing.close()
        thing.close()
    assert cudart.problems == []


class Numbers(ctypes.Structure):
    _fields_ = (("address", ctypes.c_void_p), ("count", ctypes.c_int))


@pytest.fixture
def module(cuda, cudart):
    cudart.parameter_bytes = {"count_up": ctypes.sizeof(Numbers)}
    module = cuda.module(b"an image")
    yield module
    module.close()


def test_a_kernel_is_launched_with_what_its_structure_held_then(cuda, cudart, module):
    ran = []
    cudart.run_kernel = lambda *launch: ran.append(launch)
    stream, numbers = cuda.stream(), Numbers(address=0x1234, count=7)
    expected = bytes(numbers)
    module.launch("count_up", (3, 2, 1), (32, 8, 1), numbers, stream)
    numbers.count = 8
    assert ran == [], "it returns at once"
    stream.synchronise()
    assert ran == [("count_up", (3, 2, 1), (32, 8, 1), expected)]
    assert cudart.problems == []


def test_a_kernel_is_looked_up_once(cuda, cudart, module):
    stream = cuda.stream()
    for _ in range(3):
        module.launch("count_up", (1, 1, 1), (32, 8, 1), Numbers(), stream)
    stream.synchronise()
    names = cudart.names()
    assert names.count("cuModuleGetFunction") + names.count("Module.get_function") == 1
    assert names.count("kernel") == 3


def test_a_kernel_that_is_not_in_the_image(cuda, module):
    with pytest.raises(CudaError) as caught:
        module.launch("count_down", (1, 1, 1), (1, 1, 1), Numbers(), cuda.stream())
    assert not isinstance(caught.value, DeviceLostError)


def test_an_error_that_is_the_drivers_alone(bindings, cudart):
    cuda = open_cuda(0, bindings)

    class DriversOwn(IntEnum):
        CUDA_ERROR_CONTEXT_ALREADY_CURRENT = 202

    cudart.failing["cuModuleLoadData"] = DriversOwn.CUDA_ERROR_CONTEXT_ALREADY_CURRENT
    with pytest.raises(CudaError, match="cuModuleLoadData failed with CUDA_ERROR_CONTEXT_ALREADY_CURRENT"):
        cuda.module(b"an image")


def test_a_launch_on_a_lost_device(cuda, cudart, module):
    stream = cuda.stream()
    cudart.lost = Code.cudaErrorIllegalAddress
    with pytest.raises(DeviceLostError):
        module.launch("count_up", (1, 1, 1), (1, 1, 1), Numbers(), stream)
    cudart.lost = None


def test_modules_are_unloaded_once(cuda, cudart):
    module = cuda.module(b"an image")
    assert list(cudart.modules.values()) == [b"an image"]
    module.close()
    module.close()
    assert cudart.modules == {}
