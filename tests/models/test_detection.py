import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.detection import Letterbox, cell_centres, covered, merged
from models.runtime.base import InputSpec, Normalisation


def spec(height, width):
    return InputSpec(height, width, "nhwc", Normalisation(0, 1))


@given(st.integers(64, 900), st.integers(64, 900), st.floats(0.2, 0.8), st.floats(0.2, 0.8))
def test_what_the_network_sees_comes_back_to_where_it_was(width, height, across, down):
    letterbox = Letterbox(spec(128, 128))
    x, y = across * width, down * height
    rows, columns = np.mgrid[:height, :width]
    spread = min(width, height) / 15
    blob = 255 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * spread**2))
    seen = letterbox.fill(np.repeat(blob[..., None], 3, axis=2).astype(np.uint8))[0, ..., 0].astype(float)
    net_rows, net_columns = np.mgrid[:128, :128] + 0.5
    centre = np.array([[(seen * net_columns).sum(), (seen * net_rows).sum()]]) / seen.sum()
    half_a_net_pixel = max(width, height) / 128 / 2
    back = letterbox.to_source(centre.astype(np.float32))[0]
    np.testing.assert_allclose(back, [x, y], atol=half_a_net_pixel + 0.1)


def test_the_bars_are_black_whatever_was_there_before():
    letterbox = Letterbox(spec(128, 128))
    letterbox.fill(np.full((100, 100, 3), 255, np.uint8))
    seen = letterbox.fill(np.full((72, 128, 3), 255, np.uint8))[0, ..., 0]
    assert seen[28:100].min() == 255
    assert seen[:28].max() == seen[100:].max() == 0


@pytest.mark.parametrize(
    ("size", "anchors", "count"),
    [(128, ((8, 2), (16, 6)), 896), (192, ((4, 1),), 2304), (320, ((32, 1),), 100)],
)
def test_the_grid_has_the_networks_count_of_cells(size, anchors, count):
    centres = cell_centres(spec(size, size), anchors)
    assert centres.shape == (count, 2)
    assert centres.min() > 0
    assert centres.max() < size
    stride, per_cell = anchors[0]
    assert centres[0].tolist() == [stride / 2, stride / 2]
    assert centres[per_cell].tolist() == [stride * 3 / 2, stride / 2]


boxes = st.tuples(*[st.floats(0, 100)] * 2, *[st.floats(1, 100)] * 2).map(
    lambda box: (box[0], box[1], box[0] + box[2], box[1] + box[3])
)


@given(boxes, boxes)
def test_covering_is_mutual_and_whole_with_itself(box, other):
    assert covered(box, other) == covered(other, box)
    assert 0 <= covered(box, other) <= 1 + 1e-9
    assert covered(box, box) == pytest.approx(1)


@given(st.lists(st.tuples(boxes, st.floats(0.5, 1)), min_size=1, max_size=12))
def test_merging_leaves_the_surest_of_each_cluster_in_order(found):
    letterbox = Letterbox(spec(128, 128))
    letterbox.fill(np.zeros((128, 128, 3), np.uint8))
    array = np.array([box for box, _ in found], np.float32)
    scores = np.array([score for _, score in found], np.float32)
    detections = merged(letterbox, array, np.zeros((len(found), 4, 2), np.float32), scores)
    kept = [detection.score for detection in detections]
    assert kept == sorted(kept, reverse=True)
    assert kept[0] == scores.max()
    assert 1 <= len(detections) <= len(found)


def test_boxes_of_one_face_become_their_mean_by_score():
    letterbox = Letterbox(spec(128, 128))
    letterbox.fill(np.zeros((128, 128, 3), np.uint8))
    array = np.array([[10, 10, 50, 50], [14, 10, 54, 50], [90, 90, 120, 120]], np.float32)
    points = np.repeat(array[:, :2][:, None], 4, axis=1)
    first, second = merged(letterbox, array, points, np.array([0.9, 0.6, 0.7], np.float32))
    # Pixel coordinates count from the middle of the first pixel, half a pixel inside its edge.
    np.testing.assert_allclose(first.box, np.array([11.6, 10, 51.6, 50]) - 0.5, atol=1e-4)
    np.testing.assert_allclose(first.points, [[11.1, 9.5]] * 4, atol=1e-4)
    np.testing.assert_allclose(second.box, np.array([90, 90, 120, 120]) - 0.5, atol=1e-4)
