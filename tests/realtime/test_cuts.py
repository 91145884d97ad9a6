import numpy as np
import pytest

from realtime.cuts import is_cut, luma_histogram


def test_the_histogram_sums_to_one_whatever_the_size() -> None:
    for shape in ((7, 5, 3), (720, 1280, 3), (1, 1, 3)):
        picture = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
        assert luma_histogram(picture).sum() == pytest.approx(1, abs=1e-5)
        assert luma_histogram(picture).shape == (32,)


def test_another_picture_is_a_cut_and_a_change_of_exposure_is_none() -> None:
    picture = np.random.default_rng(3).integers(0, 150, (64, 64, 3)).astype(np.uint8)
    before = luma_histogram(picture)
    assert not is_cut(before, luma_histogram(picture + np.uint8(16)))
    assert is_cut(before, luma_histogram(picture + np.uint8(100)))
