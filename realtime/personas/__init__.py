"""The built-in faces: four personas drawn by code, which resemble nobody, and two ways to hide a face.

Each drawn one has a module of this package that paints it, as a texture on the plane of `models.topology`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import MappingProxyType

from models.hidden import HiddenFace, WornFace
from models.likeness import shape_of, wide_awake
from models.source_face import SourceFace
from models.topology import CANONICAL
from models.uv_mask import face_alpha

__all__ = ["DRAWN", "NAMES", "PERSONAS", "Persona", "draw"]


@dataclass(frozen=True, slots=True)
class Persona:
    """What a persona is, and how it comes about."""

    about: str
    """One line for people."""
    made: str | HiddenFace
    """A module that has `paint() -> (T, T, 3) uint8 BGR`, or the face that hides the wearer's."""


PERSONAS: Mapping[str, Persona] = MappingProxyType(
    {
        "porcelain": Persona("pale glaze, painted brows and lips, cracks mended with gold", "porcelain"),
        "bronze": Persona("cast and polished metal, a little green where rain has stood", "bronze"),
        "ink": Persona("a comic's face: brush, pen and hatching on warm paper", "ink"),
        "collage": Persona("coloured papers, cut out and laid over one another", "collage"),
        "blur": Persona("no other face: yours, blurred past knowing", HiddenFace("blur", "blur")),
        "pixel": Persona("no other face: yours, in a few large blocks", HiddenFace("pixel", "pixel")),
    }
)

NAMES: tuple[str, ...] = tuple(PERSONAS)
"""In the order of preference: the first is the default."""

DRAWN: tuple[str, ...] = tuple(name for name in NAMES if isinstance(PERSONAS[name].made, str))
"""Those with a texture."""


_SHAPE = wide_awake(shape_of(CANONICAL))


@cache
def draw(name: str) -> WornFace:
    """The persona `name` of NAMES, painted once per process; its arrays are not writeable.

    The wearer's own eyes and inner mouth show through one that is DRAWN, so that it lives.
    Raises KeyError for another name.
    """
    made = PERSONAS[name].made
    if isinstance(made, HiddenFace):
        return made
    texture = import_module(f"{__name__}.{made}").paint()
    texture.setflags(write=False)
    coverage = face_alpha(texture.shape[0], keep_eyes=True, keep_mouth=True)
    return SourceFace(name, texture, coverage, "persona", _SHAPE)
