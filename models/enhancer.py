"""Enhancers: what is done to a swapped face before it is pasted."""

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Protocol, cast

from models.errors import ModelError
from models.patch import Patch

__all__ = ["ENHANCERS", "Enhancer", "open_enhancer"]

NONE = "none"

ENHANCERS: Mapping[str, str] = MappingProxyType({"detail": "models.detail:DetailEnhancer"})
"""Name to "module:Class"; a module is imported when its enhancer is opened."""


class Enhancer(Protocol):
    """Makes the pixels of a patch better. Belongs to one thread."""

    def enhance(self, patch: Patch) -> None:
        """Change `patch.bgr` in place; `patch.alpha` stays."""
        ...

    def close(self) -> None:
        """Free what it holds. Idempotent, never raises."""
        ...


def open_enhancer(name: str) -> Enhancer | None:
    """The enhancer `name`; None for "none". Raises ModelError for an unknown name."""
    if name == NONE:
        return None
    if name not in ENHANCERS:
        raise ModelError(
            f"there is no enhancer {name!r}", f"the enhancers are {', '.join([NONE, *ENHANCERS])}"
        )
    module, kind = ENHANCERS[name].split(":")
    return cast(Enhancer, getattr(import_module(module), kind)())
