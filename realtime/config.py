"""The configuration: its schema, and how its layers are laid over each other.

Layers, each overruling those before it: defaults, a preset file, the user's file, the environment
(`REALTIME_SECTION_KEY`), flags. A wrong key names its path and the nearest right one.
"""

import difflib
import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_origin, get_type_hints

import msgspec

from models.masks.regions import REGIONS
from realtime.errors import ConfigError
from realtime.fault import FaultPolicy
from realtime.swap.patience import Late

__all__ = ["Config", "Layers", "load", "origins", "overlaid", "preset_names", "schema"]

NEVER_SETTINGS = frozenset({"REALTIME_MODELS", "REALTIME_TEST_DATA"})
"""Variables with our prefix that are not configuration keys."""
_SECRET = frozenset({"web.token"})

Pixels = Annotated[int, msgspec.Meta(ge=64, le=7680)]
Rate = Annotated[float, msgspec.Meta(gt=0, le=240)]
Millis = Annotated[float, msgspec.Meta(gt=0, le=60_000)]
Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]
Percent = Annotated[float, msgspec.Meta(ge=0, le=100)]
Unit = Annotated[float, msgspec.Meta(ge=0, le=1)]
Precision = Literal["auto", "fp32", "fp16", "int8"]
RolePrecision = Literal["", "auto", "fp32", "fp16", "int8"]


@dataclass(frozen=True, slots=True)
class SourceConfig:
    """Where frames come from."""

    uri: str = ""
    """Empty: the first camera that opens, else the built-in still."""
    width: Pixels = 1280
    height: Pixels = 720
    fps: Rate = 30.0
    loop: bool = False
    """Begin a file anew at its end."""


@dataclass(frozen=True, slots=True)
class FaceConfig:
    """Whose face is put on, who wears it, and what becomes of the others."""

    uris: tuple[str, ...] = ("persona:porcelain",)
    """Several are given to several people, as `who` says."""
    who: Literal["many", "one", "left-to-right", "reference"] = "many"
    """Who gets them. "many": everybody, in turn, in the order in which they appear; "one": the largest face,
    as long as it is there; "left-to-right": the first face for the leftmost person, who then keeps it;
    "reference": the n-th face for whoever looks like the n-th of `references`."""
    others: Annotated[
        str, msgspec.Meta(description="cover, blur, pixel, persona:NAME, or alone: shown bare")
    ] = ""
    """What becomes of people who get none of the faces. Empty or "cover": they are covered; "blur", "pixel"
    or "persona:NAME"; "alone": they are shown as they are, bare, because you say so. Not for "many"."""
    references: tuple[str, ...] = ()
    """For "reference": a picture, a folder of pictures or an added face for each of `uris`, in that order."""
    recogniser: str = ""
    """The model that tells people apart. Empty: the best that is here (`realtime models list`)."""
    likeness: Unit = 0.0
    """Cosine from which somebody is taken for a reference. 0: the recogniser's own, about 0.4."""


@dataclass(frozen=True, slots=True)
class PipelineConfig:
    """How a frame is processed."""

    swapper: str = "mesh"
    """"mesh", which needs no model of its own, or a swapper by `realtime models list`."""
    occlusion: Literal["on", "off"] = "on"
    """Keep hands, hair and cups before the face in front of the swapped one."""
    enhancer: str = "none"
    """What is done to a swapped face before it is pasted: "none", "detail" (for the mesh), or an enhancer by
    `realtime models list`."""
    detector: str = "blazeface_short_range"
    backend: str = "openvino"
    """A backend, "auto" for the best that works, or with a device: "openvino/GPU", "onnx/CUDA:1"."""
    device: str = ""
    """Empty: the backend's first."""
    precision: Precision = "auto"
    """Of swapper, enhancer and masks. "fp32", "fp16" or "int8": the build that `realtime models build` made,
    or an error; "auto": a build where there is one and its backend is faster with it."""
    depth: Annotated[int, msgspec.Meta(ge=1, le=2)] = 1
    """Frames in flight. With 2, a frame is tracked while the one before is painted: a higher rate where the
    machine has the cores, never a lower age."""
    late: Late = Late.AUTO
    """Whether a face made of an earlier frame may be put where the face is now: "auto" when the networks are
    slower than the camera, "always", or "never": then each frame waits for its own faces."""
    max_faces: Annotated[int, msgspec.Meta(ge=1, le=16)] = 8
    on_fault: FaultPolicy = FaultPolicy.HOLD
    hold_ms: Millis = 500.0
    mark: Literal["on", "off"] = "on"


