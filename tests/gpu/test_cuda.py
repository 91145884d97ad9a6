import numpy as np
import pytest

from models.cuda.choice import open_cuda
from models.cuda.lanes import Lanes

pytestmark = pytest.mark.gpu

SIZE = 1 << 24


@pytest.fixture
def cuda(library):
    cuda = open_cuda(0, library)
    yield cuda
    cuda.close()


def test_the_device_says_what_it_is(cuda):
    assert cuda.device.name
    assert cuda.device.capability >= (7, 5)
    assert cuda.device.driver_major >= 12


def test_memory_comes_back_as_it_went(cuda):
    stream, there, back = cuda.stream(), cuda.pinned(SIZE), cuda.pinned(SIZE)
    there[:] = np.random.default_rng(0).integers(0, 256, SIZE, dtype=np.uint8)
    address = cuda.allocate(SIZE)
    stream.upload(address, there)
    stream.download(back, address)
    stream.synchronise()
    np.testing.assert_array_equal(back, there)
    cuda.free(address)
    stream.close()


def test_lanes_keep_frames_apart(cuda):
    """The copy on the device stands in for a network: it shares its memory."""
    lanes = Lanes(cuda, {"in": SIZE}, {}, depth=2, graphs=False, timed=True)
    for value in range(6):
        slot = lanes.next_slot()
        lanes.host(slot, "in")[:] = value
        assert lanes.submit(lambda handle: None) == value
        assert lanes.collect().sequence == value
        spans = lanes.spans(slot)
        assert spans.upload[0] <= spans.upload[1] <= spans.compute[0]
    lanes.close()
