import ctypes

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.cuda.base import CudaError, DeviceLostError
from models.cuda.choice import open_cuda
from models.cuda.lanes import Lanes
from tests.fakes.cuda_library import pretend_library
from tests.fakes.cudart import Code, FakeCudart

SIZE = 8


class Doubling:
    """A network on the device: out = 2 * in, eight bytes."""

    def __init__(self, cudart, lanes):
        self.cudart = cudart
        self.lanes = lanes
        self.enqueued = 0

    def submit(self, value):
        slot = self.lanes.next_slot()
        self.lanes.host(slot, "in")[:] = value
        to, source = self.lanes.address(slot, "out"), self.lanes.address(slot, "in")
        return self.lanes.submit(lambda handle: self._enqueue(handle, to, source))

    def _enqueue(self, handle, to, source):
        self.enqueued += 1

        def kernel():
            for index in range(SIZE):
                byte = ctypes.c_uint8.from_address(source + index).value
                ctypes.c_uint8.from_address(to + index).value = 2 * byte % 256

        self.cudart.compute(handle, kernel)

    def collect(self):
        done = self.lanes.collect()
        return done.sequence, int(self.lanes.host(done.slot, "out")[0])


@pytest.fixture
def network(cudart, bindings):
    """Make a doubling network of the given depth; closed after the test."""
    opened = []

    def make(**options):
        cuda = open_cuda()
        opened.append(Lanes(cuda, {"in": SIZE}, {"out": SIZE}, **options))
        return Doubling(cudart, opened[-1])

    yield make
    for lanes in opened:
        lanes.close()
    assert cudart.problems == []


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("graphs", [False, True])
def test_each_frame_gets_its_own_result(network, depth, graphs):
    doubling = network(depth=depth, graphs=graphs)
    sent, got = 0, []
    while len(got) < 12:
        while sent < 12 and doubling.lanes.in_flight < depth:
            assert doubling.submit(sent) == sent
            sent += 1
        got.append(doubling.collect())
    assert got == [(number, 2 * number) for number in range(12)]


def test_with_pycuda_too(cudart, monkeypatch):
    pretend_library("pycuda", cudart, monkeypatch)
    doubling = Doubling(cudart, Lanes(open_cuda(0, "pycuda"), {"in": SIZE}, {"out": SIZE}, depth=2))
    doubling.submit(1)
    doubling.submit(2)
    assert [doubling.collect(), doubling.collect()] == [(0, 2), (1, 4)]
    for value in range(3, 7):
        doubling.submit(value)
        assert doubling.collect() == (value - 1, 2 * value)
    assert not doubling.lanes.uses_graphs, "pycuda has none"
    doubling.lanes.close()
    assert cudart.problems == []
    assert cudart.device_memory == {}


def test_the_stages_follow_each_other_by_events(network, cudart):
    doubling = network(graphs=False)
    cudart.calls.clear()
    doubling.submit(1)
    doubling.collect()
    upload, compute, download = 0x1000, 0x1001, 0x1002
    steps = [(call[0], [int(each) for each in call[1:] if hasattr(each, "handle")]) for call in cudart.calls]
    assert steps == [
        ("cudaMemcpyAsync", [upload]),
        ("cudaEventRecord", [upload]),
        ("cudaStreamWaitEvent", [compute]),
        ("compute", []),
        ("cudaEventRecord", [compute]),
        ("cudaStreamWaitEvent", [download]),
        ("cudaMemcpyAsync", [download]),
        ("cudaEventRecord", [download]),
        ("cudaEventSynchronize", []),
    ]
    uploaded, computed, downloaded = (
        cudart.calls[index][1] for index, name in enumerate(cudart.names()) if name == "cudaEventRecord"
    )
    waited = [call[2] for call in cudart.calls if call[0] == "cudaStreamWaitEvent"]
    assert waited == [uploaded, computed]
    assert cudart.calls[-1][1] is downloaded


