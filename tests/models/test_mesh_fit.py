import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.mesh_fit import fit_mesh
from models.topology import CANONICAL, LIPS_OUTER
from tests.fakes.head import posed

angles = st.floats(-60, 60)


@settings(deadline=None)
@given(angles, angles, angles, st.floats(10, 400))
def test_a_canonical_head_in_any_pose_fits_exactly(
    yaw: float, pitch: float, roll: float, eyes_px: float
) -> None:
    points = posed((500, 300), eyes_px, yaw, pitch, roll)
    fit = fit_mesh(points)
    assert fit.size_px == pytest.approx(eyes_px, rel=1e-3)
    assert fit.residual < 1e-3
    assert fit.rotation @ fit.rotation.T == pytest.approx(np.eye(3), abs=1e-9)
    assert np.linalg.det(fit.rotation) == pytest.approx(1)


def test_an_open_mouth_raises_the_residual_but_does_not_turn_the_head() -> None:
    points = posed(eyes_px=100)
    points[CANONICAL[:, 1] > CANONICAL[LIPS_OUTER, 1].mean(), 1] += 30
    fit = fit_mesh(points)
    assert fit.rotation == pytest.approx(np.eye(3), abs=1e-3)
    assert 0.05 < fit.residual < 0.3


def test_a_mirrored_face_is_not_fitted_by_a_reflection() -> None:
    points = posed()
    points[:, 0] *= -1
    fit = fit_mesh(points)
    assert np.linalg.det(fit.rotation) == pytest.approx(1)


@pytest.mark.parametrize("value", [0.0, 7.0, np.nan, np.inf])
def test_no_face_at_all_has_no_size_and_no_fit(value: float) -> None:
    fit = fit_mesh(np.full((468, 3), value, np.float32))
    assert fit.size_px == 0
    assert fit.residual == np.inf


@settings(deadline=None)
@given(angles, angles, angles, st.floats(10, 400))
def test_a_canonical_head_is_brought_back_to_the_front(
    yaw: float, pitch: float, roll: float, eyes_px: float
) -> None:
    points = posed((500, 300), eyes_px, yaw, pitch, roll)
    assert fit_mesh(points).to_front(points) == pytest.approx(CANONICAL, abs=2e-3)


@settings(deadline=None)
@given(angles, angles, st.floats(10, 400), st.floats(0, 0.05), st.integers(0, 2**31 - 1))
def test_the_front_and_the_picture_undo_each_other(
    yaw: float, roll: float, eyes_px: float, noise: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    points = posed((500, 300), eyes_px, yaw, 10, roll)
    points += rng.normal(0, noise * eyes_px, (468, 3)).astype(np.float32)
    offsets = rng.uniform(-0.3, 0.3, (468, 3)).astype(np.float32)
    fit = fit_mesh(points)
    before, after = fit.to_front(points), fit.to_front(points + fit.to_picture(offsets))
    assert after.dtype == np.float32
    assert after - before == pytest.approx(offsets, abs=1e-3)
    placed = fit.to_picture(before) + fit.shift
    assert placed == pytest.approx(points, abs=2e-3 * eyes_px)


def test_an_offset_turns_and_grows_with_the_face() -> None:
    sideways = np.array([[1, 0, 0]], np.float32)
    assert fit_mesh(posed(eyes_px=80)).to_picture(sideways)[0] == pytest.approx([80, 0, 0], abs=0.1)
    assert fit_mesh(posed(eyes_px=80, roll=90)).to_picture(sideways)[0] == pytest.approx([0, 80, 0], abs=0.1)


def test_the_shift_is_where_the_middle_between_the_eyes_lies() -> None:
    points = posed((400, 250), 120, 30, -10, 20)
    between = points[[33, 263]].mean(axis=0) - fit_mesh(points).to_picture(
        CANONICAL[[33, 263]].mean(axis=0, keepdims=True)
    )
    assert fit_mesh(points).shift == pytest.approx(between[0], abs=0.05)
