"""From the text of a catalogue to its models; how such a text is written is said in `models/catalogue/`."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING
from types import MappingProxyType
from typing import Any, TypeVar

from models.entries import (
    Contract,
    HttpsSource,
    InputContract,
    Limits,
    ManualSource,
    Model,
    PictureFeed,
    Tolerance,
    Wheel,
    WheelSource,
)
from models.errors import ModelError

__all__ = ["Family", "family_member", "parse_catalog", "parse_families"]

_SHA256 = re.compile(r"[0-9a-f]{64}")
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_FEED_KEYS = ("layout", "height", "width", "mean", "scale", "order")
_CONTRACT_KEYS = (
    *_FEED_KEYS,
    *("template", "name", "inputs", "outputs", "returns", "output_count", "output_range", "embedding"),
    *("sharpen", "mask_edge"),
)
_LIST_FIELDS = ("forbid", "keep_fp32", "needs")

Family = Mapping[str, Any]
"""The values that the models of a family share, as the catalogue's text has them."""

_Entry = TypeVar("_Entry", Wheel, WheelSource, Model, Tolerance, Limits)


def parse_catalog(*texts: str) -> Mapping[str, Model]:
    """Read a catalogue of one or more texts. Raises ModelError that names the entry and what is wrong."""
    tables = _tables(texts)
    wheels = {name: _read(f"wheel.{name}", Wheel, table) for name, table in tables["wheel"].items()}
    models = {
        name: _model(name, _inherited(table, tables["family"]), wheels, tables["base"])
        for name, table in tables["model"].items()
    }
    files = [model.file for model in models.values()]
    for model in models.values():
        if files.count(model.file) > 1:
            raise _wrong(f"model.{model.name}", f"another model has the file name {model.file}, too")
        for needed in model.needs:
            if needed not in models:
                raise _wrong(f"model.{model.name}.needs", f"there is no model named {needed!r}")
    return MappingProxyType(models)


def parse_families(*texts: str) -> Mapping[str, Family]:
    """The families of a catalogue, by name. Raises ModelError."""
    return MappingProxyType(_tables(texts)["family"])


def family_member(name: str, family: str, families: Mapping[str, Family], values: Mapping[str, Any]) -> Model:
    """A model that is not in the catalogue: `values` and what its family shares.

    `values` has the fields of Model that the family does not give, the source as an object.
    Raises ModelError.
    """
    table = _inherited({"family": family} | dict(values), families)
    return _model(name, table, {}, {})


