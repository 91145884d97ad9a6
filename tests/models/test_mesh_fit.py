import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.mesh_fit import fit_mesh
from models.topology import CANONICAL, LIPS_OUTER
from tests.fakes.head import posed

angles = st.floats(-60, 60)


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