@pytest.mark.parametrize(("depth", "overlap"), [(1, False), (2, True)])
def test_two_slots_upload_a_frame_while_the_one_before_is_computed(network, cudart, depth, overlap):
    doubling = network(depth=depth)
    for value in range(8):
        if doubling.lanes.in_flight == depth:
            doubling.collect()
        doubling.submit(value)
    while doubling.lanes.in_flight:
        doubling.collect()
    uploads, computes = cudart.spans("upload"), cudart.spans("compute")
    for (began, ended), (computing, computed) in zip(uploads[1:], computes, strict=False):
        assert (began < computed and ended > computing) is overlap
    took_ms = cudart.host_ms / 8
    assert took_ms == pytest.approx(5 if overlap else 9, rel=0.15), "the slowest stage, or all three"


def test_events_show_the_overlap(network):
    doubling = network(depth=2, timed=True)
    doubling.submit(1)
    doubling.submit(2)
    doubling.collect()
    doubling.collect()
    first, second = doubling.lanes.spans(0), doubling.lanes.spans(1)
    assert first.upload[1] <= first.compute[0]
    assert first.compute[1] <= first.download[0]
    assert second.upload[0] < first.compute[1]
    assert second.compute[0] >= first.compute[1], "one frame is computed at a time"


def test_a_warm_slot_is_captured_once_and_launched_from_then_on(network, cudart):
    doubling = network(depth=2)
    for value in range(10):
        doubling.submit(value)
        assert doubling.collect() == (value, 2 * value)
    names = cudart.names()
    assert doubling.enqueued == 4, "once to warm each slot up, once to capture it"
    assert names.count("cudaStreamBeginCapture") == 2
    assert names.count("cudaGraphLaunch") == 8
    assert names.index("compute") < names.index("cudaStreamBeginCapture")
    doubling.lanes.close()
    assert cudart.names().count("cudaGraphExecDestroy") == 2


def test_other_shapes_are_warmed_up_and_captured_anew(network, cudart):
    doubling = network()
    for value in range(3):
        doubling.submit(value)
        doubling.collect()
    doubling.lanes.resize(0, {"in": 4, "out": 4})
    assert cudart.names()[-1] == "cudaGraphExecDestroy"
    assert doubling.lanes.host(0, "in").nbytes == 4
    cudart.calls.clear()
    for value in range(3):
        doubling.submit(value)
        assert doubling.collect() == (3 + value, 2 * value)
    copied = [call[3] for call in cudart.calls if call[0] == "cudaMemcpyAsync"]
    assert set(copied) == {4}
    names = cudart.names()
    assert names.count("cudaStreamBeginCapture") == 1
    assert names.index("compute") < names.index("cudaStreamBeginCapture"), "warm first"


def test_where_capture_fails_each_frame_is_enqueued(network, cudart, caplog):
    cudart.graphs_work = False
    doubling = network(depth=2)
    for value in range(6):
        doubling.submit(value)
        assert doubling.collect() == (value, 2 * value)
    assert cudart.names().count("cudaStreamBeginCapture") == 1, "it is tried once, not for each slot"
    assert "cudaGraphLaunch" not in cudart.names()
    assert not doubling.lanes.uses_graphs
    assert "no CUDA graph" in caplog.text


def test_an_enqueue_that_fails_while_captured_leaves_capture_mode(network, cudart):
    doubling = network()
    doubling.submit(1)
    doubling.collect()
    attempts = []

    def enqueue(handle):
        attempts.append(handle)
        if len(attempts) == 1:
            raise CudaError("not while it is captured", "")

    doubling.lanes.submit(enqueue)
    doubling.lanes.collect()
    assert len(attempts) == 2
    assert cudart.names().count("cudaStreamEndCapture") == 1
    doubling.submit(5)
    assert doubling.collect() == (2, 10)


def test_a_frame_that_cannot_be_sent_leaves_its_slot_for_the_next(network, cudart):
    doubling = network(depth=2)
    cudart.failing["cudaStreamWaitEvent"] = Code.cudaErrorInvalidValue
    with pytest.raises(CudaError):
        doubling.submit(9)
    assert cudart.names()[-3:] == ["cudaStreamSynchronize"] * 3, "its upload still reads the slot"
    assert doubling.lanes.in_flight == 0
    assert doubling.submit(4) == 0
    assert doubling.collect() == (0, 8)


def test_a_lost_device_ends_the_attempt_to_capture(network, cudart):
    doubling = network()
    doubling.submit(1)
    doubling.collect()
    cudart.failing["cudaStreamBeginCapture"] = Code.cudaErrorIllegalAddress
    with pytest.raises(DeviceLostError):
        doubling.submit(2)


