"""From the configuration to what a painter is told between frames."""

from dataclasses import replace

from models.masks.settings import BOX, BUILT_IN, HULL, OWN, MaskSettings
from models.neural.settings import ChainSettings
from realtime.config import Config
from realtime.swap.base import Sliders

__all__ = ["masks_of", "sliders"]


def sliders(config: Config) -> Sliders:
    """What a painter is told. Raises SettingError for what is outside its range."""
    neural = config.neural
    chain = ChainSettings(
        neural.fidelity, neural.morph, neural.colour, neural.blend, neural.weight, neural.enhance_every
    )
    masks = masks_of(config)
    # Those that are quick go by the newest landmarks; the others come with the face.
    quick = tuple(name for name in masks.masks if name in (BOX, HULL, BUILT_IN))
    return Sliders(config.pipeline.late, chain, replace(masks, masks=(*quick, OWN)))


def masks_of(config: Config) -> MaskSettings:
    """All masks that the configuration asks for. Raises SettingError."""
    chosen = config.mask
    kept = tuple(name for name in chosen.masks if name != BUILT_IN or config.pipeline.occlusion == "on")
    return MaskSettings(
        kept,
        chosen.edge,
        chosen.blur,
        chosen.padding,
        chosen.forehead,
        chosen.regions,
        chosen.keep_mouth == "on",
        chosen.every,
    )
