import json

import cv2
import numpy as np

from models.geometry import apply, invert
from models.occlusion import CROP_PX, MASK_PX, FaceOcclusion
from models.topology import CANONICAL
from models.train.occlusion_check import figures, inner_face
from tests.fakes.session import ConstantSession

POINTS = (CANONICAL * 100 + np.array((320, 240, 0))).astype(np.float32)
FRAME = np.zeros((480, 640, 3), np.uint8)


def answering(logits):
    results = {"covered": np.array(np.broadcast_to(logits, (1, 1, MASK_PX, MASK_PX)), np.float32)}
    return FaceOcclusion(ConstantSession(results, inputs={"picture": (1, CROP_PX, CROP_PX, 3)}))


def test_the_inner_face_has_no_rim_no_eyes_and_no_mouth():
    visible = answering(-9.0).visible(FRAME, POINTS, 0, 0)
    inside = inner_face(visible, POINTS)
    at = np.round(apply(invert(visible.to_frame), POINTS[:, :2])).astype(int)
    middle_of_eye = np.round(at[[33, 133, 159, 145]].mean(axis=0)).astype(int)
    assert all(inside[y, x] == 255 for x, y in at[[4, 5, 205, 425, 8]])
    assert all(inside[y, x] == 0 for x, y in at[[10, 152, 234, 454]])
    assert inside[middle_of_eye[1], middle_of_eye[0]] == 0
    assert 0.1 < (inside > 0).mean() < 0.4


def test_the_figures_say_how_much_is_covered_and_how_it_changes():
    still = ((number * 40_000_000, FRAME, POINTS) for number in range(5))
    bare = figures(answering(-9.0), still)
    assert (bare["frames"], bare["covered"], bare["change"]) == (5, 0, 0)
    still = ((number * 40_000_000, FRAME, POINTS) for number in range(5))
    assert figures(answering(9.0), still)["covered"] == 1
    half = np.where(np.arange(MASK_PX) < MASK_PX / 2, 9.0, -9.0)
    seen = figures(answering(half), iter([(0, FRAME, POINTS)]))
    assert 0.4 < seen["covered"] < 0.6
    assert json.dumps(seen)


def test_no_face_gives_no_figures():
    assert figures(answering(9.0), iter(())) == {"frames": 0}
    away = POINTS + np.float32(10_000)
    assert cv2.countNonZero(inner_face(answering(9.0).visible(FRAME, away, 0, 0), away)) > 0