def test_a_frame_lost_while_it_is_waited_for_does_not_block_the_next(network, cudart):
    doubling = network(depth=2)
    doubling.submit(1)
    cudart.failing["cudaEventSynchronize"] = Code.cudaErrorInvalidValue
    with pytest.raises(CudaError):
        doubling.collect()
    doubling.submit(2)
    assert doubling.collect() == (1, 4)


def test_too_many_and_too_few(network):
    doubling = network(depth=2)
    with pytest.raises(RuntimeError, match="no frame is in flight"):
        doubling.collect()
    doubling.submit(1)
    doubling.submit(2)
    with pytest.raises(RuntimeError, match="2 frames are in flight"):
        doubling.submit(3)


def test_closing_waits_then_frees_each_thing_once(network, cudart):
    doubling = network(depth=2)
    for value in range(4):
        doubling.submit(value)
        doubling.collect()
    doubling.submit(1)
    cudart.calls.clear()
    doubling.lanes.close()
    names = cudart.names()
    kinds = [name for index, name in enumerate(names) if index == 0 or names[index - 1] != name]
    assert kinds == [
        "cudaStreamSynchronize",
        "cudaGraphExecDestroy",
        "cudaEventDestroy",
        "cudaStreamDestroy",
        "cudaFree",
        "cudaFreeHost",
    ]
    doubling.lanes.close()
    assert cudart.names() == names
    assert (cudart.device_memory, cudart.pinned_memory) == ({}, {})
    assert len(cudart.freed) == len(set(cudart.freed)) == 8


def test_results_outlive_the_lanes(network, cudart):
    doubling = network()
    doubling.submit(21)
    slot = doubling.lanes.collect().slot
    kept = doubling.lanes.host(slot, "out")
    doubling.lanes.close()
    assert kept.tolist() == [42] * SIZE
    assert len(cudart.pinned_memory) == 1


def test_closing_on_a_lost_device_is_quiet(network, cudart):
    doubling = network(depth=2)
    doubling.submit(1)
    cudart.lost = Code.cudaErrorLaunchFailure
    doubling.lanes.close()
    cudart.lost = None


def test_want_of_memory_gives_back_what_was_taken(cudart, bindings):
    cuda = open_cuda()
    taken = []
    allocate = cuda.allocate

    def scarce(size):
        taken.append(size)
        if len(taken) == 3:
            raise CudaError("out of memory", "")
        return allocate(size)

    cuda.allocate = scarce
    with pytest.raises(CudaError, match="out of memory"):
        Lanes(cuda, {"in": SIZE}, {"out": SIZE}, depth=2)
    assert cudart.device_memory == {}
    assert cudart.names().count("cudaStreamDestroy") == 3


@given(depth=st.integers(1, 4), steps=st.lists(st.booleans(), max_size=60))
def test_any_order_of_submit_and_collect_keeps_numbers_and_results(depth, steps):
    with pytest.MonkeyPatch.context() as patch:
        cudart = FakeCudart()
        pretend_library("cuda-bindings", cudart, patch)
        lanes = Lanes(open_cuda(), {"in": SIZE}, {"out": SIZE}, depth=depth)
        doubling = Doubling(cudart, lanes)
        sent = got = 0
        for submit in steps:
            if submit and sent - got < depth:
                assert doubling.submit(sent % 100) == sent
                sent += 1
            elif not submit and sent > got:
                assert doubling.collect() == (got, 2 * (got % 100))
                got += 1
            assert lanes.in_flight == sent - got
        lanes.close()
        assert cudart.problems == []
        assert cudart.device_memory == cudart.pinned_memory == {}


def test_the_stand_in_shows_a_copy_that_nobody_waited_for(cudart, bindings):
    cuda = open_cuda()
    stream, host, address = cuda.stream(), cuda.pinned(4), cuda.allocate(4)
    host[:] = 1
    stream.upload(address, host)
    host[:] = 2
    back = cuda.pinned(4)
    stream.download(back, address)
    stream.synchronise()
    np.testing.assert_array_equal(back, 2)
    cuda.free(address)
