import asyncio
import threading
from typing import Any

import pytest

from realtime.config import Config
from realtime.control.changes import Changes
from realtime.control.live_settings import Need
from realtime.errors import ConfigError, ModelError
from realtime.telemetry.histogram import Histogram


class Made:
    """A replacement or an identification."""

    def __init__(self) -> None:
        self.closed = 0

    def close(self) -> None:
        self.closed += 1


class RecordingDresser:
    """Makes what it is asked for when the test lets it, and says for which configuration."""

    def __init__(self) -> None:
        self.go = threading.Semaphore(100)
        self.made: list[tuple[str, Config]] = []
        self.fail: dict[str, Exception] = {}
        self.things: dict[str, Made] = {}

    def _make(self, what: str, config: Config) -> Any:
        assert self.go.acquire(timeout=10)
        self.made.append((what, config))
        if what in self.fail:
            raise self.fail[what]
        self.things[what] = Made()
        return self.things[what]

    def worn(self, config: Config) -> Any:
        return self._make("worn", config)

    def replacement(self, config: Config) -> Any:
        return self._make("replacement", config)

    def identification(self, config: Config, spent: Histogram) -> Any:
        return self._make("identification", config)


class RecordingTarget:
    def __init__(self) -> None:
        self.told: list[tuple[str, tuple[Any, ...]]] = []

    def adjust(self, *given: Any) -> None:
        self.told.append(("adjust", given))

    def wear(self, *given: Any) -> None:
        self.told.append(("wear", given))

    def offer(self, *given: Any) -> None:
        self.told.append(("offer", given))

    @property
    def verbs(self) -> list[str]:
        return [verb for verb, _ in self.told]


class Rig:
    def __init__(self) -> None:
        self.dresser, self.target = RecordingDresser(), RecordingTarget()
        self.prepared: list[Config] = []
        self.running = True
        self.changes = Changes(
            Config(),
            lambda: self.target if self.running else None,
            lambda: self.dresser,  # type: ignore[arg-type, return-value]
            self.prepared.append,
            Histogram(),
        )


async def test_a_slider_is_told_and_nothing_is_made() -> None:
    rig = Rig()
    assert await rig.changes.apply({"neural.fidelity": 0.9}) is Need.SLIDERS
    ((verb, (told,)),) = rig.target.told
    assert (verb, told.chain.fidelity) == ("adjust", 0.9)
    assert rig.dresser.made == []
    assert rig.changes.config.neural.fidelity == 0.9


async def test_faces_are_read_and_given_out_anew() -> None:
    rig = Rig()
    assert await rig.changes.apply({"face.uris": ["persona:ink"]}) is Need.FACES
    assert rig.target.told == [("wear", (rig.dresser.things["worn"], rig.dresser.things["identification"]))]
    assert {config.face.uris for _, config in rig.dresser.made} == {("persona:ink",)}
    assert len(rig.prepared) == 1, "models for telling people apart may be missing"


async def test_networks_are_opened_aside_and_offered() -> None:
    rig = Rig()
    assert await rig.changes.apply({"pipeline.enhancer": "detail"}) is Need.PAINTER
    made = rig.dresser.things
    assert rig.target.told == [("offer", (made["replacement"], made["identification"]))]
    assert rig.prepared[0].pipeline.enhancer == "detail"


async def test_what_cannot_be_made_changes_nothing() -> None:
    rig = Rig()
    rig.dresser.fail["replacement"] = ModelError("the file is damaged", "fetch it again")
    with pytest.raises(ModelError, match="damaged"):
        await rig.changes.apply({"pipeline.enhancer": "gfpgan_1.4"})
    assert rig.target.told == []
    assert rig.changes.config == Config()
    assert await rig.changes.apply({"face.uris": ["persona:ink"]}) is Need.FACES


async def test_half_a_change_is_let_go_of() -> None:
    rig = Rig()
    rig.dresser.fail["identification"] = ModelError("no recogniser", "fetch one")
    with pytest.raises(ModelError):
        await rig.changes.apply({"pipeline.enhancer": "detail"})
    assert rig.dresser.things["replacement"].closed == 1


async def test_consent_that_is_missing_comes_before_anything_is_made() -> None:
    rig = Rig()

    def disagree(config: Config) -> None:
        raise ConfigError("nobody agreed", "ask them")

    with pytest.raises(ConfigError, match="nobody agreed"):
        await rig.changes.apply({"face.uris": ["anna.png"]}, disagree)
    assert (rig.dresser.made, rig.prepared) == ([], [])


async def test_changes_are_made_one_after_the_other_and_each_builds_on_the_last() -> None:
    rig = Rig()
    rig.dresser.go = threading.Semaphore(0)
    first = asyncio.create_task(rig.changes.apply({"face.uris": ["persona:ink"]}))
    second = asyncio.create_task(rig.changes.apply({"neural.fidelity": 0.1}))
    third = asyncio.create_task(rig.changes.apply({"face.uris": ["persona:relief"]}))
    for _ in range(5):
        await asyncio.sleep(0)
    assert rig.target.told == [], "the slider waits for its turn"
    rig.dresser.go.release(100)
    async with asyncio.timeout(10):
        await asyncio.gather(first, second, third)
    assert rig.target.verbs == ["wear", "adjust", "wear"]
    assert rig.changes.config.face.uris == ("persona:relief",)
    assert rig.changes.config.neural.fidelity == 0.1


async def test_nothing_to_change_is_nothing_to_do() -> None:
    rig = Rig()
    assert await rig.changes.apply({"neural.fidelity": 0.5}) is Need.NOTHING
    assert rig.target.told == []


async def test_a_program_that_is_starting_is_not_changed() -> None:
    rig = Rig()
    rig.running = False
    with pytest.raises(ConfigError, match="still starting"):
        await rig.changes.apply({"face.uris": ["persona:ink"]})
