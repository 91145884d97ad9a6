"""How the configuration's layers are laid over each other.

Each overrules those before it: defaults, a preset file, the user's file, the environment
(`REALTIME_SECTION_KEY`), flags. A wrong key names its path and the nearest right one.
"""

import difflib
import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, get_origin, get_type_hints

import msgspec

from realtime.config import Config
from realtime.errors import ConfigError

__all__ = ["Layers", "load", "origins", "overlaid", "preset_names", "resolve_secret", "schema"]

NEVER_SETTINGS = frozenset({"REALTIME_MODELS", "REALTIME_TEST_DATA"})
"""Variables with our prefix that are not configuration keys."""
_SECRET = frozenset({"web.token"})


@dataclass(frozen=True, slots=True)
class Layers:
    """The inputs of `load`, weakest first."""

    preset: str | None = None
    file: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    flags: Mapping[str, Any] = field(default_factory=dict)
    """Dotted key to value, such as {"web.port": 8081}."""


def load(layers: Layers) -> Config:
    """The configuration that the layers make. Raises ConfigError for an unknown key or a wrong value."""
    tree: dict[str, dict[str, Any]] = {}
    for key, value, origin in _settings(layers):
        _put(tree, key, value, origin)
    config: Config = msgspec.convert(tree, Config, strict=False)
    return config


def overlaid(config: Config, values: Mapping[str, Any]) -> Config:
    """`config` with other values, by dotted key. Raises ConfigError for an unknown key or a wrong value."""
    tree: dict[str, dict[str, Any]] = msgspec.to_builtins(config)
    for key, value in values.items():
        _put(tree, _known(key, "a command"), value, "a command")
    laid: Config = msgspec.convert(tree, Config, strict=False)
    return laid


def _put(tree: dict[str, dict[str, Any]], key: str, value: Any, origin: str) -> None:
    section, name = key.split(".", 1)
    try:
        msgspec.convert({section: {name: value}}, Config, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigError(
            f"{key} = {_shown(key, value)!r} (from {origin}) is not allowed: {_reason(error)}",
            f"see `realtime config schema` for what {key} may be",
        ) from error
    tree.setdefault(section, {})[name] = value


def origins(layers: Layers) -> dict[str, tuple[Any, str]]:
    """Each key's value in force and where it comes from; secrets are masked."""
    config = load(layers)
    found = {
        f"{section.name}.{key.name}": (getattr(getattr(config, section.name), key.name), "default")
        for section in fields(config)
        for key in fields(getattr(config, section.name))
    }
    for key, _, origin in _settings(layers):
        found[key] = (found[key][0], origin)
    return {key: (_shown(key, value), origin) for key, (value, origin) in found.items()}


def schema() -> dict[str, Any]:
    """The JSON Schema of a configuration file."""
    return msgspec.json.schema(Config)


def preset_names() -> tuple[str, ...]:
    """The presets that come with the program."""
    return tuple(sorted(path.stem for path in _presets().glob("*.toml")))


def _presets() -> Path:
    package = Path(__file__).parent
    bundled = package / "configs"
    return bundled if bundled.is_dir() else package.parent / "configs"


def _settings(layers: Layers) -> Iterator[tuple[str, Any, str]]:
    if layers.preset is not None:
        path = _presets() / f"{layers.preset}.toml"
        if not path.is_file():
            raise ConfigError(
                f"there is no preset {layers.preset!r}",
                f"the presets are {', '.join(preset_names())}{_nearest(layers.preset, preset_names())}",
            )
        yield from _from_file(path, f"preset {layers.preset}")
    if layers.file is not None:
        yield from _from_file(layers.file, str(layers.file))
    yield from _from_environment(layers.environment)
    for key, value in layers.flags.items():
        yield _known(key, "a flag"), value, "flag"


def _from_file(path: Path, origin: str) -> Iterator[tuple[str, Any, str]]:
    try:
        tree = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(f"the configuration file {path} does not exist", "check the path") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"the configuration file {path} cannot be read: {error}", "check the file"
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not valid TOML: {error}", "mend the line it names") from error
    for section, values in tree.items():
        if not isinstance(values, dict):
            raise ConfigError(
                f"{path} sets {section!r} outside of any section",
                f"put it under one of [{'], ['.join(_sections())}]",
            )
        for name, value in values.items():
            yield _known(f"{section}.{name}", str(path)), value, origin


def _from_environment(environment: Mapping[str, str]) -> Iterator[tuple[str, Any, str]]:
    sections = _sections()
    for variable in sorted(environment):
        prefix, _, rest = variable.partition("_")
        section, _, name = rest.lower().partition("_")
        if prefix != "REALTIME" or variable in NEVER_SETTINGS or section not in sections:
            continue
        key = _known(f"{section}.{name}", f"the environment variable {variable}")
        value: Any = environment[variable]
        if get_origin(get_type_hints(sections[section])[name]) is tuple:
            value = [part.strip() for part in value.split(",") if part.strip()]
        yield key, value, f"${variable}"


def _known(key: str, origin: str) -> str:
    section, _, name = key.partition(".")
    sections = _sections()
    if section not in sections:
        raise ConfigError(
            f"{origin} sets {key!r}, but there is no section [{section}]",
            f"the sections are {', '.join(sections)}{_nearest(section, tuple(sections))}",
        )
    names = tuple(part.name for part in fields(sections[section]))
    if name not in names:
        raise ConfigError(
            f"{origin} sets {key!r}, but [{section}] has no such key",
            f"[{section}] has {', '.join(names)}{_nearest(name, names)}",
        )
    return key


def _sections() -> dict[str, Any]:
    hints = get_type_hints(Config)
    return {name: hint for name, hint in hints.items() if is_dataclass(hint)}


def _nearest(word: str, known: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f"; did you mean {near[0]}?" if near else ""


def _reason(error: msgspec.ValidationError) -> str:
    return str(error).split(" - at ")[0][:1].lower() + str(error).split(" - at ")[0][1:]


def _shown(key: str, value: Any) -> Any:
    return "(set)" if key in _SECRET and value else value


def resolve_secret(value: str) -> str:
    """A secret as written, or the environment variable that `${NAME}` names. Raises ConfigError."""
    if not (value.startswith("${") and value.endswith("}")):
        return value
    name = value[2:-1]
    if name not in os.environ:
        raise ConfigError(f"the environment variable {name} is not set", f"set {name}, or write the value")
    return os.environ[name]
