import pytest

from realtime.cli import parser
from realtime.commands.flags import configured
from realtime.config import Config, MaskConfig
from realtime.errors import ConfigError


def given(*flags: str) -> Config:
    return configured(parser().parse_args(["run", *flags]))


def test_a_mask_by_flag_is_laid_beside_those_that_are_there() -> None:
    assert given().mask.masks == MaskConfig().masks
    assert given("--mask", "xseg_3", "--mask", "hull").mask.masks == (*MaskConfig().masks, "xseg_3")


def test_flags_reach_the_settings_that_they_name() -> None:
    config = given(
        "--swapper", "inswapper_128", "--fidelity", "0.7", "--boost", "2", "--blend", "0.5", "--late", "never"
    )
    assert (config.pipeline.swapper, config.neural.fidelity, config.neural.boost) == ("inswapper_128", 0.7, 2)
    assert (config.neural.blend, config.pipeline.late) == (0.5, "never")
    assert given("--pipeline-depth", "2").pipeline.depth == 2
    assert given("--who", "one", "--others", "blur").face.others == "blur"


@pytest.mark.parametrize("size", ["wide", "1280", "1x1", "12800000x720"])
def test_a_size_that_is_none_is_told(size: str) -> None:
    with pytest.raises(ConfigError, match="is not a size"):
        given("--size", size)


def test_the_size_is_both_sides() -> None:
    source = given("--size", "640x360").source
    assert (source.width, source.height) == (640, 360)
