"""From a frame to the pasted picture with the pictures on a GPU without a GPU, beside the CPU's painter."""

import logging
import threading

import cv2
import numpy as np
import pytest

from models.cuda.base import DeviceLostError
from models.masks.masker import Masker
from models.masks.settings import BOX, HULL, OWN, MaskSettings
from models.neural.chain import FaceChain
from models.neural.settings import ChainSettings
from models.neural.swapper import open_swapper
from realtime.clock import NS_PER_MS, NS_PER_S
from realtime.cover import cover
from realtime.frame import Face, Frame
from realtime.swap.base import Sliders, Times, Wearer
from realtime.swap.device import DevicePainter
from realtime.swap.heavy import HeavyThread
from realtime.swap.neural import NeuralPainter
from realtime.swap.patience import Late, Patience
from tests.fakes.clock import FakeClock
from tests.fakes.cudart import Code
from tests.fakes.device_gpu import DeviceGpu, coloured
from tests.fakes.head import posed
from tests.fakes.wearers import SHAPE, alike, frame_of

WAIT_S = 60.0
FRAME_NS = NS_PER_S // 30
ANNA, BERTA = coloured((0.2, -0.1, 0.0)), coloured((-0.1, 0.0, 0.3))
NAN = coloured((-3.0, -3.0, -3.0))
PLACE = (150, 160)
SOFT = MaskSettings(masks=(BOX, HULL, OWN))


class Rig:
    """A painter and its camera."""

    def __init__(self, kind, build, settings, late=Late.NEVER):
        self.clock = FakeClock()
        self.built = []
        self.gate = None

        def built():
            self.built.append(build())
            return Gated(self, self.built[0])

        self.heavy = HeavyThread(built, self.clock)
        self.heavy.start(WAIT_S)
        self.patience = Patience(late)
        self.painter = kind(self.heavy, self.built[0], Masker(SOFT, {}), self.patience, self.clock)
        self.painter.adjust(Sliders(late, settings, SOFT))
        self.seq = 0

    def frame(self, *places, feed=ANNA, bgr=None, before=None, passed_ns=FRAME_NS, wait=True):
        """The next frame, painted where it could be. `before`: what happens to the picture first."""
        self.seq += 1
        self.clock.advance(passed_ns)
        self.bgr = frame_of(*places) if bgr is None else bgr
        frame = Frame(self.seq, self.clock.now_ns(), self.bgr)
        feeds = feed if isinstance(feed, tuple) else (feed,) * len(places)
        wearers = [
            Wearer(Face(number, posed(place, 60), 0.9), each)
            for number, (place, each) in enumerate(zip(places, feeds, strict=True), 1)
        ]
        self.times = Times()
        self.painter.begin(frame, wearers, self.times, wait=wait)
        picture = frame.bgr.copy()
        if before is not None:
            before(picture)
        self.painted = [self.painter.paint(picture, frame, wearer, self.times) for wearer in wearers]
        return picture


class Gated:
    """Work that a test may hold up."""

    def __init__(self, rig, work):
        self._rig, self._work = rig, work

    def run(self, job):
        if self._rig.gate is not None:
            assert self._rig.gate.acquire(timeout=WAIT_S)
        return self._work.run(job)

    def close(self):
        self._work.close()


@pytest.fixture
def gpu(monkeypatch, tmp_path, tmp_path_factory):
    gpu = DeviceGpu(monkeypatch, tmp_path, tmp_path_factory.getbasetemp() / "face.cu")
    yield gpu
    gpu.check_all_is_freed()


@pytest.fixture
def rigs(gpu):
    """Open the painter of the GPU, or the CPU's of the same network; closed after the test."""
    made = []

    def opened(on="GPU", settings=None, late=Late.NEVER, **network):
        settings = settings or ChainSettings(colour=0.0)
        model = gpu.network(**network)
        if on == "GPU":
            made.append(Rig(DevicePainter, lambda: gpu.open(model), settings, late))
        else:
            swapper = lambda: FaceChain(open_swapper(model, gpu.folder), lambda: 0)  # noqa: E731
            made.append(Rig(NeuralPainter, swapper, settings, late))
        return made[-1]

    yield opened
    for rig in made:
        rig.painter.close()


@pytest.fixture
def laid(monkeypatch):
    """How often what the GPU had pasted was shown."""
    shown = []
    real = DevicePainter._lay
    monkeypatch.setattr(DevicePainter, "_lay", lambda *given: shown.append(real(*given)) or shown[-1])
    return shown


@pytest.mark.parametrize("settings", [ChainSettings(colour=0.0), ChainSettings(colour=1.0)])
def test_pictures_are_those_of_the_cpus_painter(rigs, laid, settings):
    """A crop's level, the colours' and the paste's two apart, as tests/models/cuda states it."""
    device, cpu = rigs("GPU", settings), rigs("CPU", settings)
    for step in range(5):
        places = (PLACE[0] + 7 * step, PLACE[1] - 3 * step), (470, 170 + 5 * step)
        got = device.frame(*places, feed=(ANNA, BERTA))
        expected = cpu.frame(*places, feed=(ANNA, BERTA))
        assert device.painted == cpu.painted == [True, True]
        # The map of tones is a look behind the CPU's, and smoothed over 0.4 s.
        alike(got, expected, *((4, 0.2) if not settings.colour else (6, 0.4)))
        assert np.abs(expected.astype(int) - device.bgr).max() > 30, "there are faces"
    assert laid == [True] * 10
    assert {"swap", "mask", "compose"} == set(device.times.spent_ns)