@dataclass(frozen=True, slots=True)
class NeuralConfig:
    """How neural swappers and enhancers paint. All but `boost` can be changed while they do."""

    fidelity: Unit = 0.5
    """0 towards the wearer's face, 0.5 the other face as it is, 1 beyond it, away from the wearer's."""
    morph: Unit = 1.0
    """For a .dfm file that takes it: 0 the wearer's face, 1 the other."""
    colour: Unit = 1.0
    """How far the skin's tone is brought to the wearer's."""
    boost: Annotated[int, msgspec.Meta(ge=1, le=8)] = 1
    """So many times the network's own picture, each way; it takes as many runs as its square."""
    blend: Unit = 0.8
    """How much of the enhancer's work shows."""
    weight: Unit = 0.5
    """For an enhancer that takes one: 0 most detail, 1 most likeness."""
    enhance_every: Annotated[int, msgspec.Meta(ge=1, le=60)] = 1
    """The enhancer runs in every so many frames; what it added stays on the face in between."""


@dataclass(frozen=True, slots=True)
class MaskConfig:
    """Where a neural face counts: the least of all masks. All but `masks`, `regions` and `every` can be
    changed while it does."""

    masks: tuple[str, ...] = ("box", "hull", "own", "built-in")
    """"box", which cannot be left out, "hull" (the face's outline), "own" (what the swapper says), "built-in"
    (what stands before the face, by the program's own network), and masks by `realtime models list`."""
    edge: Unit = 0.12
    """Width of the soft edges in eye distances."""
    blur: Unit = 0.2
    """Of the box."""
    padding: tuple[Percent, Percent, Percent, Percent] = (0.0, 0.0, 0.0, 0.0)
    """Of the box: top, right, bottom, left, in percent of it."""
    forehead: Unit = 0.2
    """How far the hull goes up beyond the mesh, in eye distances."""
    regions: tuple[str, ...] = tuple(REGIONS)
    """What a bisenet lets be replaced."""
    keep_mouth: Literal["on", "off"] = "off"
    """Between open lips the wearer's own teeth and tongue show."""
    every: Annotated[int, msgspec.Meta(ge=1, le=60)] = 1
    """A mask of the catalogue is drawn anew in every so many frames, and moves along in between."""


@dataclass(frozen=True, slots=True)
class BackendConfig:
    """Backends of single roles, in the place of `pipeline.backend`: written as that is. Empty: as that is."""

    detect: str = ""
    landmarks: str = ""
    identify: str = ""
    mask: str = ""
    swap: str = ""
    enhance: str = ""


@dataclass(frozen=True, slots=True)
class PrecisionConfig:
    """Precisions of single roles, in the place of `pipeline.precision`. Empty: as that is; for detect,
    landmarks and identify, "auto"."""

    detect: RolePrecision = ""
    landmarks: RolePrecision = ""
    identify: RolePrecision = ""
    mask: RolePrecision = ""
    swap: RolePrecision = ""
    enhance: RolePrecision = ""


@dataclass(frozen=True, slots=True)
class TrackingConfig:
    """When faces are looked for anew, and how landmarks are smoothed."""

    beat_hz: Rate = 4.0
    stable_beat_hz: Rate = 1.75
    min_cutoff_hz: Rate = 0.5
    beta: Annotated[float, msgspec.Meta(ge=0, le=1000)] = 30.0
    min_detection: Unit = 0.5
    min_presence: Unit = 0.5


@dataclass(frozen=True, slots=True)
class LatencyConfig:
    """How old a picture may be before the program calls itself degraded."""

    budget_ms: Millis = 100.0


@dataclass(frozen=True, slots=True)
class SinkConfig:
    """Where pictures go."""

    uris: tuple[str, ...] = ()
    """Empty: the page, and the virtual camera if there is one."""


@dataclass(frozen=True, slots=True)
class WebConfig:
    """The page and its interface."""

    host: str = "127.0.0.1"
    port: Port = 8080
    token: str = ""
    """Needed on any other address than this machine's own. `${NAME}` takes an environment variable."""
    max_viewers: Annotated[int, msgspec.Meta(ge=1, le=64)] = 4


@dataclass(frozen=True, slots=True)
class LogConfig:
    """What is said on the terminal."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    status_s: Annotated[float, msgspec.Meta(ge=0.1, le=3600)] = 1.0


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that can be set."""

    source: SourceConfig = field(default_factory=SourceConfig)
    face: FaceConfig = field(default_factory=FaceConfig)
    pipeline: PipelineConfig = field(default_factory=PipelineConfig)
    neural: NeuralConfig = field(default_factory=NeuralConfig)
    mask: MaskConfig = field(default_factory=MaskConfig)
    backend: BackendConfig = field(default_factory=BackendConfig)
    precision: PrecisionConfig = field(default_factory=PrecisionConfig)
    tracking: TrackingConfig = field(default_factory=TrackingConfig)
    latency: LatencyConfig = field(default_factory=LatencyConfig)
    sink: SinkConfig = field(default_factory=SinkConfig)
    web: WebConfig = field(default_factory=WebConfig)
    log: LogConfig = field(default_factory=LogConfig)


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
