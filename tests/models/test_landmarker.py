from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.catalog import load_catalog
from models.detector import open_detector
from models.errors import ModelError
from models.geometry import apply, crop_matrix, similarity_fit
from models.landmarker import (
    CropRegion,
    FaceMesh,
    five_points,
    open_landmarker,
    region_from_detection,
    region_from_points,
)
from tests.fakes.drawn_face import FIVE_POINTS, drawn_face
from tests.fakes.session import ConstantSession

CONTRACT = load_catalog()["facemesh_468"].contract
SIDE = 512


@pytest.fixture(scope="module")
def face_mesh(default_models):
    opened = open_landmarker("facemesh_468", default_models)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def settled(face_mesh, default_models):
    """The drawn face and its landmarks, after the region has settled on it."""
    bgr = drawn_face(SIDE)
    detector = open_detector("blazeface_short_range", default_models)
    region = region_from_detection(detector.detect(bgr)[0])
    detector.close()
    for _ in range(4):
        found = face_mesh.landmarks(bgr, region)
        region = region_from_points(found.points)
    return bgr, found, region


def answering(points, presence):
    results = {
        "conv2d_21": np.asarray(points, np.float32).reshape(1, 1, 1, -1),
        "conv2d_31": np.full((1, 1, 1, 1), presence, np.float32),
    }
    return ConstantSession(results, inputs={"input_1": (1, 192, 192, 3)})


def test_the_points_lie_where_the_features_were_drawn(settled):
    _, found, _ = settled
    assert found.score > 0.99
    assert found.points.shape == (468, 3)
    assert found.points.dtype == np.float32
    assert np.abs(five_points(found.points) - FIVE_POINTS * SIDE).max() < 0.015 * SIDE


def test_the_nose_is_nearer_than_the_cheeks(settled):
    _, found, _ = settled
    nose_tip, left_cheek, right_cheek = found.points[[1, 234, 454], 2]
    assert nose_tip < min(left_cheek, right_cheek)


@settings(max_examples=25, deadline=None)
@given(st.floats(0.5, 2.0), st.floats(-0.6, 0.6), st.floats(-100, 100), st.floats(-100, 100))
def test_the_points_follow_a_turned_face(face_mesh, settled, scale, angle, x, y):
    bgr, found, region = settled
    centre = (SIDE / 2, SIDE / 2)
    moved = np.add(crop_matrix(centre, SIDE / scale, angle, SIDE), [[0, 0, 300 + x], [0, 0, 150 + y]])
    frame = cv2.warpAffine(bgr, moved, (1280, 900), borderMode=cv2.BORDER_REPLICATE)
    x_there, y_there = apply(moved, [region.centre])[0]
    again = face_mesh.landmarks(
        frame, CropRegion((x_there, y_there), region.side * scale, region.angle - angle)
    )
    assert again.score > 0.9
    expected = apply(moved, found.points[:, :2])
    assert np.abs(again.points[:, :2] - expected).mean() < 0.01 * region.side * scale
    depth_error = np.abs(again.points[:, 2] - found.points[:, 2] * scale)
    assert depth_error.max() < 0.03 * region.side * scale
    followed = similarity_fit(found.points[:, :2], again.points[:, :2])
    np.testing.assert_allclose(followed[:, :2], moved[:, :2], atol=0.04 * scale)


def test_a_region_without_a_face_scores_low(face_mesh):
    noise = np.random.default_rng(0).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    assert face_mesh.landmarks(noise, CropRegion((300, 200), 200, 0.3)).score < 0.1


def test_a_face_cut_by_the_edge_of_the_frame_is_still_followed(face_mesh, settled):
    bgr, found, region = settled
    cut = np.ascontiguousarray(bgr[:, 180:])
    moved = CropRegion((region.centre[0] - 180, region.centre[1]), region.side, region.angle)
    again = face_mesh.landmarks(cut, moved)
    inside = found.points[:, 0] > 180
    assert again.score > 0.9
    assert np.abs(again.points[inside, :2] + [180, 0] - found.points[inside, :2]).mean() < 0.02 * region.side


