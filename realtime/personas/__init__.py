"""The built-in faces: four personas drawn by code. They resemble nobody.

Each module of this package paints one, as a texture on the plane of `models.topology`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import MappingProxyType

from models.source_face import SourceFace
from models.uv_mask import face_alpha

__all__ = ["NAMES", "PERSONAS", "Persona", "draw"]


@dataclass(frozen=True, slots=True)
class Persona:
    """What a persona is, and where it is painted."""

    about: str
    """One line for people."""
    module: str
    """Has `paint() -> (T, T, 3) uint8 BGR`."""


PERSONAS: Mapping[str, Persona] = MappingProxyType(
    {
        "porcelain": Persona("pale glaze, painted brows and lips, cracks mended with gold", "porcelain"),
        "bronze": Persona("cast and polished metal with a green patina in its hollows", "bronze"),
        "ink": Persona("a comic's face: brush, pen and hatching on warm paper", "ink"),
        "collage": Persona("coloured papers, cut out and laid over one another", "collage"),
    }
)

NAMES: tuple[str, ...] = tuple(PERSONAS)
"""In the order of preference: the first is the default."""


@cache
def draw(name: str) -> SourceFace:
    """The persona `name` of NAMES, painted once per process; its arrays are not writeable.

    The wearer's own eyes and inner mouth show through, so that it lives. Raises KeyError for another name.
    """
    texture = import_module(f"{__name__}.{PERSONAS[name].module}").paint()
    texture.setflags(write=False)
    coverage = face_alpha(texture.shape[0], keep_eyes=True, keep_mouth=True)
    return SourceFace(name, texture, coverage, "persona")
