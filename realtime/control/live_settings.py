"""What may be changed while the program runs, and what has to be made anew for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import IntEnum
from types import MappingProxyType
from typing import Any

from realtime.config import Config
from realtime.config_layers import overlaid
from realtime.errors import ConfigError

__all__ = ["LIVE", "Change", "Need", "changed"]


class Need(IntEnum):
    """What has to be made anew, the least first: each includes those before it."""

    NOTHING = 0
    SLIDERS = 1
    """The painter is told, between two frames."""
    FACES = 2
    """Pictures are read, and faces given out anew."""
    PAINTER = 3
    """Networks are opened, aside, and take over when they have something to show."""


_ALL: Mapping[str, Need] = {
    "face.uris": Need.FACES,
    "face.who": Need.FACES,
    "face.others": Need.FACES,
    "face.references": Need.FACES,
    "face.recogniser": Need.FACES,
    "face.likeness": Need.FACES,
    "pipeline.swapper": Need.PAINTER,
    "pipeline.enhancer": Need.PAINTER,
    "pipeline.occlusion": Need.PAINTER,
    "pipeline.late": Need.SLIDERS,
    "neural.fidelity": Need.SLIDERS,
    "neural.morph": Need.SLIDERS,
    "neural.colour": Need.SLIDERS,
    "neural.blend": Need.SLIDERS,
    "neural.weight": Need.SLIDERS,
    "neural.enhance_every": Need.SLIDERS,
    "neural.boost": Need.PAINTER,
    "mask.edge": Need.SLIDERS,
    "mask.blur": Need.SLIDERS,
    "mask.padding": Need.SLIDERS,
    "mask.forehead": Need.SLIDERS,
    "mask.keep_mouth": Need.SLIDERS,
    "mask.masks": Need.PAINTER,
    "mask.regions": Need.PAINTER,
    "mask.every": Need.PAINTER,
}
LIVE: Mapping[str, Need] = MappingProxyType(_ALL)
"""Key of the configuration -> what its change needs. All others are for the start."""


@dataclass(frozen=True, slots=True)
class Change:
    """A configuration that is to come into force."""

    config: Config
    need: Need


def changed(config: Config, values: Mapping[str, Any]) -> Change:
    """`config` with other values, and what they need; a value that is the old one needs nothing.

    Raises ConfigError for a key that is unknown or only for the start, and for a wrong value.
    """
    for key in values:
        if key not in LIVE:
            near = get_close_matches(key, LIVE, n=1)
            raise ConfigError(
                f"{key!r} cannot be changed while the program runs",
                f"did you mean {near[0]!r}?" if near else f"these can: {', '.join(LIVE)}",
            )
    new = overlaid(config, values)
    need = max((LIVE[key] for key in values if _value(new, key) != _value(config, key)), default=Need.NOTHING)
    return Change(new, need)


def _value(config: Config, key: str) -> Any:
    section, name = key.split(".", 1)
    return getattr(getattr(config, section), name)
