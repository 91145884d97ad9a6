import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from models.masks.edges import eye_distance
from models.masks.hull import draw_hull, outline
from models.scratch import Scratch
from models.topology import BROWS, NOSE_TIP, OVAL
from tests.fakes.head import posed

SIZE = 256


def flat(**pose):
    return posed(centre=(128, 140), eyes_px=80, **pose)[:, :2]


def drawn(hull, reach):
    out = np.empty((SIZE, SIZE), np.uint8)
    draw_hull(hull, reach, out, Scratch())
    return out


@settings(deadline=None)
@given(st.floats(-80, 80), st.floats(-30, 30), st.floats(-180, 180), st.floats(3, 20))
def test_all_of_the_face_is_inside_and_nothing_far_outside(yaw, pitch, roll, reach):
    points = flat(yaw=yaw, pitch=pitch, roll=roll)
    hull = outline(points, 0.0, eye_distance(points))
    mask = drawn(hull, reach)
    near = np.rint(points).astype(int).clip(0, SIZE - 1)
    assert (mask[near[:, 1], near[:, 0]] == 255).all()
    ys, xs = np.mgrid[:SIZE, :SIZE]
    ring = [
        cv2.pointPolygonTest(hull, (float(x), float(y)), True)
        for x, y in zip(xs[::8, ::8].ravel(), ys[::8, ::8].ravel(), strict=True)
    ]
    taken = mask[::8, ::8].ravel()
    assert all(value == 0 for value, inside in zip(taken, ring, strict=True) if inside < -1.5 * reach - 1.5)
    assert all(value == 255 for value, inside in zip(taken, ring, strict=True) if inside > 1)


def test_the_nose_of_a_profile_is_part_of_the_face():
    points = flat(yaw=80)
    oval = cv2.convexHull(np.ascontiguousarray(points[OVAL])).reshape(-1, 2)
    nose = tuple(float(value) for value in points[NOSE_TIP])
    assert cv2.pointPolygonTest(oval, nose, False) < 0
    assert cv2.pointPolygonTest(outline(points, 0.0, 80), nose, False) >= 0


def test_the_forehead_goes_up_the_face_and_nothing_else_does():
    for roll in (0.0, 90.0, -120.0):
        points = flat(roll=roll)
        plain, raised = outline(points, 0.0, 60), outline(points, 0.5, 60)
        up = points[10] - points[152]
        up /= np.linalg.norm(up)
        assert float((raised @ up).max() - (plain @ up).max()) > 25
        assert abs(float((raised @ -up).max() - (plain @ -up).max())) < 0.01
        aside = np.array([-up[1], up[0]])
        brow = points[BROWS[0]] @ up
        assert float((raised @ aside).max() - (plain @ aside).max()) < 1
        assert brow.size


def test_points_that_are_all_one_make_no_error():
    points = np.full((468, 2), 20.0, np.float32)
    assert (drawn(outline(points, 0.3, 0.0), 4) > 0).sum() < 200


def test_a_point_far_outside_makes_no_error():
    points = flat().copy()
    points[0] = (1e12, -1e12)
    assert drawn(outline(points, 0.0, 60), 6)[140, 128] == 255
