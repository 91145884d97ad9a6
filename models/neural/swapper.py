"""Paints the other face over the wearer's, in the square crop that a network was trained on.

Every family goes the same way; what sets them apart is the contract that the catalogue has of it.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.contract import bind
from models.entries import FREE, Contract, Model
from models.errors import ModelError, SettingError, SwapError
from models.loading import OpenModel, open_model
from models.neural.answer import faults_of, least_mask, soften
from models.neural.pixel_boost import join, offered, take_apart
from models.neural.source_feed import SourceFeed
from models.onnx_file import OnnxFile, read_onnx
from models.precision import FP32
from models.runtime.base import EACH
from models.runtime.container import check_container
from models.runtime.overlap import run_each
from models.scratch import Scratch

__all__ = ["NeuralSwapper", "Swapped", "as_in_file", "open_swapper"]

_MASKS = ("output:mask", "output:own_mask")
_SOURCES = ("embedding", "source_picture", "morph")
"""Roles of the inputs that a `SourceFeed` fills."""


@dataclass(frozen=True, slots=True)
class Swapped:
    """What the network painted; the arrays are written over by the next swap."""

    bgr: NDArray[np.uint8]
    """(N, S, S, 3)."""
    mask: NDArray[np.uint8] | None
    """(N, S, S): 255 where the network says the new face belongs; None where it does not say."""


class NeuralSwapper:
    """One network that paints faces. Belongs to one thread."""

    def __init__(self, model: Model, opened: OpenModel, *, boost: int = 1) -> None:
        """`opened`: a session that takes pictures as uint8 NHWC BGR, and gives them so.

        Raises ModelError when its contract is not a swapper's, SettingError for a boost that is not offered.
        """
        names = opened.names
        picture = next((spec for spec in opened.session.inputs if spec.name == names.get("picture")), None)
        if picture is None or not opened.takes_picture or not opened.gives_picture:
            raise ModelError(
                f"the catalogue does not say how {model.name} swaps faces",
                "correct it: a swapper has a picture of a fixed size, and a picture with its output_range",
            )
        _, height, width, _ = picture.shape
        if height != width:
            raise ModelError(f"{model.name} takes pictures of {width}x{height}, not squares", "use another")
        self._name = model.name
        self._contract = model.contract
        self._session = opened.session
        self._batches = opened.batch
        self._side = height
        self._picture, self._painted = picture.name, names["output:picture"]
        self._masks = tuple(names[role] for role in _MASKS if role in names)
        self._sources = {role: names[role] for role in _SOURCES if role in names}
        self._source_shapes = {
            role: spec.shape
            for role, name in self._sources.items()
            for spec in opened.session.inputs
            if spec.name == name
        }
        self._scratch = Scratch()
        self._stacked: dict[str, tuple[tuple[Any, ...], NDArray[np.float32]]] = {}
        self._boost = 1
        self.boost_by(boost)

    @property
    def template(self) -> str:
        """The five-point template of its crops."""
        return self._contract.template

    @property
    def side(self) -> int:
        """Of the network's own picture, pixels."""
        return self._side

    @property
    def size(self) -> int:
        """Of the crops it takes and gives, pixels: its side times the boost."""
        return self._side * self._boost

    @property
    def boost(self) -> int:
        return self._boost

    @property
    def batches(self) -> bool:
        """Whether several faces, and the pictures of a boost, go through in one run."""
        return self._batches

    @property
    def has_mask(self) -> bool:
        """Whether the network says itself where the new face belongs."""
        return bool(self._masks)

    def boost_by(self, k: int) -> None:
        """Take and give crops of k times the network's side from now on; nothing is loaded for it.

        Raises SettingError when that is not offered: `pixel_boost.offered`.
        """
        if k * self._side not in offered(self._side):
            times = ", ".join(str(each // self._side) for each in offered(self._side))
            raise SettingError(
                f"{self._name} paints {self._side} px, which cannot be boosted {k} times",
                f"choose one of: {times}",
            )
        self._boost = k

    def swap(self, crops: NDArray[np.uint8], feeds: Sequence[SourceFeed]) -> Swapped:
        """The faces of `crops`, (N, S, S, 3) uint8 BGR of `template` and `size`, painted over by others.

        `feeds`: whose they are to be, one for each crop, made for this model. Raises SwapError, which names
        the faces, when the network painted nothing that can be shown for some of them; ModelError when a
        feed is another model's; BackendError when the backend fails; ValueError for crops of another shape.
        """
        if crops.shape != (len(feeds), self.size, self.size, 3) or crops.dtype != np.uint8:
            raise ValueError(
                f"{self._name} takes {(len(feeds), self.size, self.size, 3)}, not {crops.shape} {crops.dtype}"
            )
        if not len(crops):
            return Swapped(crops, np.empty(crops.shape[:3], np.uint8) if self._masks else None)
        self._check_feeds(feeds)
        count, parts = len(crops), len(crops) * self._boost**2
        given = self._sharpened(np.ascontiguousarray(crops))
        if self._boost > 1:
            apart = self._scratch.u8("apart", parts, self._side, self._side, 3)
            given = take_apart(given, self._boost, apart)
        outputs = self._run(given, feeds)
        painted = outputs[self._painted]
        if len(painted) != parts:
            raise ModelError(
                f"{self._name} gives {len(painted)} pictures for {parts}", "export it with a batch of 1"
            )
        mask = None
        if self._masks:
            mask = self._scratch.u8("masks", parts, self._side, self._side)
            least_mask([outputs[name] for name in self._masks], mask)
        # A morph may ask for the wearer's own face.
        if faults := faults_of(painted, mask, None if "morph" in self._sources else given):
            raise self._fault(faults, count)
        if self._boost > 1:
            whole = self._scratch.u8("whole", count, self.size, self.size, 3)
            painted = join(painted, self._boost, whole)
            if mask is not None:
                mask = join(mask, self._boost, self._scratch.u8("mask", count, self.size, self.size))
        if mask is not None and self._contract.mask_edge is not None:
            soften(mask, self._contract.mask_edge)
        return Swapped(painted, mask)

    def warmup(self, feeds: Sequence[SourceFeed]) -> None:
        """Run once on noise for as many faces as there are feeds, so that the first frame is no slower.

        What is painted is not looked at. Raises what `swap` raises but SwapError.
        """
        shape = (len(feeds), self.size, self.size, 3)
        with suppress(SwapError):
            self.swap(np.random.default_rng(0).integers(0, 256, shape, np.uint8), feeds)

    def close(self) -> None:
        """Idempotent, never raises."""
        self._session.close()

    def _check_feeds(self, feeds: Sequence[SourceFeed]) -> None:
        for feed in feeds:
            for role, shape in self._source_shapes.items():
                value = feed.values.get(role)
                if value is None or value.shape[1:] != shape[1:]:
                    has = "none" if value is None else f"one of {value.shape}"
                    raise ModelError(
                        f"{self._name} was fed with the face of another model: its {role} is of {shape}, "
                        f"and there is {has}",
                        "make the feed for this model: source_feed",
                    )

    def _sharpened(self, crops: NDArray[np.uint8]) -> NDArray[np.uint8]:
        if self._contract.sharpen is None:
            return crops
        amount, sigma = self._contract.sharpen
        sharp = self._scratch.u8("sharp", *crops.shape)
        for crop, out in zip(crops, sharp, strict=True):
            blurred = cv2.GaussianBlur(crop, (0, 0), sigma)
            cv2.addWeighted(crop, 1 + amount, blurred, -amount, 0, dst=out)
        return sharp

    def _run(self, given: NDArray[np.uint8], feeds: Sequence[SourceFeed]) -> dict[str, NDArray[Any]]:
        """The network's outputs for all pictures, in one run if it takes them so."""
        each = self._boost**2
        try:
            if len(given) == 1 or (self._batches and self._alike(feeds)):
                return self._session.run({self._picture: given, **self._source_values(feeds, each)})
            runs = run_each(
                self._session,
                [
                    {self._picture: given[at : at + 1], **self._source_values(feeds[at // each :][:1], 1)}
                    for at in range(len(given))
                ],
            )
        except SwapError as error:
            pictures = error.faces or range(len(given))
            raise self._fault(dict.fromkeys(pictures, error.message), len(feeds)) from error
        return {name: np.concatenate([run[name] for run in runs]) for name in runs[0]}

    def _alike(self, feeds: Sequence[SourceFeed]) -> bool:
        """A morph is one number for the whole run."""
        if "morph" not in self._sources:
            return True
        return len({float(feed.values["morph"][0]) for feed in feeds}) <= 1

    def _source_values(self, feeds: Sequence[SourceFeed], each: int) -> dict[str, NDArray[np.float32]]:
        """The values of `feeds`, each as often as it has pictures; stacked anew only when one has changed."""
        found: dict[str, NDArray[np.float32]] = {}
        for role, name in self._sources.items():
            values = tuple(feed.values[role] for feed in feeds)
            if role == "morph" or len(values) * each == 1:
                found[name] = values[0]
                continue
            kept, stacked = self._stacked.get(role, ((), values[0]))
            same = len(kept) == len(values) and all(a is b for a, b in zip(kept, values, strict=True))
            if not same or len(stacked) != len(values) * each:
                stacked = np.repeat(np.concatenate(values), each, axis=0)
                self._stacked[role] = (values, stacked)
            found[name] = stacked
        return found

    def _fault(self, faults: Mapping[int, str], count: int) -> SwapError:
        """Of what is wrong with which picture: what is wrong with which face."""
        faces = {at // self._boost**2: wrong for at, wrong in sorted(faults.items())}
        said = "; ".join(f"face {face + 1} of {count}: {wrong}" for face, wrong in faces.items())
        return SwapError(
            f"{self._name} gave no face that can be shown ({said})",
            "if it goes on, use the model in fp32, or another backend",
            tuple(faces),
        )


def open_swapper(
    model: Model,
    folder: Path,
    backend: str = "openvino",
    device: str = "",
    *,
    boost: int = 1,
    threads: int | None = None,
    precision: str = FP32,
    depth: int = 1,
) -> NeuralSwapper:
    """The swapper `model`, its file in `folder`, on `backend`; several faces at once where its batch is free.

    `precision`: see `models.precision.chosen_file`; `depth`: where the batch is not free, so many faces are
    on their way at a time, one uploaded while another is computed.

    Raises ModelError when it is no swapper or its file does not keep the contract, SettingError for a boost
    that is not offered, and what `open_session` raises.
    """
    if model.role != "swapper":
        raise ModelError(f"{model.name} is a {model.role}, not a swapper", "see: realtime models list")
    what = f"{model.file} is not what the catalogue says of {model.name}"
    check_container(folder / model.file)
    file = read_onnx(folder / model.file)
    contract, each = as_in_file(model.contract, file, what)
    model = replace(model, contract=contract)
    one_by_one = all(spec.shape[:1] != (FREE,) for spec in file.inputs)
    overlapping = one_by_one and depth > 1
    batch = EACH if each and not overlapping else 1
    opened = open_model(
        model,
        folder,
        backend,
        device=device,
        threads=threads,
        batch=batch,
        precision=precision,
        depth=depth if overlapping else 1,
    )
    try:
        return NeuralSwapper(model, opened, boost=boost)
    except BaseException:
        opened.session.close()
        raise


def as_in_file(contract: Contract, file: OnnxFile, what: str) -> tuple[Contract, bool]:
    """The contract with the names and the size that the file has, and whether each may be fed what it takes:
    not where a batch of pictures is free and that of the vectors is not."""
    names = bind(contract, file.inputs, file.outputs, what=what)
    shapes = {spec.name: spec.shape for spec in file.inputs}
    named = tuple(replace(each, name=names[each.role]) for each in contract.inputs if each.role in names)
    contract = replace(contract, inputs=named)
    picture = next(each for each in contract.inputs if each.role == "picture")
    shape = shapes[picture.name]
    nhwc = picture.feed is not None and picture.feed.layout == "nhwc"
    if FREE in picture.shape:
        height, width = shape[1:3] if nhwc else shape[2:4]
        if FREE in (height, width):
            raise ModelError(f"{what}: its picture is of any size", "export it with a fixed size")
        contract = contract.sized(height, width)
    sources = [names[role] for role in ("embedding", "source_picture") if role in names]
    return contract, shape[0] != FREE or all(shapes[name][0] == FREE for name in sources)
