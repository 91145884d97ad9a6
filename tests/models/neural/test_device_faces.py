"""A swapper's faces from the frame to the frame on a GPU without a GPU, against the CPU's chain."""

import cv2
import numpy as np
import pytest

from models.colour_match import LOOK_NS
from models.cuda.base import CudaError, DeviceLostError
from models.cuda.kernels.parameters import MOST_FACES
from models.errors import BackendError, ModelError, SwapError
from models.neural.align import crop
from models.neural.face import Crop, GivenFace, Uncut
from models.neural.settings import ChainSettings
from models.neural.source_feed import SourceFeed
from tests.fakes.cudart import Code
from tests.fakes.device_gpu import DeviceGpu, coloured
from tests.fakes.networks_swap import painted
from tests.fakes.wearers import PLAIN, SHAPE, alike, by_the_cpu, frame_of, given, laid

LEFT, RIGHT = (150, 160), (470, 170)


@pytest.fixture(params=["cuda-bindings", "pycuda"])
def gpu(request, monkeypatch, tmp_path, tmp_path_factory):
    gpu = DeviceGpu(monkeypatch, tmp_path, tmp_path_factory.getbasetemp() / "face.cu", request.param)
    yield gpu
    gpu.check_all_is_freed()


@pytest.fixture
def opened(gpu):
    """Open a swapper; all are closed after the test."""
    made = []

    def opened(settings=PLAIN, network=None, **options):
        made.append(gpu.open(gpu.network(**(network or {})), settings=settings, **options))
        return made[-1]

    yield opened
    for each in made:
        each.close()


@pytest.mark.parametrize("settings", [PLAIN, ChainSettings(colour=1.0)])
@pytest.mark.parametrize("places", [(LEFT,), (LEFT, RIGHT)])
def test_faces_are_those_of_the_cpu(gpu, opened, places, settings):
    """Within a level for the crop, one for the colours and two for the paste, as tests/models/cuda has it."""
    bgr = frame_of(*places)
    jobs = [
        given(bgr.copy(), place, number, coloured((0.1 * number, 0.0, -0.2)))
        for number, place in enumerate(places, 1)
    ]
    expected, picture = by_the_cpu(gpu.network(), gpu.folder, bgr, jobs, settings)
    frame = bgr.copy()
    jobs = [
        GivenFace(each.id, 0, each.points, each.feed, {}, Uncut(frame, each.uncut.where, each.uncut.alpha))
        for each in jobs
    ]
    made = opened(settings).run(jobs).faces
    assert [face.error for face in made] == [None] * len(places)
    for face, other in zip(made, expected, strict=True):
        alike(face.bgr, other.bgr, 3, 0.3)
        np.testing.assert_array_equal(face.alpha, other.alpha)
        assert face.where == face.given.uncut.where
    alike(laid(bgr, made), picture, 4, 0.2)
    assert np.abs(picture.astype(int) - bgr).max() > 60, "there is a face"


def test_the_answer_is_that_of_the_network(opened):
    bgr = frame_of(LEFT)
    (face,) = opened().run([given(bgr.copy(), LEFT, feed=coloured((0.3, 0.0, -0.1)))]).faces
    alike(face.bgr, painted(crop(bgr, face.where), (0.3, 0.0, -0.1)), 1, 0.3)


def test_several_faces_are_one_batch(gpu, opened):
    bgr = frame_of(LEFT, RIGHT)
    chain = opened()
    for count in (2, 1, 2):
        gpu.runs.clear()
        frame = bgr.copy()
        made = chain.run([given(frame, place, at) for at, place in enumerate((LEFT, RIGHT)[:count])]).faces
        assert gpu.runs == [count]
        for face in made:
            alike(face.bgr, painted(crop(bgr, face.where), (0.2, -0.1, 0.0)), 1, 0.3)


def test_a_network_of_one_face_is_run_for_each(gpu, opened):
    bgr = frame_of(LEFT, RIGHT)
    frame = bgr.copy()
    feeds = coloured((0.3, 0, 0)), coloured((-0.2, 0, 0.1))
    faces = [
        given(frame, place, number, feed)
        for number, (place, feed) in enumerate(zip((LEFT, RIGHT), feeds, strict=True))
    ]
    made = opened(network={"batch": 1}).run(faces).faces
    assert gpu.runs == [1, 1]
    for face, colour in zip(made, ((0.3, 0, 0), (-0.2, 0, 0.1)), strict=True):
        alike(face.bgr, painted(crop(bgr, face.where), colour), 1, 0.3)


