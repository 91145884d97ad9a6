import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import SettingError, SwapError
from models.geometry import apply
from models.landmarker import five_points
from models.masks.edges import eye_distance
from models.masks.hull import outline
from models.masks.masker import FACES_KEPT, STILL_SHARE, Masker
from models.masks.settings import BOX, BUILT_IN, HULL, OWN, MaskSettings
from models.masks.view import InFrame
from models.neural.align import align
from models.topology import BROWS, LEFT_EYE, LIPS_OUTER, NOSE_TIP, RIGHT_EYE
from tests.fakes.head import posed

SIZE = 128
SWAP_TEMPLATES = ("arcface_128", "arcface_112_v1", "ffhq_512", "mtcnn_512", "dfl_whole_face")
FEATURES = np.concatenate([LEFT_EYE, RIGHT_EYE, *BROWS, LIPS_OUTER, [NOSE_TIP]])
PLAIN = MaskSettings(masks=(BOX, HULL, OWN))


class FixedMask:
    """A network that sees the same in every crop, and counts its looks."""

    def __init__(self, value=255):
        self.value, self.looks, self.closed = value, [], 0

    def look(self, view, out):
        self.looks.append(view)
        if self.value is None:
            raise SwapError("no numbers", "try again")
        out[:] = self.value

    def close(self):
        self.closed += 1


def crop(size=SIZE):
    return np.full((size, size, 3), 128, np.uint8)


def face(template="arcface_128", size=SIZE, **pose):
    """(468, 2): a face in its crop, by way of a frame."""
    points = posed(**({"centre": (400, 300), "eyes_px": 120} | pose))
    return apply(align(five_points(points), template, size).matrix, points[:, :2]).astype(np.float32)


def at(mask, points):
    near = np.rint(points).astype(int)
    return mask[near[:, 1], near[:, 0]]


poses = st.fixed_dictionaries(
    {
        "yaw": st.floats(-75, 75),
        "pitch": st.floats(-30, 30),
        "roll": st.sampled_from([0.0, 90.0, -90.0, 180.0]) | st.floats(-180, 180),
        "eyes_px": st.sampled_from([9.0, 20.0]) | st.floats(9, 600),
        "centre": st.tuples(st.floats(-50, 1300), st.floats(-50, 800)),
    }
)


@settings(max_examples=150, deadline=None)
@given(poses, st.sampled_from(SWAP_TEMPLATES), st.sampled_from([128, 256, 512]), st.floats(0, 0.4))
def test_nothing_of_a_face_without_an_occluder_stays_bare(pose, template, size, edge):
    """Turned, nodding, lying on its side, tiny, or half out of the frame: what the crop holds is replaced."""
    chosen = MaskSettings(masks=(BOX, HULL, OWN), edge=edge)
    points = face(template, size, **pose)
    mask = Masker(chosen, {}).mask(crop(size), points)
    # The Gaussian of the box has no end.
    assert (at(mask, points[FEATURES]) >= 254).all()
    # The box's half width and its blur, in sides of the crop; farther in than this it takes nothing away.
    rim = (0.25 + 0.5 * 3 * 0.25) * chosen.blur * size
    within = ((points >= rim) & (points <= size - 1 - rim)).all(axis=1)
    assert (at(mask, points[within]) >= 254).all()


@settings(max_examples=40, deadline=None)
@given(poses)
def test_what_is_far_from_the_face_stays_the_frame_s(pose):
    points = face("ffhq_512", **pose)
    mask = Masker(PLAIN, {}).mask(crop(), points)
    unit = eye_distance(points)
    hull = outline(points, PLAIN.forehead, unit)
    beyond = hull + 2 * PLAIN.edge * unit * _outward(hull) + 2 * _outward(hull)
    inside = ((beyond >= 0) & (beyond < SIZE - 1)).all(axis=1)
    assert (at(mask, beyond[inside]) == 0).all()


def _outward(hull):
    away = hull - hull.mean(axis=0)
    return away / np.linalg.norm(away, axis=1)[:, None]


def test_the_rim_of_the_crop_is_the_frame_s():
    mask = Masker(MaskSettings(masks=(BOX,)), {}).mask(crop(), face())
    assert max(mask[0].max(), mask[-1].max(), mask[:, 0].max(), mask[:, -1].max()) == 0


@pytest.mark.parametrize("spoiled", [np.nan, np.inf])
def test_landmarks_that_are_no_numbers_leave_the_box(spoiled):
    network = FixedMask(0)
    masker = Masker(MaskSettings(masks=(BOX, HULL, "xseg_3")), {"xseg_3": network})
    points = face()
    points[7, 0] = spoiled
    assert (masker.mask(crop(), points) == Masker(MaskSettings(masks=(BOX,)), {}).mask(crop(), face())).all()
    assert network.looks == []


