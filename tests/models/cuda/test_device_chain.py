"""The chain on the runtime without a GPU, face.cu run by the CPU: the order of calls, and the pictures."""

import threading

import cv2
import numpy as np
import pytest

from models.cuda.base import CudaError, DeviceLostError
from models.cuda.choice import open_cuda
from models.cuda.device_chain import DeviceChain
from models.cuda.kernels.face import DeviceTensor
from models.cuda.kernels.parameters import MOST_FACES
from models.neural.align import Alignment, between, crop
from models.runtime.base import InputSpec, Normalisation, PictureOut
from tests.fakes.cudart import Code
from tests.fakes.host_kernels import compiled_for_host
from tests.models.cuda.chains import HEIGHT, SIZE, WIDTH, by_the_cpu, frame_of, soft_alpha
from tests.models.cuda.kernels.parity import placed

SPEC = InputSpec(SIZE, SIZE, "nchw", Normalisation(127.5, 127.5))
OUT = PictureOut((-1.0, 1.0))
SHAPE = (1, 3, SIZE, SIZE)


@pytest.fixture(scope="session")
def host_kernels(tmp_path_factory):
    return compiled_for_host(tmp_path_factory.mktemp("kernels"))


@pytest.fixture
def device(cudart, library, host_kernels):
    """A GPU without a GPU."""
    host_kernels.behind(cudart)
    cuda = open_cuda(0, library)
    yield cuda
    cuda.close()
    assert cudart.problems == []


@pytest.fixture
def chain(device, cudart):
    module = device.module(b"face.cu, compiled")
    chain = DeviceChain(device, module, HEIGHT, WIDTH)
    yield chain
    chain.close()
    module.close()
    assert cudart.device_memory == {}


class Negative:
    """A network on the device: its output is minus its input, picture by picture."""

    def __init__(self, cuda, cudart, count=1):
        self.cudart = cudart
        self.shape = (count, *SHAPE[1:])
        self.size_bytes = 4 * int(np.prod(self.shape))
        self.cuda = cuda
        self.input = DeviceTensor(cuda.allocate(self.size_bytes), self.shape, "float32")
        self.output = DeviceTensor(cuda.allocate(self.size_bytes), self.shape, "float32")
        self.broken = None

    def enqueue(self, stream):
        memory = self.cudart.device_memory
        source, to = memory[self.input.address], memory[self.output.address]

        def work():
            values = -np.ctypeslib.as_array(source).view(np.float32)
            if self.broken is not None:
                values.reshape(self.shape)[self.broken, 1, 2, 3] = np.nan
            np.ctypeslib.as_array(to)[:] = values.view(np.uint8)

        self.cudart.compute(stream.handle, work)

    def close(self):
        self.cuda.free(self.input.address)
        self.cuda.free(self.output.address)


@pytest.fixture
def network(device, cudart):
    network = Negative(device, cudart)
    yield network
    network.close()


def taken_through(chain, network, bgr, where, out, maps=None):
    chain.begin(bgr)
    chain.crop([where], into=(network.input, SPEC))
    network.enqueue(chain.stream)
    squares = chain.decode(network.output, OUT, "swapped")
    if maps is not None:
        chain.colour(squares, maps)
    alpha = chain.mask("alpha", [soft_alpha(), np.full((SIZE, SIZE), 240, np.uint8)])
    chain.paste(squares, alpha, where)
    return chain.finish(out)


def assert_alike(got, expected):
    difference = np.abs(got.astype(int) - expected)
    assert difference.max() <= 4, "a crop's level off by one, a colour's too, and the paste's two"
    assert difference.mean() < 0.2


def test_frames_are_those_of_the_cpu(chain, network):
    warmer = np.array([[0.9, 0.05, 0, 3], [0, 1, 0, 0], [0.02, 0, 1.05, -4]])
    for seed in range(4):
        bgr = frame_of(seed)
        where = placed((60 + 20 * seed, 50), 60, 0.2 * seed, SIZE)
        out = np.full_like(bgr, 77)
        assert taken_through(chain, network, bgr, where, out, [warmer]) == (True,)
        expected = by_the_cpu(bgr, where, maps=warmer)
        assert_alike(out, expected)
        assert np.abs(out.astype(int) - bgr).max() > 100, "there is a face"