def test_up_once_down_once_and_one_wait(gpu, opened):
    """After the first frame, in one between two looks at the tones: nothing is waited for but the result."""
    chain = opened(ChainSettings(colour=1.0))
    bgr = frame_of(LEFT)
    feed = coloured((0.2, -0.1, 0.0))
    chain.run([given(bgr.copy(), LEFT, feed=feed)])
    gpu.forget()
    frame = chain.room(*SHAPE[:2])
    np.copyto(frame, bgr)
    chain.run([given(frame, LEFT, feed=feed, captured_ns=LOOK_NS // 2)])
    steps = gpu.steps()
    # What tells a face that was not painted comes down small, both of it and of the wearer's own.
    assert steps[:8] == ["up", "warp_crop", "network", "decode", "shrink", "down", "shrink", "down"]
    # Down: the square for late frames, the rows that changed, which pictures were not finite.
    assert steps[8:] == ["colour", "up", "blend", "down", "down", "down", "wait"]
    assert not {"cudaMalloc", "mem_alloc", "cudaHostAlloc"} & set(gpu.cudart.names())


def test_the_tones_of_a_face_are_waited_for_once(gpu, opened):
    chain = opened(ChainSettings(colour=1.0))
    bgr, feed = frame_of(LEFT), coloured((0.2, -0.1, 0.0))
    waits = []
    for captured_ns in (0, LOOK_NS, LOOK_NS + 1):
        gpu.forget()
        chain.run([given(bgr.copy(), LEFT, feed=feed, captured_ns=captured_ns)])
        steps = gpu.steps()
        waits.append(steps[steps.index("warp_crop") :].count("wait"))
        assert "colour" in steps
    assert waits == [2, 1, 1]


def test_tones_follow_the_wearers(gpu, opened):
    """A look's map is used from the next frame on, and smoothed over 0.4 s."""
    settings = ChainSettings(colour=1.0)
    day = frame_of(LEFT)
    dusk = cv2.transform(day, np.array([[0.75, 0, 0], [0, 0.6, 0], [0, 0, 0.5]], np.float32))
    chain = opened(settings)
    chain.run([given(day.copy(), LEFT)])
    for turn in range(1, 6):
        (face,) = chain.run([given(dusk.copy(), LEFT, captured_ns=turn * 390_000_000)]).faces
    ((expected,), _) = by_the_cpu(gpu.network(), gpu.folder, dusk, [given(dusk, LEFT)], settings)
    alike(face.bgr, expected.bgr, 5, 1.5)
    (first,) = opened(PLAIN).run([given(dusk.copy(), LEFT)]).faces
    assert np.abs(first.bgr.astype(int) - face.bgr).mean() > 5, "the tones matter here"


def test_what_is_not_finite_is_refused_and_the_other_is_made(gpu, opened):
    bgr = frame_of(LEFT, RIGHT)
    frame = bgr.copy()
    chain = opened(ChainSettings(colour=1.0), network={"fault": "nan"})
    broken, good = coloured((-3.0, -3.0, -3.0)), coloured((0.1, 0.1, 0.1))
    for captured_ns in (0, LOOK_NS):
        refused, made = chain.run(
            [given(frame, LEFT, 1, broken, captured_ns), given(frame, RIGHT, 2, good, captured_ns)]
        ).faces
        assert isinstance(refused.error, SwapError)
        assert "not finite" in refused.error.message
        assert refused.pasted is None
        assert not refused.alpha.any()
        assert made.error is None
        assert made.pasted is not None
    assert chain._colours.standing(1, 0) is None, "its tones were those of nothing"
    assert chain._colours.standing(2, 0) is not None


def test_what_is_one_colour_is_refused(opened):
    bgr = frame_of(LEFT)
    (face,) = (
        opened(network={"fault": "constant"}).run([given(bgr, LEFT, feed=coloured((0.2, 0.2, 0.2)))]).faces
    )
    assert isinstance(face.error, SwapError)
    assert "one colour" in face.error.message
    assert face.pasted is None


def test_the_wearers_own_face_given_back_is_refused(gpu, opened):
    bgr = frame_of(LEFT, RIGHT)
    frame = bgr.copy()
    chain = opened(ChainSettings(colour=1.0))
    gpu.trt.run = lambda path, values: {"output": values["target"]}
    cut = 255 - crop(bgr, given(bgr, LEFT).uncut.where)
    for cuts in (None, cut):
        for face in chain.run([given(frame, LEFT, 1, cut=cuts), given(frame, RIGHT, 2)]).faces:
            assert isinstance(face.error, SwapError)
            assert "own face back" in face.error.message
            assert face.pasted is None
        np.copyto(frame, bgr)


@pytest.mark.parametrize("place", [(10, 20), (600, 310), (300, 5)])
def test_a_face_beyond_the_frames_edge(gpu, opened, place):
    bgr = frame_of(place)
    expected, picture = by_the_cpu(gpu.network(), gpu.folder, bgr, [given(bgr, place)])
    made = opened().run([given(bgr.copy(), place)]).faces
    alike(made[0].bgr, expected[0].bgr, 3, 0.3)
    alike(laid(bgr, made), picture, 4, 0.2)


def test_a_face_wholly_outside_is_made_and_not_pasted(opened):
    bgr = frame_of(LEFT)
    frame = bgr.copy()
    (face,) = opened(ChainSettings(colour=1.0)).run([given(frame, (-900, 100))]).faces
    assert face.pasted is None
    np.testing.assert_array_equal(frame, bgr)


def test_without_a_mask_it_is_not_pasted(opened):
    bgr = frame_of(LEFT)
    frame = bgr.copy()
    (face,) = opened().run([given(frame, LEFT, alpha=False)]).faces
    assert face.error is None
    assert face.pasted is None
    np.testing.assert_array_equal(frame, bgr)


@pytest.mark.parametrize("settings", [PLAIN, ChainSettings(colour=1.0)])
@pytest.mark.parametrize("batch", ["faces", 1])
def test_a_face_that_was_cut_before_is_made_of_its_crop(opened, batch, settings):
    bgr = frame_of(LEFT, RIGHT)
    frame = bgr.copy()
    cut = 255 - crop(bgr, given(bgr, LEFT).uncut.where)
    chain = opened(settings, network={"batch": batch})
    one, two = chain.run([given(frame, LEFT, 1, cut=cut), given(frame, RIGHT, 2)]).faces
    assert one.pasted is None
    assert two.pasted is not None
    if settings is PLAIN:
        alike(one.bgr, painted(cut, (0.2, -0.1, 0.0)), 1, 0.3)
        alike(two.bgr, painted(crop(bgr, two.where), (0.2, -0.1, 0.0)), 1, 0.3)


def test_squares_that_meet_are_not_pasted(opened):
    bgr = frame_of(LEFT)
    frame = bgr.copy()
    made = opened().run([given(frame, LEFT, 1), given(frame, (LEFT[0] + 100, LEFT[1]), 2)]).faces
    assert [face.pasted for face in made] == [None, None]
    assert [face.error for face in made] == [None, None]
    np.testing.assert_array_equal(frame, bgr)


def test_more_faces_than_a_launch_takes(opened):
    bgr = frame_of(shape=(64, 64, 3))
    faces = [given(bgr, (32, 32), number) for number in range(MOST_FACES + 2)]
    made = opened().run(faces).faces
    assert [face.error is None for face in made] == [True] * MOST_FACES + [False] * 2
    assert f"more than {MOST_FACES}" in made[-1].error.message


def test_whose_face_it_is_is_sent_when_it_changes(gpu, opened):
    chain, bgr = opened(), frame_of(LEFT)
    anna, berta = coloured((0.1, 0, 0)), coloured((0, 0, 0.3))
    sent = []
    for feed in (anna, anna, berta, berta):
        gpu.forget()
        (face,) = chain.run([given(bgr.copy(), LEFT, feed=feed)]).faces
        sent.append(gpu.steps().count("up"))
        alike(face.bgr, painted(crop(bgr, face.where), feed.values["embedding"][0, :3]), 1, 0.3)
    # The frame, a mask, and the vector where it is another; at first, what the flags begin with.
    assert sent == [4, 2, 3, 2]


def test_the_fidelity_asks_who_the_wearer_is(opened):
    class Looking:
        looks = closed = 0

        def vector(self, seen):
            self.looks += 1
            return coloured((1.0, 0, 0)).values["embedding"][0]

        def close(self):
            self.closed += 1

    looking = Looking()
    chain = opened(ChainSettings(colour=0.0, fidelity=0.0), wearer=looking)
    assert chain.templates == (("arcface_112_v2", 112),)
    bgr = frame_of(LEFT)
    face = given(bgr.copy(), LEFT, feed=coloured((0.0, 0.0, 0.0)))
    seen = Crop(face.uncut.where, np.zeros((112, 112, 3), np.uint8))
    face = GivenFace(1, 0, face.points, face.feed, {chain.templates[0]: seen}, face.uncut)
    (made,) = chain.run([face]).faces
    assert looking.looks == 1
    redder = made.bgr[:, :, 2].astype(int) - painted(crop(bgr, made.where), (0, 0, 0))[:, :, 2]
    assert redder.mean() > 40
    chain.close()
    chain.close()
    assert looking.closed >= 1


def test_a_feed_of_another_model(opened):
    chain, bgr = opened(), frame_of(LEFT)
    for feed in (SourceFeed(), SourceFeed({"embedding": np.ones((1, 128), np.float32)})):
        with pytest.raises(ModelError, match="the face of another model"):
            chain.run([given(bgr, LEFT, feed=feed)])


def test_a_face_without_its_frame(opened):
    bgr = frame_of(LEFT)
    face = given(bgr, LEFT)
    with pytest.raises(ValueError, match="without its frame"):
        opened().run([GivenFace(1, 0, face.points, face.feed, {})])


def test_frames_of_another_size(opened):
    chain = opened()
    for shape in (SHAPE, (400, 500, 3), SHAPE):
        bgr = frame_of(LEFT, shape=shape)
        frame = chain.room(*shape[:2])
        np.copyto(frame, bgr)
        (face,) = chain.run([given(frame, LEFT)]).faces
        alike(face.bgr, painted(crop(bgr, face.where), (0.2, -0.1, 0.0)), 1, 0.3)
    assert chain.room(*SHAPE[:2]) is chain.room(*SHAPE[:2])


def test_what_was_made_stays_while_the_next_is_made(opened):
    chain, bgr = opened(), frame_of(LEFT)
    (first,) = chain.run([given(bgr.copy(), LEFT)]).faces
    kept = first.bgr.copy()
    chain.run([given(255 - bgr, LEFT)])
    np.testing.assert_array_equal(first.bgr, kept)


def test_nobody(opened):
    assert opened().run([]).faces == ()


def test_a_run_that_fails_does_not_spoil_the_next(gpu, opened):
    chain, bgr = opened(), frame_of(LEFT)
    gpu.trt.broken.add("enqueue")
    with pytest.raises(BackendError, match="enqueueing a frame"):
        chain.run([given(bgr.copy(), LEFT)])
    gpu.trt.broken.clear()
    (face,) = chain.run([given(bgr.copy(), LEFT)]).faces
    alike(face.bgr, painted(crop(bgr, face.where), (0.2, -0.1, 0.0)), 1, 0.3)


def test_a_lost_device_is_final_and_closed_quietly(gpu, opened):
    chain, bgr = opened(), frame_of(LEFT)
    chain.run([given(bgr.copy(), LEFT)])
    gpu.cudart.lost = Code.cudaErrorLaunchFailure
    with pytest.raises(DeviceLostError) as caught:
        chain.run([given(bgr.copy(), LEFT)])
    assert caught.value.final
    if gpu.library == "pycuda":  # its contexts complain when they are taken off the stack
        gpu.cudart.lost = None
    chain.close()
    gpu.cudart.lost = None
    gpu.cudart.device_memory.clear()
    gpu.cudart.modules.clear()


def test_kernels_that_do_not_compile_leave_nothing_open(gpu, opened):
    def none():
        raise CudaError("there is nothing to compile CUDA kernels with", "")

    with pytest.raises(CudaError, match="nothing to compile"):
        opened(compiler=none)
    assert gpu.trt.built == [], "before an engine is built"
    gpu.check_all_is_freed()
