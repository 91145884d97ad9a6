"""The models this program knows: those of its catalogue, and those the user added."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import cache
from importlib import resources

from models.catalog_file import Family, parse_catalog, parse_families
from models.entries import (
    AddedSource,
    Contract,
    HttpsSource,
    InputContract,
    ManualSource,
    Model,
    PictureFeed,
    Tolerance,
    Wheel,
    WheelSource,
)
from models.errors import ModelError

__all__ = [
    "DEFAULT_CHAIN",
    "AddedSource",
    "Contract",
    "HttpsSource",
    "InputContract",
    "ManualSource",
    "Model",
    "PictureFeed",
    "Tolerance",
    "Wheel",
    "WheelSource",
    "load_catalog",
    "load_families",
    "lookup",
    "parse_catalog",
    "with_needs",
]

DEFAULT_CHAIN = ("blazeface_short_range", "facemesh_468")
"""The models that the program needs when nothing else is asked for: a detector and a landmarker."""


@cache
def load_catalog() -> Mapping[str, Model]:
    """The program's catalogue, by name."""
    return parse_catalog(*_texts())


@cache
def load_families() -> Mapping[str, Family]:
    """The families of the program's catalogue, by name."""
    return parse_families(*_texts())


def lookup(names: Iterable[str], catalog: Mapping[str, Model] | None = None) -> tuple[Model, ...]:
    """The models of these names, of `catalog` or else of the program's and the user's own.

    Raises ModelError, with the nearest right name, for an unknown one.
    """
    wanted = tuple(names)
    known = load_catalog() if catalog is None else catalog
    if catalog is None and not set(wanted) <= set(known):
        from models.added import (
            known_models,
        )  # it reads the user's folder, which the catalogue's own need not

        known = known_models()
    models = []
    for name in wanted:
        if name not in known:
            nearest = get_close_matches(name, known, n=1)
            raise ModelError(
                f"there is no model named {name!r} in the catalogue",
                f"did you mean {nearest[0]!r}?" if nearest else "see: realtime models list",
            )
        models.append(known[name])
    return tuple(models)


def with_needs(models: Iterable[Model], catalog: Mapping[str, Model] | None = None) -> tuple[Model, ...]:
    """These models, then those they cannot be used without, each once. Raises ModelError."""
    found = {model.name: model for model in models}
    waiting = list(found.values())
    while waiting:
        for needed in lookup(waiting.pop(0).needs, catalog):
            if needed.name not in found:
                found[needed.name] = needed
                waiting.append(needed)
    return tuple(found.values())


def _texts() -> list[str]:
    folder = resources.files("models").joinpath("catalogue")
    files = sorted((each for each in folder.iterdir() if each.name.endswith(".toml")), key=lambda f: f.name)
    return [each.read_text(encoding="utf-8") for each in files]
