import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models.geometry import (
    TEMPLATES,
    Matrix,
    affine_fit,
    apply,
    compose,
    crop_matrix,
    invert,
    similarity_fit,
    template,
)

coordinates = st.floats(-2000, 2000)
angles = st.floats(-np.pi, np.pi)
scales = st.floats(0.05, 20)
clouds = arrays(np.float64, (5, 2), elements=coordinates).filter(
    lambda points: np.ptp(points, axis=0).max() > 1
)
similarities = st.builds(
    lambda scale, angle, x, y: np.array(
        [
            [scale * np.cos(angle), -scale * np.sin(angle), x],
            [scale * np.sin(angle), scale * np.cos(angle), y],
        ]
    ),
    scales,
    angles,
    coordinates,
    coordinates,
)


@given(clouds, similarities)
def test_the_fit_recovers_the_similarity_that_made_the_target(points, matrix):
    np.testing.assert_allclose(similarity_fit(points, apply(matrix, points)), matrix, rtol=1e-6, atol=1e-6)


@given(clouds, clouds)
def test_no_nearby_similarity_fits_better(source, target):
    best = similarity_fit(source, target)

    def misfit(matrix):
        return ((apply(matrix, source) - target) ** 2).sum()

    for delta in (1e-3, -1e-3):
        for change in ([[1, 0, 0], [0, 1, 0]], [[0, -1, 0], [1, 0, 0]], [[0, 0, 1], [0, 0, 0]]):
            assert misfit(best + delta * np.array(change, dtype=float)) >= misfit(best) * (1 - 1e-9)


@given(clouds)
def test_the_fit_never_mirrors(points):
    matrix = similarity_fit(points, points * [-1, 1])
    assert np.linalg.det(matrix[:, :2]) >= 0


@given(clouds, similarities)
def test_the_inverse_undoes(points, matrix):
    np.testing.assert_allclose(apply(invert(matrix), apply(matrix, points)), points, atol=1e-6)


@given(clouds, similarities, similarities)
def test_composing_does_the_inner_one_first(points, outer, inner):
    once = apply(compose(outer, inner), points)
    np.testing.assert_allclose(once, apply(outer, apply(inner, points)), rtol=1e-9, atol=1e-6)


@given(st.tuples(coordinates, coordinates), st.floats(1, 2000), angles, st.integers(16, 512))
def test_a_crop_is_level_and_centred(centre, side, angle, size):
    matrix = crop_matrix(centre, side, angle, size)
    right = (centre[0] + side / 2 * np.cos(angle), centre[1] + side / 2 * np.sin(angle))
    np.testing.assert_allclose(
        apply(matrix, [centre, right]), [[size / 2, size / 2], [size, size / 2]], atol=1e-6
    )


def test_points_that_coincide_have_no_similarity():
    with pytest.raises(ValueError, match="differ"):
        similarity_fit(np.ones((5, 2)), np.eye(5, 2))


def test_points_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"\(N, 2\)"):
        apply(np.eye(2, 3), np.zeros((3, 3)))


@pytest.mark.parametrize("name", TEMPLATES)
def test_templates_lie_in_the_crop_and_cannot_be_changed(name):
    points = template(name, 100)
    left_eye, right_eye, nose, left_mouth, right_mouth = points
    assert points.min() > 0
    assert points.max() < 100
    assert left_eye[0] < nose[0] < right_eye[0]
    assert left_eye[1] < nose[1] < left_mouth[1]
    assert left_mouth[0] < right_mouth[0]
    with pytest.raises(ValueError, match="read-only"):
        TEMPLATES[name][0, 0] = 0


def test_arcface_in_pixels_is_the_published_one():
    np.testing.assert_allclose(template("arcface_112_v2", 112)[0], [38.2946, 51.6963], atol=1e-4)
    np.testing.assert_allclose(
        template("arcface_128", 128) - template("arcface_112_v2", 112), np.tile([8.0, 0.0], (5, 1)), atol=1e-4
    )


@given(similarities, st.integers(0, 2**32 - 1))
def test_an_affine_map_of_points_is_found_again(matrix: Matrix, seed: int) -> None:
    points = np.random.default_rng(seed).uniform(-50, 50, (12, 2))
    skewed = compose(np.array([[1.0, 0.3, 0.0], [0.0, 0.8, 0.0]]), matrix)
    found = affine_fit(points, apply(skewed, points))
    np.testing.assert_allclose(apply(found, points), apply(skewed, points), atol=1e-6)


def test_an_affine_fit_needs_points_off_a_line() -> None:
    with pytest.raises(ValueError, match="line"):
        affine_fit([(0, 0), (1, 1), (2, 2)], [(0, 0), (1, 1), (2, 2)])