def test_in_place_too(chain, network):
    bgr, where = frame_of(1), placed((60, 50), 60, 0.2, SIZE)
    expected, out = by_the_cpu(bgr, where), bgr.copy()
    taken_through(chain, network, out, where, out)
    assert_alike(out, expected)


def test_a_frame_written_to_pinned_memory_is_not_copied(chain, network, monkeypatch):
    bgr = frame_of(2)
    chain.pinned_frame[:] = bgr
    copies = []
    real = np.copyto
    monkeypatch.setattr(np, "copyto", lambda to, *rest: (copies.append(to.shape), real(to, *rest)))
    chain.begin(chain.pinned_frame)
    assert copies == []
    monkeypatch.undo()
    out = np.empty_like(bgr)
    assert chain.finish(out) == ()
    np.testing.assert_array_equal(out, bgr)


def test_only_the_rows_that_changed_come_back(chain, network, cudart):
    bgr, where = frame_of(3), placed((60, 50), 30, 0.0, SIZE)
    out = np.empty_like(bgr)
    sizes = []
    real = cudart.copy
    cudart.copy = lambda stream, kind, to, source, size: (
        sizes.append((kind, size)),
        real(stream, kind, to, source, size),
    )
    taken_through(chain, network, bgr, placed((60, 50), 90, 0.0, SIZE), out)
    sizes.clear()
    taken_through(chain, network, bgr, where, out)
    (rows, flags) = (size for kind, size in sizes if kind == "download")
    assert flags == 4 * MOST_FACES
    assert 30 <= rows / (3 * WIDTH) <= 34
    changed = np.flatnonzero((out != bgr).any(axis=(1, 2)))
    assert (changed.min(), changed.max()) >= (34, 60)
    np.testing.assert_array_equal(out[:34], bgr[:34])
    np.testing.assert_array_equal(out[68:], bgr[68:])


