"""The parts of a head that a parsing network tells, as far as they make a face."""

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["REGIONS"]

REGIONS: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {
        "skin": (1,),
        "brows": (2, 3),
        "eyes": (4, 5),
        "glasses": (6,),
        "nose": (10,),
        "mouth": (11, 12, 13),
    }
)
"""The parts that make a face, and their classes; the other thirteen (ears, hair, hat, neck, clothes, ground)
stay the wearer's. A beard is skin to the network."""