def _tables(texts: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    merged: dict[str, dict[str, Any]] = {"wheel": {}, "base": {}, "family": {}, "model": {}}
    for text in texts:
        try:
            tables = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise ModelError(
                f"the model catalogue is not valid TOML: {error}", "install the program again"
            ) from error
        for kind, entries in tables.items():
            if kind not in merged:
                raise _wrong(kind, f"{kind!r} is none of {', '.join(merged)}")
            for name, entry in entries.items():
                if name in merged[kind]:
                    raise _wrong(f"{kind}.{name}", "it is there twice")
                merged[kind][name] = entry
    return merged


def _inherited(table: Mapping[str, Any], families: Mapping[str, Family]) -> dict[str, Any]:
    shared = families.get(table.get("family", ""), {})
    values = {key: value for key, value in shared.items() if key != "about"} | dict(table)
    for nested in ("contract", "tolerance"):
        values[nested] = dict(shared.get(nested, {})) | dict(table.get(nested, {}))
    return values


def _model(name: str, values: dict[str, Any], wheels: Mapping[str, Wheel], bases: Mapping[str, Any]) -> Model:
    where = f"model.{name}"
    source = values.get("source", {})
    if isinstance(source, Mapping):
        if "file" not in values and isinstance(source.get("path"), str):
            values["file"] = source["path"].rpartition("/")[2]
        values["source"] = _source(f"{where}.source", source, wheels, bases)
    values["contract"] = _contract(f"{where}.contract", values["contract"])
    values["tolerance"] = _tolerance(f"{where}.tolerance", values["tolerance"])
    values["anchors"] = tuple((int(stride), int(count)) for stride, count in values.get("anchors", ()))
    values["needs"] = tuple(values.get("needs", ()))
    model = _read(where, Model, values | {"name": name})
    if model.sha256 and not _SHA256.fullmatch(model.sha256):
        raise _wrong(where, "sha256 is not 64 lower-case hexadecimal digits")
    if not _FILE.fullmatch(model.file):
        raise _wrong(where, f"{model.file!r} is not a plain file name")
    if model.size_bytes < 0 or (model.size_bytes == 0 and "size_bytes" in values):
        raise _wrong(where, "size_bytes is not a positive number")
    return model


def _source(
    where: str, table: Mapping[str, Any], wheels: Mapping[str, Wheel], bases: Mapping[str, Any]
) -> WheelSource | HttpsSource | ManualSource:
    kind = table.get("kind")
    if kind == "wheel":
        wheel = wheels.get(table.get("wheel", ""))
        if wheel is None:
            raise _wrong(where, f"there is no wheel named {table.get('wheel')!r}")
        return _read(where, WheelSource, {"wheel": wheel, "member": table.get("member")})
    if kind == "https":
        urls = tuple(table.get("urls", ()))
        if "base" in table:
            if table["base"] not in bases:
                raise _wrong(where, f"there is no base named {table['base']!r}")
            urls = _of_base(where, bases[table["base"]], table.get("path", "")) + urls
        if not urls:
            raise _wrong(where, "it has no urls")
        return HttpsSource(urls)
    if kind == "manual":
        if not table.get("how"):
            raise _wrong(where, "how is missing")
        return ManualSource(table["how"])
    raise _wrong(where, f"kind is {kind!r}, not 'wheel', 'https' or 'manual'")


def _of_base(where: str, base: Mapping[str, Any], path: str) -> tuple[str, ...]:
    folder, _, file = path.rpartition("/")
    if not file:
        raise _wrong(where, "path is missing")
    return tuple(url.format(path=path, folder=folder, file=file) for url in base.get("urls", ()))


def _contract(where: str, table: Mapping[str, Any]) -> Contract:
    for key in table:
        if key not in _CONTRACT_KEYS:
            raise _wrong(where, f"{key!r} is none of {', '.join(_CONTRACT_KEYS)}")
    inputs = [_input(f"{where}.inputs", each) for each in table.get("inputs", ())]
    if not inputs or any(key in table for key in _FEED_KEYS):
        picture = {key: table[key] for key in (*_FEED_KEYS, "template", "name") if key in table}
        inputs.insert(0, _picture(where, picture | {"role": "picture"}))
    limits = table.get("output_range")
    if limits is not None and (len(limits) != 2 or limits[0] >= limits[1]):
        raise _wrong(where, "output_range is not [black, white]")
    returns = {name: tuple(map(int, shape)) for name, shape in table.get("returns", {}).items()}
    return Contract(
        inputs=tuple(inputs),
        outputs=MappingProxyType(dict(table.get("outputs", {}))),
        returns=MappingProxyType(returns),
        output_count=int(table.get("output_count", 0)),
        output_range=None if limits is None else (float(limits[0]), float(limits[1])),
        embedding=str(table.get("embedding", "")),
        sharpen=_pair(where, "sharpen", table),
        mask_edge=None if (edge := _pair(where, "mask_edge", table)) is None else (int(edge[0]), edge[1]),
    )


def _pair(where: str, key: str, table: Mapping[str, Any]) -> tuple[float, float] | None:
    values = table.get(key)
    if values is None:
        return None
    if len(values) != 2 or values[0] < 0 or values[1] <= 0:
        raise _wrong(where, f"{key} is not two positive numbers")
    return float(values[0]), float(values[1])


def _input(where: str, table: Mapping[str, Any]) -> InputContract:
    if "layout" in table:
        return _picture(where, table)
    if "role" not in table or "shape" not in table:
        raise _wrong(where, "role or shape is missing")
    return InputContract(
        role=table["role"],
        shape=tuple(map(int, table["shape"])),
        dtype=table.get("dtype", "float32"),
        name=table.get("name", ""),
        optional=bool(table.get("optional", False)),
    )


def _picture(where: str, table: Mapping[str, Any]) -> InputContract:
    if table.get("layout") not in ("nhwc", "nchw") or table.get("order") not in ("rgb", "bgr"):
        raise _wrong(where, "layout is 'nhwc' or 'nchw' and order is 'rgb' or 'bgr'")
    try:
        height, width = int(table["height"]), int(table["width"])
        feed = PictureFeed(
            table["layout"], table["order"], _per_channel(table["mean"]), _per_channel(table["scale"])
        )
    except KeyError as error:
        raise _wrong(where, f"{error.args[0]} is missing") from error
    return InputContract(
        role=table["role"],
        shape=(1, height, width, 3) if feed.layout == "nhwc" else (1, 3, height, width),
        name=table.get("name", ""),
        feed=feed,
        template=table.get("template", ""),
    )


def _per_channel(value: Any) -> tuple[float, float, float]:
    first, second, third = value if isinstance(value, list) else (value, value, value)
    return float(first), float(second), float(third)


def _tolerance(where: str, table: Mapping[str, Any]) -> Tolerance:
    values: dict[str, Any] = {
        key: tuple(value) if key in _LIST_FIELDS else float(value)
        for key, value in table.items()
        if key != "outputs"
    }
    outputs = {
        meaning: _limits(f"{where}.outputs.{meaning}", own)
        for meaning, own in table.get("outputs", {}).items()
    }
    return _read(where, Tolerance, values | {"outputs": MappingProxyType(outputs)})


def _limits(where: str, table: Mapping[str, Any]) -> Limits:
    values = {key: bool(value) if key == "sigmoid" else float(value) for key, value in table.items()}
    if not set(values) - {"sigmoid"}:
        raise _wrong(where, "it sets no limit")
    return _read(where, Limits, values)


def _read(where: str, kind: type[_Entry], values: Mapping[str, Any]) -> _Entry:
    """An instance of the dataclass `kind`, every field present and of its type, and none unknown."""
    fields = kind.__dataclass_fields__
    for key in values:
        if key not in fields:
            raise _wrong(where, f"{key!r} is none of {', '.join(fields)}")
    for key, described in fields.items():
        if key not in values:
            if described.default is MISSING:
                raise _wrong(where, f"{key} is missing")
        elif described.type in (str, int) and not isinstance(values[key], described.type):
            raise _wrong(where, f"{key} is not of the type {described.type.__name__}")
    return kind(**values)


def _wrong(where: str, what: str) -> ModelError:
    return ModelError(f"the model catalogue is wrong at {where}: {what}", "correct models/catalogue")