def test_one_stream_one_wait(chain, network, cudart, library):
    cudart.calls.clear()
    bgr, where = frame_of(0), placed((60, 50), 60, 0.2, SIZE)
    taken_through(chain, network, bgr, where, np.empty_like(bgr))
    taken_through(chain, network, bgr, where, np.empty_like(bgr))
    spoken = {
        "memcpy_htod_async": "up",
        "memcpy_dtoh_async": "down",
        "Event.record": "record",
        "Event.synchronize": "wait",
        "cudaEventRecord": "record",
        "cudaEventSynchronize": "wait",
        "compute": "network",
    }
    steps = []
    for call in cudart.calls:
        if call[0] == "cudaMemcpyAsync":
            steps.append("up" if call[4] == "upload" else "down")
        elif call[0] == "kernel":
            steps.append(call[1])
            assert call[5].handle == chain.stream.handle
        elif call[0] in spoken:
            steps.append(spoken[call[0]])
        else:
            assert call[0] in {
                "cudaMalloc",
                "cudaHostAlloc",
                "mem_alloc",
                "cuModuleGetFunction",
                "Module.get_function",
                "cuLaunchKernel",
            }, call[0]
    one = ["up", "warp_crop", "network", "decode", "up", "least_mask", "blend", "down", "down"]
    assert steps == 2 * [*one, "record", "wait"]
    second = cudart.calls[len(cudart.calls) // 2 + 5 :]
    assert not {"cudaMalloc", "mem_alloc", "cudaHostAlloc"} & {call[0] for call in second}, "all is there"


def test_grids_cover_what_they_must(chain, network, cudart):
    bgr, where = frame_of(0), placed((60, 50), 60, 0.0, SIZE)
    taken_through(chain, network, bgr, where, np.empty_like(bgr))
    launches = {call[1]: call[2:4] for call in cudart.calls if call[0] == "kernel"}
    across, down = -(-SIZE // 32), -(-SIZE // 8)
    assert launches["warp_crop"] == launches["decode"] == ((across, down, 1), (32, 8, 1))
    assert launches["least_mask"] == ((across, down, 1), (32, 8, 1))
    assert launches["blend"] == ((2, 8, 1), (32, 8, 1)), "a face of 60 pixels and its rim"


def test_two_faces_in_one_batch(chain, device, cudart):
    network = Negative(device, cudart, count=3)
    bgr = frame_of(5)
    places = [placed((40, 70), 50, 0.3, SIZE), placed((110, 30), 40, -0.4, SIZE)]
    out = np.empty_like(bgr)
    chain.begin(bgr)
    chain.crop(places, into=(network.input, InputSpec(SIZE, SIZE, "nchw", SPEC.normalisation, batch=3)))
    network.enqueue(chain.stream)
    squares = chain.decode(network.output, OUT, "swapped", count=2)
    alpha = chain.mask("alpha", [soft_alpha()])
    for index, where in enumerate(places):
        assert chain.paste(squares, alpha, where, index)
    assert chain.finish(out) == (True, True)
    launches = [
        call[2] for call in cudart.calls if call[0] == "kernel" and call[1] in ("warp_crop", "decode")
    ]
    assert [grid[2] for grid in launches] == [2, 2]
    expected = bgr
    for where in places:
        expected = by_the_cpu(expected, where, shown=bgr, level=255)
    assert_alike(out, expected)
    network.close()


def test_the_next_network_sees_what_was_pasted(chain, network):
    """As an enhancer after a swapper."""
    bgr, where = frame_of(6), placed((60, 50), 60, 0.2, SIZE)
    twice = by_the_cpu(by_the_cpu(bgr, where), where)
    out = np.empty_like(bgr)
    chain.begin(bgr)
    alpha = chain.mask("alpha", [np.minimum(soft_alpha(), 240)])
    for name in ("swapped", "enhanced"):
        chain.crop([where], into=(network.input, SPEC))
        network.enqueue(chain.stream)
        chain.paste(chain.decode(network.output, OUT, name), alpha, where)
    assert chain.finish(out) == (True, True)
    difference = np.abs(out.astype(int) - twice)
    assert difference.mean() < 0.4
    assert difference.max() <= 8


def test_another_templates_square_is_taken_from_a_square(chain, network):
    bgr, where = frame_of(7), placed((60, 50), 80, 0.2, SIZE)
    inner = placed((62, 48), 40, -0.1, 24)
    chain.begin(bgr)
    first = chain.crop([where], name="first")
    step = type(inner)(between(where, inner), 24)
    small = chain.crop([step], name="second", source=first.picture())
    chain.paste(small, chain.mask("all", [np.full((24, 24), 255, np.uint8)]), placed((12, 12), 24, 0.0, 24))
    out = np.empty_like(bgr)
    chain.finish(out)
    crop = cv2.warpAffine(
        bgr, where.matrix, (SIZE, SIZE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    expected = cv2.warpAffine(
        crop, step.matrix, (24, 24), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    assert np.abs(out[:24, :24].astype(int) - expected).max() <= 2


def test_what_is_not_finite_is_told_and_forgotten(chain, device, cudart):
    network = Negative(device, cudart, count=2)
    spec = InputSpec(SIZE, SIZE, "nchw", SPEC.normalisation, batch=2)
    where = placed((60, 50), 60, 0.2, SIZE)
    told = []
    for broken in (None, 1, None, 0):
        network.broken = broken
        chain.begin(frame_of(0))
        chain.crop([where, where], into=(network.input, spec))
        network.enqueue(chain.stream)
        chain.decode(network.output, OUT, "swapped")
        told.append(chain.finish(np.empty((HEIGHT, WIDTH, 3), np.uint8)))
    assert told == [(True, True), (True, False), (True, True), (False, True)]
    network.close()


def test_each_network_of_a_frame_is_told_apart(chain, network):
    where = placed((60, 50), 60, 0.2, SIZE)
    chain.begin(frame_of(0))
    for broken in (None, 0, None):
        network.broken = broken
        chain.crop([where], into=(network.input, SPEC))
        network.enqueue(chain.stream)
        chain.decode(network.output, OUT, "swapped")
        chain.stream.synchronise()
    assert chain.finish(np.empty((HEIGHT, WIDTH, 3), np.uint8)) == (True, False, True)


def test_a_face_outside_changes_nothing(chain, network):
    bgr, where = frame_of(8), placed((-300, 50), 60, 0.2, SIZE)
    out = np.empty_like(bgr)
    chain.begin(bgr)
    squares = chain.crop([where], name="crop")
    assert not chain.paste(squares, chain.mask("alpha", [soft_alpha()]), where)
    chain.finish(out)
    np.testing.assert_array_equal(out, bgr)


def test_a_mask_stands_until_it_is_sent_again(chain):
    bgr, where = frame_of(9), placed((60, 50), 60, 0.0, SIZE)
    chain.begin(bgr)
    alpha = chain.mask("alpha", [soft_alpha()])
    chain.finish(np.empty_like(bgr))
    chain.begin(bgr)
    dark = chain.crop([where], name="dark")
    chain.colour(dark, [np.zeros((3, 4))])
    chain.paste(dark, alpha, where)
    out = np.empty_like(bgr)
    chain.finish(out)
    assert out[50, 60].max() == 0


def test_what_is_brought_is_there_after_a_look_and_after_the_end(chain, network):
    bgr, where = frame_of(4), placed((60, 50), 60, 0.2, SIZE)
    chain.begin(bgr)
    squares = chain.crop([where, where], name="crops")
    small = chain.bring(chain.thinned(squares, "small", SIZE // 2), "small")
    chain.crop([where], into=(network.input, SPEC))
    network.enqueue(chain.stream)
    swapped = chain.decode(network.output, OUT, "swapped")
    assert chain.look() == (True,)
    whole = cv2.resize(crop(bgr, where), (SIZE // 2, SIZE // 2), interpolation=cv2.INTER_AREA)
    assert small.shape == (2, SIZE // 2, SIZE // 2, 3)
    for each in small:
        assert np.abs(each.astype(int) - whole).max() <= 1
    negative = chain.bring(swapped, "swapped")
    network.broken = 0
    chain.crop([where], into=(network.input, SPEC))
    network.enqueue(chain.stream)
    chain.decode(network.output, OUT, "again")
    assert chain.look() == (True, False)
    assert chain.finish(np.empty_like(bgr)) == (True, False)
    assert np.abs(negative[0].astype(int) - (255 - crop(bgr, where))).max() <= 1


def test_squares_of_one_size_are_not_thinned(chain):
    bgr, where = frame_of(4), placed((60, 50), 60, 0.2, SIZE)
    chain.begin(bgr)
    squares = chain.crop([where], name="crop")
    as_it_is, thinned = (
        chain.bring(squares, "crop"),
        chain.bring(chain.thinned(squares, "same", SIZE + 1), "same"),
    )
    chain.finish(np.empty_like(bgr))
    np.testing.assert_array_equal(thinned, as_it_is)


def test_a_square_of_the_host_is_a_source(chain):
    bgr = frame_of(4)
    square = frame_of(5)[:SIZE, :SIZE]
    for given in (square, 255 - square):
        chain.begin(bgr)
        sent = chain.send("mine", given)
        again = chain.crop([Alignment(np.eye(2, 3), SIZE)], name="again", source=sent.picture())
        back = chain.bring(again, "again")
        chain.finish(np.empty_like(bgr))
        np.testing.assert_array_equal(back[0], given)
    chain.begin(bgr)
    chain.send("mine", square)
    with pytest.raises(ValueError, match="sent with this frame already"):
        chain.send("mine", square)
    for wrong in (square[1:], square.astype(np.float32), square[:, :, 0]):
        with pytest.raises(ValueError, match=r"is \(S, S, 3\) uint8"):
            chain.send("other", wrong)


def test_a_frame_that_was_given_up_does_not_disturb_the_next(chain, network):
    where = placed((60, 50), 60, 0.2, SIZE)
    chain.begin(frame_of(0))
    chain.crop([where], into=(network.input, SPEC))
    chain.mask("alpha", [np.zeros((SIZE, SIZE), np.uint8)])
    bgr = frame_of(1)
    out = np.empty_like(bgr)
    taken_through(chain, network, bgr, where, out)
    assert_alike(out, by_the_cpu(bgr, where))


def test_memory_that_grows_waits_for_what_uses_the_old(chain, network):
    bgr, where = frame_of(2), placed((60, 50), 60, 0.2, SIZE)
    chain.begin(bgr)
    alpha = chain.mask("alpha", [np.full((SIZE, SIZE), 255, np.uint8)])
    chain.paste(chain.crop([where], name="square"), alpha, where)
    chain.crop([where] * 3, name="square")
    out = np.empty_like(bgr)
    chain.finish(out)
    assert np.abs(out.astype(int) - bgr).mean() < 10


def test_a_larger_mask_waits_for_the_smaller_that_is_still_sent(chain, network):
    bgr, where = frame_of(2), placed((60, 50), 60, 0.2, SIZE)
    chain.begin(bgr)
    chain.mask("alpha", [np.zeros((8, 8), np.uint8)])
    out = np.empty_like(bgr)
    taken_through(chain, network, bgr, where, out)
    assert_alike(out, by_the_cpu(bgr, where))


def test_what_is_asked_for_wrongly(chain, network):
    bgr, where = frame_of(0), placed((60, 50), 60, 0.2, SIZE)
    with pytest.raises(RuntimeError, match="no frame is begun"):
        chain.crop([where], name="square")
    with pytest.raises(RuntimeError, match="no frame is begun"):
        chain.finish(bgr)
    for wrong in (bgr[1:], bgr.astype(np.float32)):
        with pytest.raises(ValueError, match="frames here are"):
            chain.begin(wrong)
    chain.begin(bgr)
    squares = chain.crop([where], name="square")
    alpha = chain.mask("alpha", [soft_alpha()])
    with pytest.raises(ValueError, match="sent with this frame already"):
        chain.mask("alpha", [soft_alpha()])
    for masks in ([], [soft_alpha(), soft_alpha()[1:]], [soft_alpha().astype(np.float32)]):
        with pytest.raises(ValueError, match="of one shape"):
            chain.mask("other", masks)
    with pytest.raises(ValueError, match="is square"):
        chain.mask("oblong", [soft_alpha()[1:]])
    with pytest.raises(ValueError, match="as many maps"):
        chain.colour(squares, [])
    with pytest.raises(ValueError, match="does not lie on one of 16"):
        chain.paste(squares, alpha, placed((60, 50), 60, 0.2, 16))
    with pytest.raises(IndexError):
        chain.paste(squares, alpha, where, 1)
    with pytest.raises(ValueError, match="no batch of squares"):
        chain.decode(DeviceTensor(1, (1, 3, 8, 9), "float32"), OUT, "oblong")
    with pytest.raises(ValueError, match="more than 16 pictures"):
        chain.decode(DeviceTensor(1, (17, 3, 8, 8), "float32"), OUT, "many")
    with pytest.raises(ValueError, match="frames here are"):
        chain.finish(bgr[1:])
    assert chain.finish(bgr) == ()


def test_another_thread_makes_the_device_its_own(chain, cudart, library):
    bgr = frame_of(0)
    chain.begin(bgr)
    chain.finish(bgr)
    cudart.calls.clear()
    thread = threading.Thread(target=chain.begin, args=(bgr,))
    thread.start()
    thread.join(5)
    assert cudart.names()[0] == ("cudaSetDevice" if library == "cuda-bindings" else "Context.push")


def test_a_frame_that_fails_does_not_stop_the_next(chain, network, cudart, library):
    bgr, where = frame_of(1), placed((60, 50), 60, 0.2, SIZE)
    name = "cudaEventSynchronize" if library == "cuda-bindings" else "Event.synchronize"
    cudart.failing[name] = Code.cudaErrorInvalidValue
    with pytest.raises(CudaError):
        taken_through(chain, network, bgr, where, np.empty_like(bgr))
    out = np.empty_like(bgr)
    taken_through(chain, network, bgr, where, out)
    assert_alike(out, by_the_cpu(bgr, where))


def test_a_lost_device_is_told_and_closed_quietly(chain, cudart):
    cudart.lost = Code.cudaErrorLaunchFailure
    with pytest.raises(DeviceLostError):
        chain.begin(frame_of(0))
    chain.close()
    chain.close()
    cudart.lost = None
    cudart.device_memory.clear()


def test_want_of_memory_gives_back_what_was_taken(device, cudart, library):
    taken = []
    allocate = device.allocate

    def scarce(size):
        taken.append(size)
        if len(taken) == 2:
            raise CudaError("out of memory", "")
        return allocate(size)

    device.allocate = scarce
    with pytest.raises(CudaError, match="out of memory"):
        DeviceChain(device, device.module(b"face.cu"), HEIGHT, WIDTH)
    assert cudart.device_memory == {}
