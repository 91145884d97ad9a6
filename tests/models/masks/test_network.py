import numpy as np
import pytest

from models.errors import SwapError
from models.masks.network import check_finite, settle
from models.scratch import Scratch


def settled(scene, seen):
    view = scene().view()
    factor = seen.shape[0] / view.size
    settle(seen, view, np.array([[factor, 0, 0], [0, factor, 0]]), Scratch())
    return seen


def test_a_spot_in_the_middle_of_the_face_is_no_occluder(scene):
    seen = np.full((128, 128), 255, np.uint8)
    seen[55:75, 55:75] = 0
    assert (settled(scene, seen)[30:95, 40:90] == 255).all()


def test_what_reaches_in_from_outside_is_one(scene):
    seen = np.full((128, 128), 255, np.uint8)
    seen[:, :60] = 0
    seen = settled(scene, seen)
    assert (seen[20:110, :50] == 0).all()
    assert (seen[20:110, 70:] == 255).all()
    assert 0 < seen[60, 60] < 255


@pytest.mark.parametrize("spoiled", [np.nan, np.inf, -np.inf])
def test_no_numbers_are_no_answer(spoiled):
    values = np.zeros((1, 64, 64, 1), np.float32)
    values[0, 3, 5] = spoiled
    with pytest.raises(SwapError) as caught:
        check_finite(values, "xseg_9")
    assert "xseg_9" in caught.value.message


def test_numbers_are_an_answer():
    check_finite(np.ones((4, 4), np.float32), "xseg_9")
