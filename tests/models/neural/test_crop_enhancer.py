import numpy as np
import pytest

from models.errors import SettingError, SwapError
from models.neural.align import Alignment
from models.neural.crop_enhancer import blend, check_pictures, share, shown_px


def pictures(count, seed=0):
    return np.random.default_rng(seed).integers(0, 255, (count, 8, 8, 3), dtype=np.uint8)


@pytest.mark.parametrize("strength", [0.0, 0.3, 1.0])
def test_the_blend_is_within_a_level_of_the_sum(strength):
    enhanced, crops, out = pictures(2), pictures(2, 1), np.empty((2, 8, 8, 3), np.uint8)
    blend(enhanced, crops, strength, out)
    wanted = strength * enhanced.astype(float) + (1 - strength) * crops
    assert np.abs(out - wanted).max() <= 0.51


def test_only_what_became_plain_is_named():
    enhanced, crops = pictures(4), pictures(4, 1)
    enhanced[1] = crops[1] = 7
    enhanced[3] = 200
    with pytest.raises(SwapError) as caught:
        check_pictures(enhanced, crops, "net")
    assert caught.value.faces == (3,)
    check_pictures(enhanced[:3], crops[:3], "net")


@pytest.mark.parametrize("value", [-0.01, 1.01, float("nan")])
def test_a_share_is_between_0_and_1(value):
    with pytest.raises(SettingError):
        share("strength", value)
    assert share("strength", 1) == 1.0


def test_a_crop_of_512_of_a_square_of_128_is_shown_with_128():
    assert shown_px(Alignment(np.array([[0.0, 4, 5], [-4, 0, 9]]), 512)) == pytest.approx(128)
