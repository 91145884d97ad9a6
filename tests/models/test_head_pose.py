import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.head_pose import head_pose
from models.topology import NOSE_TIP
from tests.fakes.head import posed

angles = st.floats(-70, 70)


@given(angles, angles, st.floats(-170, 170), st.floats(10, 300))
def test_a_known_turn_is_read_back(yaw: float, pitch: float, roll: float, eyes_px: float) -> None:
    pose = head_pose(posed((-40, 90), eyes_px, yaw=yaw, pitch=pitch, roll=roll))
    assert (pose.yaw, pose.pitch, pose.roll) == pytest.approx((yaw, pitch, roll), abs=0.05)


def test_the_signs_are_those_of_the_picture() -> None:
    middle = posed()[:, :2].mean(axis=0)
    left, down = posed(yaw=30), posed(pitch=30)
    assert left[NOSE_TIP, 0] < middle[0]
    assert head_pose(left).yaw == pytest.approx(30, abs=0.1)
    assert down[NOSE_TIP, 1] > posed()[NOSE_TIP, 1]
    assert head_pose(down).pitch == pytest.approx(30, abs=0.1)
    leaning = posed(roll=20)
    assert leaning[263, 1] > leaning[33, 1]
    assert head_pose(leaning).roll == pytest.approx(20, abs=0.1)


def test_noise_turns_the_head_little() -> None:
    noise = np.random.default_rng(4).normal(0, 1, (468, 3)).astype(np.float32)
    pose = head_pose(posed(eyes_px=100) + noise)
    assert max(abs(pose.yaw), abs(pose.pitch), abs(pose.roll)) < 0.5
