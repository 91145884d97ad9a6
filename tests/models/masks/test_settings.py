import pytest

from models.errors import SettingError
from models.masks.settings import BOX, BUILT_IN, HULL, OWN, MaskSettings


def test_the_default_needs_no_file():
    assert MaskSettings().networks == ()
    assert set(MaskSettings().masks) == {BOX, HULL, OWN, BUILT_IN}


def test_the_rest_are_networks_of_the_catalogue():
    chosen = MaskSettings(masks=(BOX, "xseg_1", HULL, "bisenet_resnet_34"))
    assert chosen.networks == ("xseg_1", "bisenet_resnet_34")


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"edge": -0.1}, "-0.1"),
        ({"edge": 1.5}, "1.5"),
        ({"edge": float("nan")}, "nan"),
        ({"blur": 2.0}, "2"),
        ({"forehead": 1.1}, "1.1"),
        ({"padding": (0, 0, 0, 101)}, "left"),
        ({"padding": (60, 0, 40, 0)}, "nothing"),
        ({"padding": (0, 50, 0, 50)}, "nothing"),
        ({"padding": (35, 35, 35, 35)}, "nothing"),
        ({"every": 0}, "0"),
        ({"regions": ()}, "no part"),
        ({"regions": ("skin", "nosee")}, "nosee"),
        ({"masks": (HULL,)}, "box"),
        ({"masks": (BOX, BOX)}, "twice"),
    ],
)
def test_what_is_outside_its_range_is_an_error_that_names_it(wrong, told):
    with pytest.raises(SettingError) as caught:
        MaskSettings(**wrong)
    assert told in caught.value.message
    assert caught.value.hint


def test_a_misspelt_region_gets_the_nearest():
    with pytest.raises(SettingError) as caught:
        MaskSettings(regions=("glases",))
    assert "glasses" in caught.value.hint
