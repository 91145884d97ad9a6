from dataclasses import replace

import pytest

from realtime.choice import choose
from realtime.config import Config, SinkConfig, SourceConfig
from realtime.errors import ConfigError


def chosen(config: Config, camera: int | None = None, virtual: str | None = None):  # type: ignore[no-untyped-def]
    said: list[str] = []
    endpoint = choose(config, said.append, lambda: camera, lambda: virtual)
    return endpoint, said


def test_without_a_camera_it_is_the_still_and_that_is_said() -> None:
    endpoint, said = chosen(Config())
    assert type(endpoint.source).__name__ == "StillSource"
    assert not endpoint.live
    assert any("built-in animated still" in line for line in said)


def test_with_a_camera_it_is_the_first_that_opens() -> None:
    endpoint, said = chosen(Config(), camera=2)
    assert type(endpoint.source).__name__ == "CameraSource"
    assert endpoint.live
    assert any("camera:2" in line for line in said)


def test_the_page_is_always_there_and_the_virtual_camera_where_there_is_one() -> None:
    endpoint, said = chosen(Config())
    assert (endpoint.page, endpoint.sinks) == (True, ())
    assert any("no virtual camera" in line for line in said)
    endpoint, _ = chosen(Config(), virtual="/dev/video10")
    assert endpoint.page
    assert [sink.name for sink in endpoint.extras] == ["virtualcam"]


def test_named_outputs_are_all_there_is() -> None:
    config = replace(Config(), sink=SinkConfig(("null:",)), source=SourceConfig("testcard:"))
    endpoint, said = chosen(config, virtual="/dev/video10")
    assert not endpoint.page
    assert [sink.name for sink in endpoint.sinks] == ["null"]
    assert said == []


def test_an_unknown_output_is_refused() -> None:
    with pytest.raises(ConfigError, match="pigeon"):
        chosen(replace(Config(), sink=SinkConfig(("pigeon:",))))
