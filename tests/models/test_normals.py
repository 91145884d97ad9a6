import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.normals import facing
from models.topology import MIRROR, NOSE_TIP, OVAL
from tests.fakes.head import posed

CHEEKS = [50, 280]


def test_the_front_faces_us_and_the_outline_does_not():
    cosines = facing(posed())
    assert cosines[[NOSE_TIP, 9, 151, *CHEEKS]].min() > 0.6
    assert cosines[[234, 454]].max() < 0.3
    assert set([234, 454]) <= set(OVAL.tolist())


def test_from_behind_all_is_turned_away():
    assert np.median(facing(posed(yaw=180))) < -0.5


@given(st.floats(-80, 80), st.floats(5, 400))
def test_turning_left_is_the_mirror_of_turning_right_at_any_size(yaw, eyes_px):
    right, left = facing(posed(yaw=yaw, eyes_px=eyes_px)), facing(posed(yaw=-yaw, eyes_px=eyes_px))
    np.testing.assert_allclose(right, left[MIRROR], atol=2e-2)
    assert np.abs(right).max() <= 1 + 1e-5


def test_a_collapsed_mesh_faces_nowhere():
    assert np.isfinite(facing(np.zeros((468, 3), np.float32))).all()