def test_landmarks_all_in_one_place_leave_the_box():
    points = np.full((468, 2), 60.0, np.float32)
    box = Masker(MaskSettings(masks=(BOX,)), {}).mask(crop(), face())
    assert (Masker(PLAIN, {}).mask(crop(), points) == box).all()


def test_it_is_the_least_of_all():
    left = np.full((SIZE, SIZE), 255, np.uint8)
    left[:, : SIZE // 2] = 0
    top = left.T.copy()
    network = FixedMask(top)
    masker = Masker(MaskSettings(masks=(BOX, HULL, OWN, "xseg_3")), {"xseg_3": network})
    mask = masker.mask(crop(), face(), left)
    assert mask[40, 40] == mask[90, 40] == mask[40, 90] == 0
    assert mask[70, 70] == 255


def test_several_networks_all_count():
    networks = {"xseg_1": FixedMask(200), "xseg_2": FixedMask(90), "xseg_3": FixedMask(150)}
    mask = Masker(MaskSettings(masks=(BOX, *networks)), networks).mask(crop(), face())
    assert mask[64, 64] == 90


def test_the_swapper_s_own_mask_may_have_another_size_and_may_be_left_out():
    own = np.zeros((64, 64), np.uint8)
    assert Masker(PLAIN, {}).mask(crop(), face(), own).max() == 0
    assert Masker(MaskSettings(masks=(BOX, HULL)), {}).mask(crop(), face(), own).max() == 255


def test_the_own_mask_does_not_stay_when_it_is_gone():
    masker = Masker(PLAIN, {})
    masker.mask(crop(), face(), np.zeros((SIZE, SIZE), np.uint8))
    assert masker.mask(crop(), face()).max() == 255


def test_the_edge_is_as_wide_in_the_face_whatever_its_pixels():
    widths = []
    for size in (128, 256, 512):
        row = Masker(PLAIN, {}).mask(crop(size), face(size=size))[size // 2].astype(int)
        left = row[: size // 2]
        widths.append(((left > 0) & (left < 255)).sum() / size)
    assert max(widths) - min(widths) < 0.02
    assert min(widths) > 0.01


def test_a_wider_edge_is_wider():
    sums = [
        int(Masker(MaskSettings(masks=(BOX, HULL), edge=edge), {}).mask(crop(), face()).sum())
        for edge in (0.05, 0.2, 0.5)
    ]
    assert sums[0] < sums[1] < sums[2]


def test_a_face_that_stands_still_in_its_crop_is_not_drawn_again(monkeypatch):
    drawn = []
    monkeypatch.setattr("models.masks.masker.draw_hull", lambda *args: drawn.append(args))
    masker = Masker(PLAIN, {})
    points = face()
    for move in (0.0, 0.9 * STILL_SHARE * SIZE, -0.9 * STILL_SHARE * SIZE):
        masker.mask(crop(), points + np.float32(move))
    assert len(drawn) == 1
    # Not from frame to frame but from what was drawn: a slow drift is followed.
    masker.mask(crop(), points + np.float32(1.1 * STILL_SHARE * SIZE))
    assert len(drawn) == 2
    masker.mask(crop(), points, key=5)
    assert len(drawn) == 3


def test_the_caller_may_use_its_landmarks_array_again():
    masker = Masker(PLAIN, {})
    points = face()
    masker.mask(crop(), points)
    points += 20
    assert (masker.mask(crop(), points) == Masker(PLAIN, {}).mask(crop(), points)).all()


def test_a_kept_answer_is_the_same_as_a_fresh_one():
    kept = Masker(PLAIN, {})
    kept.mask(crop(), face())
    again = kept.mask(crop(), face())
    assert (again == Masker(PLAIN, {}).mask(crop(), face())).all()


def test_each_face_has_an_answer_of_its_own():
    masker = Masker(PLAIN, {})
    one = masker.mask(crop(), face(), key=1)
    copy = one.copy()
    other = masker.mask(crop(), face(yaw=50), key=2)
    assert (one == copy).all()
    assert (one != other).any()


def test_a_crop_of_another_size_is_another_face():
    masker = Masker(PLAIN, {})
    assert masker.mask(crop(), face()).shape == (128, 128)
    assert masker.mask(crop(256), face(size=256)).shape == (256, 256)


def test_a_network_may_rest_between_frames_and_the_faces_take_turns():
    network, built_in = FixedMask(80), FixedMask(255)
    chosen = MaskSettings(masks=(BOX, "xseg_3", BUILT_IN), every=3)
    masker = Masker(chosen, {"xseg_3": network, BUILT_IN: built_in})
    for _ in range(6):
        assert masker.mask(crop(), face(), key=3)[64, 64] == 80
    assert len(network.looks) == 2
    assert len(built_in.looks) == 6
    looks = []
    for _ in range(6):
        before = len(network.looks)
        for key in (4, 5):
            masker.mask(crop(), face(), key=key)
        looks.append(len(network.looks) - before)
    assert looks[0] == 2  # nothing is known of a new face
    assert max(looks[1:]) == 1


def test_a_network_that_fails_says_so_and_is_asked_again():
    network = FixedMask(None)
    masker = Masker(MaskSettings(masks=(BOX, "xseg_3"), every=4), {"xseg_3": network})
    for key in (0, 0, 1, 1):
        with pytest.raises(SwapError):
            masker.mask(crop(), face(), key=key)
    assert len(network.looks) == 4
    network.value = 60
    for key in (0, 1):
        assert masker.mask(crop(), face(), key=key)[64, 64] == 60


def test_a_network_is_told_of_the_frame():
    network = FixedMask()
    frame = InFrame(np.zeros((720, 1280, 3), np.uint8), align(five_points(posed()), "arcface_128", SIZE), 77)
    Masker(MaskSettings(masks=(BOX, BUILT_IN)), {BUILT_IN: network}).mask(crop(), face(), key=9, frame=frame)
    (view,) = network.looks
    assert view.key == 9
    assert view.captured_ns == 77
    assert view.picture is frame.bgr


def test_few_faces_are_kept_and_a_forgotten_one_is_new():
    network = FixedMask(80)
    masker = Masker(MaskSettings(masks=(BOX, "xseg_3"), every=1000), {"xseg_3": network})
    for key in range(FACES_KEPT + 1):
        masker.mask(crop(), face(), key=1000 * key + 1)
    looks = len(network.looks)
    masker.mask(crop(), face(), key=1001)
    assert len(network.looks) == looks
    masker.forget(1001)
    masker.forget(1001)
    masker.mask(crop(), face(), key=1001)
    assert len(network.looks) == looks + 1
    masker.mask(crop(), face(), key=1)
    assert len(network.looks) == looks + 2


def test_settings_change_between_frames():
    network = FixedMask(80)
    masker = Masker(MaskSettings(masks=(BOX, HULL, "xseg_3"), edge=0.05), {"xseg_3": network})
    masker.mask(crop(), face())
    masker.adjust(MaskSettings(masks=(BOX, HULL), edge=0.4, blur=0.5))
    fresh = Masker(MaskSettings(masks=(BOX, HULL), edge=0.4, blur=0.5), {}).mask(crop(), face())
    assert (masker.mask(crop(), face()) == fresh).all()
    assert len(network.looks) == 1
    masker.adjust(MaskSettings(masks=(BOX, "xseg_3"), edge=0.3))
    assert masker.mask(crop(), face(), key=1)[64, 64] == 80
    assert network.looks[-1].edge == 0.3


@pytest.mark.parametrize("other", [{"masks": (BOX, "xseg_1")}, {"regions": ("skin",)}])
def test_settings_that_need_another_network_are_refused(other):
    masker = Masker(PLAIN, {})
    with pytest.raises(SettingError):
        masker.adjust(MaskSettings(**({"masks": (BOX,)} | other)))
    assert masker.settings == PLAIN


def test_closing_twice_is_closing():
    network = FixedMask()
    masker = Masker(MaskSettings(masks=(BOX, "xseg_3")), {"xseg_3": network})
    masker.close()
    masker.close()
    assert network.closed >= 1


def test_the_mouth_is_kept_by_choice_only():
    points = face("ffhq_512")
    points[14] += (0, 12)
    points[[87, 317], 1] += 11
    middle = np.rint((points[13] + points[14]) / 2).astype(int)
    assert Masker(PLAIN, {}).mask(crop(), points)[middle[1], middle[0]] == 255
    keeping = MaskSettings(masks=(BOX, HULL), keep_mouth=True)
    mask = Masker(keeping, {}).mask(crop(), points)
    assert mask[middle[1], middle[0]] < 40
    assert (at(mask, points[np.concatenate([LEFT_EYE, RIGHT_EYE, [NOSE_TIP]])]) == 255).all()