@pytest.mark.parametrize("place", [(15, 20), (600, 310)])
def test_a_face_at_the_frames_edge(rigs, laid, place):
    got, expected = (rigs(on).frame(place) for on in ("GPU", "CPU"))
    alike(got, expected, 4, 0.2)
    assert laid == [True]


def test_once_up_once_down_and_one_wait_a_frame(rigs, gpu):
    rig = rigs()
    rig.frame(PLACE)
    gpu.forget()
    rig.frame(PLACE)
    steps = gpu.steps()
    assert steps.count("wait") == 1
    assert steps[-1] == "wait"
    sizes = [call[3] for call in gpu.cudart.calls if call[0] == "cudaMemcpyAsync" and call[4] == "upload"]
    assert sizes == [int(np.prod(SHAPE)), 256 * 256], "the frame and its mask"
    assert gpu.runs[-1] == 1


def test_faces_that_touch_are_made_without_each_other(rigs, laid):
    places = PLACE, (PLACE[0] + 75, PLACE[1])
    got, expected = (rigs(on).frame(*places, feed=(ANNA, BERTA)) for on in ("GPU", "CPU"))
    alike(got, expected, 4, 0.2)
    assert laid == [False, False]


def test_what_was_covered_before_stays_covered(rigs, laid):
    """Somebody else's face in the rows that came down is not brought back."""
    box = (180.0, 120.0, 260.0, 220.0)

    def covered(picture):
        cover(picture, box, margin=0.0)

    got, expected = (rigs(on).frame(PLACE, before=covered) for on in ("GPU", "CPU"))
    assert laid == [False]
    alike(got, expected, 4, 0.2)


def test_a_late_face_is_put_where_the_face_is_now(rigs, laid, gpu):
    device, cpu = (rigs(on, late=Late.ALWAYS) for on in ("GPU", "CPU"))
    for step in range(4):
        place = PLACE[0] + 12 * step, PLACE[1]
        got, expected = device.frame(place), cpu.frame(place)
        assert device.painted == cpu.painted == [step > 0]
        alike(got, expected, 4, 0.2)
        for rig in (device, cpu):
            assert rig.heavy._settled.wait(WAIT_S)
    assert laid == [False] * 3
    assert "blend" not in gpu.steps(), "nothing is pasted that nobody waits for"


def test_the_next_frames_bare_face_is_never_taken_for_a_pasted_one(rigs, laid):
    """The memory of what was pasted is the next frame's: also when that has the same time and landmarks."""
    rig = rigs()
    shown = rig.frame(PLACE)
    rig.gate = threading.Semaphore(0)
    other = rig.frame(PLACE, passed_ns=0, wait=False)
    assert rig.painted == [True]
    assert laid == [True, False]
    alike(other, shown, 4, 0.2)
    rig.gate.release(100)
    assert rig.heavy._settled.wait(WAIT_S)


def test_a_picture_that_is_not_finite_is_refused(rigs, caplog):
    rig = rigs(fault="nan")
    good, bad = coloured((0.1, 0.1, 0.1)), NAN
    rig.frame(PLACE, feed=good)
    assert rig.painted == [True]
    with caplog.at_level(logging.WARNING):
        rig.frame(PLACE, feed=bad)
        assert rig.painted == [True], "the last good one is shown for a while"
        rig.clock.advance(700 * NS_PER_MS)
        picture = rig.frame(PLACE, feed=bad)
    assert rig.painted == [False]
    np.testing.assert_array_equal(picture, rig.bgr)
    assert caplog.text.count("a face is covered") == 1


def test_one_that_is_refused_does_not_show_beside_another(rigs, laid):
    rig = rigs(fault="nan")
    picture = rig.frame(PLACE, (470, 170), feed=(NAN, coloured((0.1, 0.1, 0.1))))
    assert rig.painted == [False, True]
    np.testing.assert_array_equal(picture[:, :300], rig.bgr[:, :300])
    assert (picture[:, 400:] != rig.bgr[:, 400:]).any()


def test_another_size_of_frame(rigs, laid):
    device, cpu = rigs("GPU"), rigs("CPU")
    for shape in ((320, 620, 3), (400, 500, 3)):
        bgr = cv2.resize(frame_of(PLACE), shape[1::-1])
        alike(device.frame(PLACE, bgr=bgr), cpu.frame(PLACE, bgr=bgr), 4, 0.2)
    assert laid == [True, True]


def test_a_lost_device_is_final(rigs, gpu):
    rig = rigs()
    rig.frame(PLACE)
    gpu.cudart.lost = Code.cudaErrorLaunchFailure
    with pytest.raises(DeviceLostError) as caught:
        rig.frame(PLACE)
    assert caught.value.final
    rig.painter.close()
    gpu.cudart.lost = None
    gpu.cudart.device_memory.clear()
    gpu.cudart.modules.clear()


def test_closing_frees_the_device_once(rigs, gpu):
    rig = rigs()
    rig.frame(PLACE)
    rig.painter.close()
    rig.painter.close()
    gpu.check_all_is_freed()
