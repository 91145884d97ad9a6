import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import ModelError
from models.geometry import apply
from models.occlusion import (
    CROP_PX,
    GAP_NS,
    MASK_PX,
    WEIGHTS,
    FaceOcclusion,
    VisibleFace,
    crop_of,
    open_occlusion,
)
from models.topology import CANONICAL, OVAL
from tests.fakes.session import ConstantSession

FRAME_NS = 33_000_000
SURE = 12.0
"""A logit that leaves no doubt."""


def answering(logits, side=CROP_PX):
    results = {"covered": np.array(np.broadcast_to(logits, (1, 1, MASK_PX, MASK_PX)), np.float32)}
    return ConstantSession(results, inputs={"picture": (1, side, side, 3)})


def mesh(scale=120.0, angle=0.0, x=320.0, y=240.0):
    """(468, 3): the mean face, upright or turned on the screen."""
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = CANONICAL.copy()
    points[:, :2] = CANONICAL[:, :2] @ turn.T * scale + (x, y)
    return points


def frame(height=480, width=640):
    return np.full((height, width, 3), 128, np.uint8)


def half_covered():
    """Logits that the left half of the crop is covered."""
    logits = np.full((MASK_PX, MASK_PX), -SURE)
    logits[:, : MASK_PX // 2] = SURE
    return logits


@given(
    st.floats(10, 400), st.floats(-3.1, 3.1), st.floats(-200, 900), st.floats(-200, 700), st.integers(16, 256)
)
def test_the_mesh_lies_upright_within_the_crop(scale, angle, x, y, size):
    points = mesh(scale, angle, x, y)
    inside = apply(crop_of(points, size), points[:, :2])
    assert inside.min() > 0.05 * size
    assert inside.max() < 0.95 * size
    left_eye, right_eye = inside[263], inside[33]
    assert left_eye[0] > right_eye[0]
    assert left_eye[1] == pytest.approx(right_eye[1], abs=0.01 * size)


def test_what_is_covered_is_zero_and_what_is_seen_255():
    occlusion = FaceOcclusion(answering(half_covered()))
    mask = occlusion.visible(frame(), mesh(), 1, 0).mask
    assert mask.shape == (MASK_PX, MASK_PX)
    assert mask.dtype == np.uint8
    assert (mask[:, : MASK_PX // 2] == 0).all()
    assert (mask[:, MASK_PX // 2 :] == 255).all()


@settings(max_examples=30, deadline=None)
@given(st.floats(40, 300), st.floats(-0.8, 0.8), st.floats(100, 500), st.floats(100, 400))
def test_the_mask_lies_over_the_face_it_was_made_of(scale, angle, x, y):
    occlusion = FaceOcclusion(answering(half_covered()))
    points = mesh(scale, angle, x, y)
    visible = occlusion.visible(frame(), points, 1, 0)
    whole = occlusion.onto(visible, -700, -700, 2000, 2000)
    right_cheek, left_cheek = (np.round(points[k, :2]).astype(int) + 700 for k in (50, 280))
    assert whole[right_cheek[1], right_cheek[0]] == 0
    assert whole[left_cheek[1], left_cheek[0]] == 255
    assert whole[0, 0] == 255


def test_the_middle_of_the_crop_is_the_middle_of_the_mask():
    occlusion = FaceOcclusion(answering(half_covered()))
    points = mesh(300)
    row = occlusion.onto(occlusion.visible(frame(), points, 1, 0), 0, 240, 640, 1)[0]
    edge = int(np.flatnonzero(row > 127)[0])
    middle = apply(np.linalg.inv(np.vstack([crop_of(points, CROP_PX), [0, 0, 1]]))[:2], [[63.5, 64]])[0]
    assert edge == pytest.approx(middle[0], abs=1.5)


def test_the_rectangle_may_begin_anywhere():
    occlusion = FaceOcclusion(answering(half_covered()))
    visible = occlusion.visible(frame(), mesh(), 1, 0)
    whole = occlusion.onto(visible, 0, 0, 640, 480).copy()
    part = occlusion.onto(visible, 250, 170, 120, 90)
    assert part.shape == (90, 120)
    assert abs(part.astype(int) - whole[170:260, 250:370]).max() <= 3
    assert occlusion.onto(visible, 250, 170, 0, 90).shape == (90, 0)


@pytest.mark.parametrize("scale", [30.0, 60.0, 130.0, 420.0])
def test_the_network_sees_the_face_at_every_size(scale):
    points = mesh(scale, 0.4, 800.3, 700.6)
    bgr = np.zeros((1500, 1700, 3), np.uint8)
    for index, colour in ((33, (250, 0, 0)), (263, (0, 250, 0)), (152, (0, 0, 250))):
        at = tuple(int(value) for value in np.round(points[index, :2] * 16))
        cv2.circle(bgr, at, round(scale * 0.15 * 16), colour, -1, cv2.LINE_AA, 4)
    session = answering(-SURE)
    FaceOcclusion(session).visible(bgr, points, 1, 0)
    seen = session.fed[0]["picture"][0]
    to_crop = crop_of(points, CROP_PX)
    for channel, index in ((0, 33), (1, 263), (2, 152)):
        weight = seen[..., channel].astype(float)
        rows, columns = np.indices(weight.shape)
        middle = ((columns * weight).sum() / weight.sum(), (rows * weight).sum() / weight.sum())
        np.testing.assert_allclose(middle, apply(to_crop, points[index : index + 1, :2])[0], atol=0.12)


def test_a_cover_comes_faster_than_it_goes():
    session = answering(-SURE)
    occlusion = FaceOcclusion(session)
    occlusion.visible(frame(), mesh(), 1, 0)
    session.results["covered"][:] = SURE
    came = occlusion.visible(frame(), mesh(), 1, FRAME_NS).mask[0, 0]
    for number in range(2, 30):
        occlusion.visible(frame(), mesh(), 1, number * FRAME_NS)
    session.results["covered"][:] = -SURE
    went = occlusion.visible(frame(), mesh(), 1, 30 * FRAME_NS).mask[0, 0]
    assert 0 < came < 96
    assert 32 < went < 128
    assert 255 - came > went
    for number in range(31, 60):
        gone = occlusion.visible(frame(), mesh(), 1, number * FRAME_NS).mask[0, 0]
    assert gone == 255


def test_a_pause_or_another_track_begins_anew():
    session = answering(SURE)
    occlusion = FaceOcclusion(session)
    occlusion.visible(frame(), mesh(), 1, 0)
    session.results["covered"][:] = -SURE
    assert occlusion.visible(frame(), mesh(), 2, FRAME_NS).mask[0, 0] == 255
    assert occlusion.visible(frame(), mesh(), 1, FRAME_NS).mask[0, 0] < 255
    session.results["covered"][:] = SURE
    occlusion.visible(frame(), mesh(), 3, 0)
    session.results["covered"][:] = -SURE
    assert occlusion.visible(frame(), mesh(), 3, GAP_NS + 1).mask[0, 0] == 255
    session.results["covered"][:] = SURE
    occlusion.visible(frame(), mesh(), 4, 0)
    session.results["covered"][:] = -SURE
    occlusion.forget(4)
    assert occlusion.visible(frame(), mesh(), 4, FRAME_NS).mask[0, 0] == 255
    occlusion.forget(99)


def test_tracks_that_nobody_forgets_do_not_pile_up():
    session = answering(SURE)
    occlusion = FaceOcclusion(session)
    for track in range(100):
        occlusion.visible(frame(), mesh(), track, 0)
    session.results["covered"][:] = -SURE
    assert occlusion.visible(frame(), mesh(), 0, FRAME_NS).mask[0, 0] == 255
    assert occlusion.visible(frame(), mesh(), 99, FRAME_NS).mask[0, 0] < 255


@pytest.mark.parametrize("points", [np.full((468, 3), np.nan), np.zeros((468, 3)), np.full((468, 3), np.inf)])
def test_points_that_are_none_hide_nothing(points):
    session = answering(SURE)
    with np.errstate(invalid="ignore"):
        visible = FaceOcclusion(session).visible(frame(), points.astype(np.float32), 1, 0)
    assert (visible.mask == 255).all()
    assert not session.fed


@settings(max_examples=40, deadline=None)
@given(st.floats(8, 3000), st.floats(-4, 4), st.floats(-4000, 4000), st.floats(-4000, 4000))
def test_no_face_is_an_error(scale, angle, x, y):
    occlusion = FaceOcclusion(answering(half_covered()))
    visible = occlusion.visible(frame(), mesh(scale, angle, x, y), 1, 0)
    assert np.isfinite(visible.to_frame).all()
    assert occlusion.onto(visible, 0, 0, 64, 48).shape == (48, 64)


def test_the_soft_edge_becomes_short():
    occlusion = FaceOcclusion(answering(-SURE))
    ramp = np.tile(np.linspace(0, 255, MASK_PX).astype(np.uint8), (MASK_PX, 1))
    crisp = occlusion.onto(VisibleFace(ramp, np.eye(2, 3)), 0, 0, MASK_PX, MASK_PX)[0]
    assert (np.diff(crisp.astype(int)) >= 0).all()
    assert ((crisp > 0) & (crisp < 255)).sum() < 0.3 * MASK_PX


def test_a_network_of_another_shape_is_refused():
    with pytest.raises(ModelError, match="128"):
        FaceOcclusion(answering(SURE, side=96))


def test_closing_twice_closes():
    session = answering(SURE)
    occlusion = FaceOcclusion(session)
    occlusion.close()
    occlusion.close()
    assert session.closed == 2


@pytest.mark.parametrize("backend", ["openvino", "onnx"])
def test_the_weights_tell_a_bar_before_a_drawn_face(backend):
    pytest.importorskip({"openvino": "openvino", "onnx": "onnxruntime"}[backend])
    occlusion = open_occlusion(backend)
    try:
        _tells_the_bar(occlusion)
    finally:
        occlusion.close()


def _tells_the_bar(occlusion):
    points = mesh(150)
    bgr = np.full((480, 640, 3), (120, 90, 70), np.uint8)
    oval = np.round(points[OVAL, :2]).astype(np.int32)
    cv2.fillPoly(bgr, [oval], (130, 160, 205))
    for ring in ([33, 160, 158, 133, 153, 144], [263, 387, 385, 362, 380, 373], [61, 37, 267, 291, 314, 84]):
        cv2.fillPoly(bgr, [np.round(points[ring, :2]).astype(np.int32)], (60, 60, 110))
    bgr = cv2.GaussianBlur(bgr, (0, 0), 2)
    inside = np.zeros(bgr.shape[:2], np.uint8)
    cv2.fillPoly(inside, [oval], 255)
    inside = cv2.erode(inside, np.ones((41, 41), np.uint8)) > 0
    clean = occlusion.onto(occlusion.visible(bgr, points, 1, 0), 0, 0, 640, 480).copy()
    assert (clean[inside] > 127).mean() > 0.9
    cv2.rectangle(bgr, (0, 270), (640, 330), (40, 140, 40), -1)
    bar = np.zeros(bgr.shape[:2], bool)
    bar[280:320] = True
    held = occlusion.onto(occlusion.visible(bgr, points, 2, 0), 0, 0, 640, 480)
    assert (held[inside & bar] < 128).mean() > 0.7


def test_the_weights_are_small():
    assert WEIGHTS.stat().st_size <= 2_000_000


def test_again_is_what_was_seen_where_the_face_is_now():
    finder = FaceOcclusion(answering(half_covered()))
    seen = finder.visible(frame(), mesh(), 3, 0)
    before = finder.onto(seen, 0, 0, 640, 480).copy()
    moved = finder.again(mesh(x=360.0), 3, FRAME_NS)
    assert moved is not None
    after = finder.onto(moved, 0, 0, 640, 480)
    np.testing.assert_allclose(after[:, 40:].astype(int), before[:, :-40], atol=2)
    assert before.min() == 0


@pytest.mark.parametrize("case", ["another face", "long ago", "no face"])
def test_again_says_when_there_is_nothing_to_go_by(case):
    finder = FaceOcclusion(answering(half_covered()))
    finder.visible(frame(), mesh(), 3, 0)
    points = np.full((468, 3), np.nan, np.float32) if case == "no face" else mesh()
    number, when = (4 if case == "another face" else 3), (GAP_NS + 1 if case == "long ago" else FRAME_NS)
    assert finder.again(points, number, when) is None
