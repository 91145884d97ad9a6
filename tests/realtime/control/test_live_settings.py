import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.config import Config
from realtime.control.live_settings import LIVE, Need, changed
from realtime.errors import ConfigError


def test_a_slider_needs_no_more_than_a_word() -> None:
    change = changed(Config(), {"neural.fidelity": 0.8})
    assert change.need is Need.SLIDERS
    assert change.config.neural.fidelity == 0.8


def test_the_most_that_is_needed_decides() -> None:
    values = {"neural.fidelity": 0.8, "face.uris": ["persona:ink"], "pipeline.enhancer": "detail"}
    assert changed(Config(), values).need is Need.PAINTER
    del values["pipeline.enhancer"]
    assert changed(Config(), values).need is Need.FACES


def test_what_is_in_force_already_needs_nothing() -> None:
    same = {"face.uris": list(Config().face.uris), "neural.fidelity": 0.5}
    assert changed(Config(), same).need is Need.NOTHING
    assert changed(Config(), {}).need is Need.NOTHING


def test_all_other_settings_stay() -> None:
    config = Config()
    change = changed(config, {"face.uris": ["persona:ink"]})
    assert change.config.face.uris == ("persona:ink",)
    assert (change.config.web, change.config.pipeline) == (config.web, config.pipeline)
    assert config.face.uris == ("persona:porcelain",), "the old one is not touched"


@pytest.mark.parametrize("key", ["web.port", "pipeline.backend", "source.uri", "pipeline.mark", "nonsense"])
def test_what_is_for_the_start_is_refused(key: str) -> None:
    with pytest.raises(ConfigError, match="cannot be changed while"):
        changed(Config(), {key: "x"})


def test_a_key_written_wrong_is_answered_with_the_right_one() -> None:
    with pytest.raises(ConfigError) as caught:
        changed(Config(), {"neural.fidelty": 0.5})
    assert "neural.fidelity" in caught.value.hint


@pytest.mark.parametrize(
    ("key", "value"),
    [("neural.fidelity", 1.5), ("neural.fidelity", "much"), ("face.who", "nobody"), ("mask.padding", [1, 2])],
)
def test_a_wrong_value_is_refused_with_its_key(key: str, value: object) -> None:
    with pytest.raises(ConfigError, match=key):
        changed(Config(), {key: value})


def test_every_key_that_can_be_changed_is_one_of_the_configuration() -> None:
    config = Config()
    for key in LIVE:
        section, name = key.split(".", 1)
        assert hasattr(getattr(config, section), name), key


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_change_back_gives_the_configuration_that_was(first: float, second: float) -> None:
    start = changed(Config(), {"mask.edge": first}).config
    there = changed(start, {"mask.edge": second}).config
    assert changed(there, {"mask.edge": first}).config == start
