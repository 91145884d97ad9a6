import json
from pathlib import Path

import msgspec
import pytest

from realtime.config import Config
from realtime.config_layers import Layers, load, origins, preset_names, resolve_secret, schema
from realtime.errors import ConfigError
from realtime.fault import FaultPolicy


def test_the_defaults_are_safe() -> None:
    config = load(Layers())
    assert config.pipeline.on_fault is FaultPolicy.HOLD
    assert config.pipeline.mark == "on"
    assert config.web.host == "127.0.0.1"
    assert config.pipeline.hold_ms == 500


def test_each_layer_overrules_those_before_it(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("[source]\nwidth = 800\nheight = 600\nfps = 25\n")
    layers = Layers(
        preset="small",
        file=file,
        environment={"REALTIME_SOURCE_HEIGHT": "500", "REALTIME_SOURCE_FPS": "20"},
        flags={"source.fps": 15},
    )
    source = load(layers).source
    assert (source.width, source.height, source.fps) == (800, 500, 15)
    assert load(layers).pipeline.max_faces == 1
    where = {key: origin for key, (_, origin) in origins(layers).items()}
    assert where["source.width"] == str(file)
    assert where["source.height"] == "$REALTIME_SOURCE_HEIGHT"
    assert where["source.fps"] == "flag"
    assert where["pipeline.max_faces"] == "preset small"
    assert where["web.port"] == "default"


def test_a_role_may_have_a_precision_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("[precision]\nswap = 'fp16'\n")
    config = load(Layers(file=file, flags={"pipeline.precision": "int8"}))
    assert (config.pipeline.precision, config.precision.swap, config.precision.mask) == ("int8", "fp16", "")
    assert load(Layers()).pipeline.precision == "auto"


@pytest.mark.parametrize(
    ("text", "says", "hint"),
    [
        ("[source]\nwidht = 3\n", "source.widht", "did you mean width?"),
        ("[sourse]\nwidth = 3\n", "[sourse]", "did you mean source?"),
        ("width = 3\n", "outside of any section", "[source]"),
        ("[source]\nwidth = 'x'\n", "source.width", "config schema"),
        ("[source\n", "not valid TOML", "mend"),
        ("[pipeline]\non_fault = 'show'\n", "pipeline.on_fault", "config schema"),
        ("[pipeline]\nprecision = 'fp8'\n", "pipeline.precision", "config schema"),
        ("[precision]\nswap = 'half'\n", "precision.swap", "config schema"),
    ],
)
def test_a_wrong_file_says_where_and_what_would_be_right(
    tmp_path: Path, text: str, says: str, hint: str
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as raised:
        load(Layers(file=file))
    assert says in raised.value.message
    assert hint in raised.value.hint
    assert str(file) in raised.value.message


def test_a_missing_file_and_a_missing_preset() -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        load(Layers(file=Path("nowhere.toml")))
    with pytest.raises(ConfigError, match="did you mean stream"):
        load(Layers(preset="strem"))


def test_a_wrong_variable_is_named_and_foreign_ones_are_left_alone() -> None:
    with pytest.raises(ConfigError, match="REALTIME_WEB_PROT"):
        load(Layers(environment={"REALTIME_WEB_PROT": "1"}))
    load(Layers(environment={"REALTIME_MODELS": "/x", "REALTIME_WEATHER": "rain", "PATH": ""}))


def test_lists_come_from_the_environment_by_commas() -> None:
    config = load(Layers(environment={"REALTIME_SINK_URIS": "null:, file:a.mp4"}))
    assert config.sink.uris == ("null:", "file:a.mp4")


def test_every_list_may_come_from_the_environment_with_commas() -> None:
    given = {"REALTIME_MASK_MASKS": "box, hull", "REALTIME_MASK_PADDING": "1,2,3,4"}
    mask = load(Layers(environment=given)).mask
    assert mask.masks == ("box", "hull")
    assert mask.padding == (1.0, 2.0, 3.0, 4.0)


def test_every_preset_loads() -> None:
    assert {"call", "small", "stream"} <= set(preset_names())
    for name in preset_names():
        load(Layers(preset=name))


def test_the_schema_accepts_the_defaults_and_names_every_key() -> None:
    text = json.dumps(schema())
    tree = msgspec.to_builtins(Config())
    for section in tree.values():
        for key in section:
            assert f'"{key}"' in text


def test_a_token_is_never_shown_and_may_come_from_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    assert origins(Layers(flags={"web.token": "hunter2"}))["web.token"][0] == "(set)"
    monkeypatch.setenv("PAGE_TOKEN", "hunter2")
    assert resolve_secret("${PAGE_TOKEN}") == "hunter2"
    assert resolve_secret("plain") == "plain"
    with pytest.raises(ConfigError, match="NO_SUCH"):
        resolve_secret("${NO_SUCH}")
