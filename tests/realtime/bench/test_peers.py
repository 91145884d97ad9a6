import numpy as np
import pytest

from models.geometry import crop_matrix
from realtime.bench.peers import (
    PEERS,
    PUBLISHED_MS,
    full_frame_eroded,
    full_frame_float32,
    region_float64,
    region_uint8,
)
from tests.models.test_paste_back import disc, interpolated_apart, noise

MATRIX = crop_matrix((90.3, 70.6), 80, 0.3, 64)


@pytest.mark.parametrize(
    ("method", "most"), [(full_frame_float32, 1.01), (region_float64, 2.01), (region_uint8, 3)]
)
@pytest.mark.parametrize("centre", [(90.3, 70.6), (5, 130)])
def test_it_is_the_formula_that_it_is_said_to_be(method, most, centre):
    frame, crop = noise(1, 140, 180), noise(2, 64, 64)
    matrix = crop_matrix(centre, 80, 0.3, 64)
    expected = interpolated_apart(frame, crop, disc(64), matrix)
    method(frame, crop, disc(64), matrix)
    assert abs(frame - expected).max() <= most


def test_the_eroded_square_has_a_soft_edge_of_its_own():
    frame = np.zeros((240, 240, 3), np.uint8)
    full_frame_eroded(
        frame, np.full((64, 64, 3), 200, np.uint8), disc(64), crop_matrix((120, 120), 160, 0.0, 64)
    )
    row = frame[120, :, 0].astype(int)
    assert row[120] == 200
    assert row[42] < 30, "drawn in from the square's edge"
    assert (np.diff(row[30:120]) >= 0).all()
    assert np.diff(row[30:120]).max() < 40


@pytest.mark.parametrize("method", PEERS.values())
def test_a_square_outside_the_frame_changes_nothing(method):
    frame = noise(1, 60, 80)
    before = frame.copy()
    method(frame, noise(2, 64, 64), disc(64), crop_matrix((-900, 30), 40, 0.1, 64))
    assert abs(frame.astype(int) - before).max() <= 1


def test_every_published_figure_has_a_busy_and_a_quiet_machine():
    assert len(PUBLISHED_MS) == 5
    assert all(len(both) == 2 and min(both) > 0 for both in PUBLISHED_MS.values())
