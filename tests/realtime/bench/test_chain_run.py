import numpy as np
import pytest

from realtime.bench.chain_networks import network_masks, outline_masks, ready_enhancer, ready_swapper
from realtime.bench.chain_run import STEPS, ChainRun
from realtime.bench.chain_scene import drawn_scene


class Ticking:
    """A clock that goes on by a microsecond each time it is read."""

    def __init__(self) -> None:
        self.now = 0

    def now_ns(self) -> int:
        self.now += 1000
        return self.now


@pytest.fixture
def run():
    made = ChainRun(Ticking().now_ns, ready_swapper(), ready_enhancer(), network_masks(), outline_masks())
    yield made
    made.close()


@pytest.mark.parametrize("count", [1, 2])
def test_every_face_goes_through_every_step(run, count):
    scene = drawn_scene(640, 360, 120, count)
    picture = scene.bgr.copy()
    spent = run.frame(picture, scene, 0)
    assert tuple(spent) == STEPS
    assert min(spent.values()) > 0
    assert spent["paste"] == 1000 * count
    changed = (picture != scene.bgr).any(axis=2)
    for points in scene.faces:
        x, y = points[:, :2].mean(axis=0).round().astype(int)
        assert changed[y - 25 : y + 25, x - 25 : x + 25].mean() > 0.5
    y, x = np.nonzero(changed)
    low = np.min([points[:, :2].min(axis=0) for points in scene.faces], axis=0)
    high = np.max([points[:, :2].max(axis=0) for points in scene.faces], axis=0)
    assert (x.min(), y.min()) > tuple(low - 40)
    assert x.max() < high[0] + 40
    assert y.max() < high[1] + 40


def test_the_face_comes_out_in_the_wearers_tone(run):
    """The swapper's stand-in takes a fifth of the green away; the colour match gives it back."""
    scene = drawn_scene(640, 360, 120, 1)
    picture = scene.bgr.copy()
    run.frame(picture, scene, 0)
    (points,) = scene.faces
    x, y = points[[50, 280, 151], :2].round().astype(int).T
    assert abs(picture[y, x].astype(int) - scene.bgr[y, x]).max() < 12


def test_the_times_of_a_frame_are_its_own(run):
    scene = drawn_scene(640, 360, 120, 1)
    first = dict(run.frame(scene.bgr.copy(), scene, 0))
    assert dict(run.frame(scene.bgr.copy(), scene, 1)) == first


def test_finished_faces_have_their_square(run):
    scene = drawn_scene(640, 360, 120, 2)
    faces = run.finished(scene)
    assert [face.bgr.shape for face in faces] == [(512, 512, 3)] * 2
    assert all(face.error is None for face in faces)
