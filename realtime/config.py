"""The configuration: everything that can be set, with its defaults. `realtime.config_layers` reads it."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

import msgspec

from models.masks.regions import REGIONS
from realtime.fault import FaultPolicy
from realtime.swap.patience import Late

__all__ = ["Config"]

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
