import cv2
import numpy as np
import pytest

from models.errors import SwapError
from models.neural.on_patch import PatchEnhancer
from models.patch import Patch
from models.topology import OVAL
from tests.fakes.head import posed

FRAME = (480, 640)


class Inverting:
    """A crop enhancer that makes the negative, and keeps what it was shown."""

    def __init__(self, size=128, template="ffhq_512", strength=1.0, answer=None):
        self.template, self.size, self.strength = template, size, strength
        self.seen, self.shown, self.closed, self._answer = [], [], 0, answer

    def enhance(self, crops, shown_px=0.0):
        self.seen.append(crops.copy())
        self.shown.append(shown_px)
        if self._answer == "same":
            return crops
        if self._answer == "error":
            raise SwapError("no numbers", "fp32", (0,))
        return 255 - crops

    def close(self):
        self.closed += 1


def drawn(points, colour=(40, 90, 160)):
    """A patch of one colour over the face's oval, noise beyond it, and the frame it is of."""
    low = np.floor(points[:, :2].min(axis=0)).astype(int) - 6
    high = np.ceil(points[:, :2].max(axis=0)).astype(int) + 6
    x0, y0 = np.maximum(low, 0)
    x1, y1 = np.minimum(high, (FRAME[1], FRAME[0]))
    alpha = np.zeros((y1 - y0, x1 - x0), np.uint8)
    oval = np.rint(points[OVAL, :2] - (x0, y0)).astype(np.int32)
    cv2.fillPoly(alpha, [oval], 255)
    bgr = np.random.default_rng(4).integers(0, 255, (*alpha.shape, 3), dtype=np.uint8)
    bgr[alpha > 0] = colour
    return Patch(int(x0), int(y0), bgr, alpha)


def frame():
    return np.full((*FRAME, 3), (10, 200, 30), np.uint8)


@pytest.mark.parametrize(
    "pose",
    [
        {},
        {"roll": 90.0},
        {"yaw": 50.0, "roll": -160.0},
        {"centre": (610.0, 20.0)},  # half out of the frame
        {"eyes_px": 12.0},  # 20 px tall
        {"eyes_px": 260.0, "centre": (320.0, 240.0)},  # finer than the crop
    ],
)
def test_the_answer_lies_on_the_face_and_nowhere_else(pose):
    points = posed(**({"centre": (300, 220), "eyes_px": 100} | pose))
    patch, picture = drawn(points), frame()
    alpha = patch.alpha.copy()
    PatchEnhancer(Inverting()).enhance(patch, points, picture)
    inner = cv2.erode(patch.alpha, np.ones((7, 7), np.uint8), borderValue=255) > 0
    middle = np.rint(points[OVAL, :2].mean(axis=0) - (patch.x, patch.y)).astype(int)
    height, width = alpha.shape
    if 0 <= middle[0] < width and 0 <= middle[1] < height:
        assert np.abs(patch.bgr[middle[1], middle[0]].astype(int) - (215, 165, 95)).max() <= 3
    turned = np.abs(patch.bgr.astype(int) - (215, 165, 95)).max(axis=2) <= 6
    assert turned[inner].mean() > 0.85
    assert (patch.alpha == alpha).all()
    assert (picture == frame()).all()


def test_the_network_sees_the_face_in_its_frame_not_what_lies_beyond_its_alpha():
    points = posed(centre=(300, 220), eyes_px=100)
    enhancer = Inverting()
    PatchEnhancer(enhancer).enhance(drawn(points), points, frame())
    (crop,) = enhancer.seen[0]
    colours = {tuple(colour) for colour in crop[::16, ::16].reshape(-1, 3).tolist()}
    assert (10, 200, 30) in colours
    assert (40, 90, 160) in colours
    ground, face = np.array((10, 200, 30)), np.array((40, 90, 160))
    share = ((crop - ground) @ (face - ground)) / ((face - ground) @ (face - ground))
    assert np.abs(crop - (ground + share[..., None] * (face - ground))).max() <= 2


def test_it_is_told_how_large_the_face_is_shown():
    shown = []
    for eyes_px in (50, 100):
        enhancer, points = Inverting(), posed(centre=(300, 220), eyes_px=eyes_px)
        PatchEnhancer(enhancer).enhance(drawn(points), points, frame())
        shown += enhancer.shown
    assert shown[1] == pytest.approx(2 * shown[0], rel=0.01)
    # The crop spans the ends of the mesh and about as much again.
    assert 180 < shown[1] < 330


def test_what_is_finer_than_the_frame_is_averaged_and_does_not_flicker():
    class Chequered(Inverting):
        def enhance(self, crops, shown_px=0.0):
            board = (np.indices(crops.shape[1:3]).sum(axis=0) % 2 * 255).astype(np.uint8)
            return np.repeat(board[None, :, :, None], 3, axis=3)

    points = posed(centre=(300, 220), eyes_px=60)
    patch = drawn(points)
    PatchEnhancer(Chequered(size=512)).enhance(patch, points, frame())
    middle = np.rint(points[OVAL, :2].mean(axis=0) - (patch.x, patch.y)).astype(int)
    part = patch.bgr[middle[1] - 8 : middle[1] + 8, middle[0] - 8 : middle[0] + 8]
    assert np.abs(part.astype(int) - 127).max() < 12


def test_what_comes_back_unchanged_leaves_the_patch_bit_for_bit():
    points = posed(centre=(300, 220))
    patch = drawn(points)
    before = patch.bgr.copy()
    PatchEnhancer(Inverting(answer="same")).enhance(patch, points, frame())
    assert (patch.bgr == before).all()


@pytest.mark.parametrize("what", ["nan", "inf", "one place", "no landmarks", "no frame", "empty", "tiny"])
def test_a_face_that_cannot_be_cut_out_stays_as_it_is(what):
    points = posed(centre=(300, 220))
    patch, picture = drawn(points), frame()
    if what == "nan":
        points = points * np.nan
    elif what == "inf":
        points = points + np.float32(np.inf)
    elif what == "one place":
        points = np.full_like(points, 200)
    elif what == "tiny":
        points = points * 0.005 + 200
    elif what == "empty":
        patch = Patch(0, 0, patch.bgr[:0, :0], patch.alpha[:0, :0])
    before = patch.bgr.copy()
    enhancer = Inverting()
    PatchEnhancer(enhancer).enhance(
        patch, None if what == "no landmarks" else points, None if what == "no frame" else picture
    )
    assert (patch.bgr == before).all()
    assert enhancer.seen == []


def test_an_error_of_the_network_is_the_caller_s():
    points = posed(centre=(300, 220))
    with pytest.raises(SwapError):
        PatchEnhancer(Inverting(answer="error")).enhance(drawn(points), points, frame())


def test_closing_closes_the_network():
    enhancer = Inverting()
    PatchEnhancer(enhancer).close()
    assert enhancer.closed == 1
