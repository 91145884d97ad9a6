import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.rasterise import MeshRasteriser
from models.topology import LIDS, TRIANGLES, UV
from tests.fakes.head import posed

SIZE = (240, 260)
VALUES = np.column_stack([UV, np.ones(len(UV))]).astype(np.float32)


def draw(points, finest_px=260, values=VALUES, **kwargs):
    return MeshRasteriser().draw(points, values, SIZE, finest_px, **kwargs).copy()


def front_most(points, x, y):
    """The values at a pixel by barycentric coordinates in every triangle; None at an edge or beside them."""
    a, b, c = (points[TRIANGLES[:, k]].astype(float) for k in range(3))
    e, f, d = b - a, c - a, np.array([x, y]) - a[:, :2]
    area = e[:, 0] * f[:, 1] - e[:, 1] * f[:, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        s = (d[:, 0] * f[:, 1] - d[:, 1] * f[:, 0]) / area
        t = (e[:, 0] * d[:, 1] - e[:, 1] * d[:, 0]) / area
    inner = np.minimum(np.minimum(s, t), 1 - s - t)
    if ((abs(inner) < 0.02) & (area != 0)).any():
        return None
    hits = np.flatnonzero((inner > 0) & (area > 0))
    if not len(hits):
        return None
    depth = a[hits, 2] + s[hits] * e[hits, 2] + t[hits] * f[hits, 2]
    k = hits[depth.argmin()]
    corners = VALUES[TRIANGLES[k]].astype(float)
    return corners[0] * (1 - s[k] - t[k]) + corners[1] * s[k] + corners[2] * t[k]


@settings(max_examples=12, deadline=None)
@given(st.floats(-70, 70), st.floats(-25, 25), st.floats(-40, 40), st.integers(0, 2**31 - 1))
def test_values_lie_where_the_points_are(yaw, pitch, roll, seed):
    points = posed((120, 130), 80, yaw, pitch, roll)
    picture = draw(points)
    rng = np.random.default_rng(seed)
    errors = []
    for x, y in rng.integers((60, 60), (180, 200), (40, 2)):
        expected = front_most(points, x, y)
        if expected is not None and picture[y, x, 2] > 0:
            errors.append(abs(picture[y, x] - expected).max())
    assert not errors or np.median(errors) < 2e-4


def test_beside_the_mesh_and_in_its_holes_is_the_ground():
    picture = draw(posed((120, 130), 80), ground=(0.25, 0.5, 0.0))
    eye = posed((120, 130), 80)[[159, 145], :2].mean(axis=0).round().astype(int)
    for x, y in ((0, 0), (239, 259), eye):
        assert picture[y, x].tolist() == [0.25, 0.5, 0.0]


def test_a_closed_mesh_has_no_holes():
    points = posed((120, 130), 80)
    closed = MeshRasteriser(np.concatenate([TRIANGLES, LIDS])).draw(points, VALUES, SIZE, max(SIZE))
    x, y = points[[159, 145], :2].mean(axis=0).round().astype(int)
    assert closed[y, x, 2] == pytest.approx(1)


def test_the_back_of_the_face_is_not_drawn():
    assert (draw(posed((120, 130), 80, yaw=180))[:, :, 2] > 0).mean() < 0.01


def test_the_far_half_hides_behind_the_near_one():
    picture = draw(posed((120, 130), 80, yaw=60))
    shown = picture[:, :, 0][picture[:, :, 2] > 0]
    near, far = (shown > 0.5).sum(), (shown < 0.5).sum()
    near, far = max(near, far), min(near, far)
    assert far < near / 2


@pytest.mark.parametrize("finest_px", [130, 65])
def test_drawn_small_and_scaled_up_it_is_nearly_the_same(finest_px):
    points = posed((120, 130), 80, yaw=15)
    full, small = draw(points), draw(points, finest_px)
    assert max(small.shape) == finest_px
    scaled = cv2.resize(small, SIZE, interpolation=cv2.INTER_LINEAR)
    inside = cv2.erode((full[:, :, 2] > 0).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    off_texels = abs(full - scaled)[inside][:, :2] * 512
    assert np.median(off_texels) < 0.5


@given(st.floats(-1e5, 1e5), st.floats(-1e5, 1e5), st.floats(0, 1e5))
@settings(max_examples=30, deadline=None)
def test_any_place_and_size_gives_numbers(x, y, eyes_px):
    picture = draw(posed((x, y), eyes_px))
    assert picture.shape == (SIZE[1], SIZE[0], 3)
    assert np.isfinite(picture).all()


def test_each_drawing_begins_anew():
    rasteriser = MeshRasteriser()
    first = rasteriser.draw(posed((120, 130), 80), VALUES, SIZE, 200).copy()
    rasteriser.draw(posed((60, 60), 200, yaw=30), VALUES, (300, 200), 200)
    again = rasteriser.draw(posed((120, 130), 80), VALUES, SIZE, 200)
    np.testing.assert_array_equal(first, again)