anywhere = st.floats(-3000, 3000) | st.sampled_from([float("nan"), float("inf")])


@settings(deadline=None)
@given(anywhere, anywhere, st.floats(-10, 5000) | st.just(float("inf")), st.floats(-4, 4))
def test_no_region_is_an_error(x, y, side, angle):
    mesh = FaceMesh(answering(np.zeros((468, 3)), 5.0), CONTRACT)
    found = mesh.landmarks(np.full((90, 160, 3), 99, np.uint8), CropRegion((x, y), side, angle))
    reach = side * (abs(np.cos(angle)) + abs(np.sin(angle))) / 2
    touches = -reach < x < 160 + reach and -reach < y < 90 + reach
    seen = np.isfinite([x, y, side]).all() and side >= 8 and touches
    assert found.score == pytest.approx(1 / (1 + np.exp(-5)) if seen else 0.0)
    assert np.isfinite(found.points).all()


def test_the_network_sees_the_region_and_its_points_come_back():
    bgr = np.zeros((300, 400, 3), np.uint8)
    cv2.circle(bgr, (250, 120), 6, (10, 200, 30), -1)
    session = answering(np.full((468, 3), 96.0), 0.0)
    found = FaceMesh(session, CONTRACT).landmarks(bgr, CropRegion((250, 120), 48, 0.7))
    seen = session.fed[0]["input_1"][0]
    assert seen[96, 96].tolist() == [10, 200, 30]
    assert seen[10, 10].tolist() == [0, 0, 0]
    np.testing.assert_allclose(found.points[0], [250, 120, 96 * 48 / 192], atol=1e-4)
    assert found.score == 0.5


shapes = st.integers(0, 2**32 - 1).map(lambda seed: np.random.default_rng(seed).normal(size=(468, 2)) * 40)


@given(shapes, st.floats(0.2, 5), st.floats(-3, 3), st.floats(-500, 500), st.floats(-500, 500))
def test_the_region_turns_and_grows_with_the_points(points, scale, angle, x, y):
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    before = region_from_points(points)
    after = region_from_points(scale * points @ rotation.T + [x, y])
    np.testing.assert_allclose(after.side, before.side * scale, rtol=1e-6)
    np.testing.assert_allclose(after.centre, scale * rotation @ before.centre + [x, y], atol=1e-5)
    turned = after.angle - before.angle - angle
    np.testing.assert_allclose([np.cos(turned), np.sin(turned)], [1, 0], atol=1e-6)


@pytest.fixture
def scoreless(face_mesh):
    """The same network without the output that says whether there is a face."""
    outputs = {name: tensor for name, tensor in CONTRACT.outputs.items() if name != "presence"}
    return FaceMesh(face_mesh._session, replace(CONTRACT, outputs=outputs))


def test_without_a_score_a_face_is_trusted_because_it_stays_where_it_is(scoreless, settled):
    bgr, found, region = settled
    again = scoreless.landmarks(bgr, region)
    assert again.score > 0.9
    np.testing.assert_allclose(again.points, found.points, atol=0.01 * region.side)


def test_without_a_score_an_imagined_face_is_not_trusted(scoreless):
    rng = np.random.default_rng(0)
    noise = cv2.GaussianBlur(rng.integers(0, 256, (480, 640, 3), dtype=np.uint8), (0, 0), 6)
    for _ in range(8):
        centre = (float(rng.uniform(100, 540)), float(rng.uniform(100, 380)))
        assert scoreless.landmarks(noise, CropRegion(centre, 180, 0.1)).score < 0.3


def test_a_network_of_another_shape_is_refused():
    with pytest.raises(ModelError, match="1404"):
        FaceMesh(answering(np.zeros((478, 3)), 0.0), CONTRACT)


def test_a_model_that_is_no_landmarker(default_models):
    with pytest.raises(ModelError, match="blazeface_short_range is a detector"):
        open_landmarker("blazeface_short_range", default_models)
