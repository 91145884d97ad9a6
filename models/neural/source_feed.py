"""What a swapper is fed with, beside the wearer's picture: made once of an identity, changed by sliders."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import isfinite
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from models.catalog import lookup
from models.entries import Contract, InputContract, Model
from models.errors import ModelError, SettingError, SwapError
from models.geometry import template
from models.loading import open_model
from models.neural.emap import apply_emap, emap_of
from models.neural.identity import SourceIdentity, aligned_source

__all__ = ["NEUTRAL_FIDELITY", "SourceFeed", "source_feed", "with_fidelity", "with_morph"]

NEUTRAL_FIDELITY = 0.5
"""The vector is fed as it is."""
_REACH = 0.35
"""How far fidelity 0 goes from the other face's vector towards the wearer's, and fidelity 1 away from it, as
FaceFusion's face swapper weight does."""
_RECOGNISER = "arcface_w600k_r50"


@dataclass(frozen=True, slots=True)
class _Form:
    """What becomes of ArcFace's vector e before a network sees it."""

    converted: bool = False
    """It goes through the converter that the model needs."""
    emap: bool = False
    unit: bool = False
    """It is brought to unit length at last."""
    wearer_unit: bool = False
    """The wearer's own vector, for the fidelity, is of unit length; else it is as the recogniser gives it."""


_FORMS: Mapping[str, _Form] = MappingProxyType(
    {
        "raw": _Form(),
        "unit": _Form(unit=True, wearer_unit=True),
        "emap": _Form(emap=True, wearer_unit=True),
        "converted": _Form(converted=True),
        "converted-unit": _Form(converted=True, unit=True, wearer_unit=True),
    }
)
"""By `Contract.embedding`."""


@dataclass(frozen=True, slots=True)
class SourceFeed:
    """The inputs of one swapper that say whose face it is to paint. Fits no other model."""

    values: Mapping[str, NDArray[np.float32]] = field(default_factory=lambda: MappingProxyType({}))
    """Role of an input -> its value for one face, (1, ...) float32 as the network takes it; empty for one
    that paints one face only."""
    wearer_unit: bool | None = None
    """Whether `with_fidelity` takes the wearer's vector at unit length; None where there is no fidelity."""


def source_feed(
    model: Model,
    identity: SourceIdentity | None,
    folder: Path,
    backend: str = "openvino",
    device: str = "",
    *,
    morph: float = 1.0,
    catalog: Mapping[str, Model] | None = None,
) -> SourceFeed:
    """What the swapper `model`, whose files are in `folder`, is to be fed with to paint `identity`.

    A converter that it needs is run on `backend` and closed again; this takes tens of milliseconds and is not
    for the live path. `identity` is None for a model that has its face in its file; `morph`, 0 to 1, is for
    those of them that take it: how far from the wearer's face to the other.

    Raises ModelError when a file is missing or damaged, the identity is of another recogniser's vectors, or
    what a file makes of them is nothing; SettingError for a morph outside its range; BackendError.
    """
    contract = model.contract
    values: dict[str, NDArray[np.float32]] = {}
    for fed in contract.inputs:
        if fed.role == "embedding":
            vector = _embedding(model, _given(identity, model), fed, folder, backend, device, catalog)
            values[fed.role] = vector.reshape(1, -1)
        elif fed.role == "source_picture":
            values[fed.role] = _picture(_given(identity, model), fed)
        elif fed.role == "morph":
            values[fed.role] = np.full((1,), _checked("morph", morph), np.float32)
    wearer_unit = _form(contract).wearer_unit if "embedding" in values else None
    return SourceFeed(MappingProxyType(values), wearer_unit)


def with_fidelity(feed: SourceFeed, wearer: NDArray[np.float32] | None, fidelity: float) -> SourceFeed:
    """The feed with the wearer's own vector mixed in: e (1 - w) + t w, w from 0.35 at 0 to -0.35 at 1.

    `wearer`: (N,) as the recogniser gives it for the face in the frame, not needed at 0.5, where nothing
    changes. Above it goes on beyond the other face, away from the wearer's. As FaceFusion does, the wearer's
    vector is taken as it is or at unit length and goes through no matrix and no converter, and the sum keeps
    the length that it has.

    Raises SettingError for a fidelity outside 0 to 1 or a network that is fed by no vector, ModelError for a
    vector of another size, and SwapError for one that is missing, of no length or not finite.
    """
    if _checked("fidelity", fidelity) == NEUTRAL_FIDELITY:
        return feed
    if feed.wearer_unit is None:
        raise SettingError(
            "this swapper is told by no vector whose face it is, so there is no fidelity to set",
            "leave --fidelity at 0.5, or choose a swapper that is fed by a vector: realtime models list",
        )
    source = feed.values["embedding"]
    if wearer is None or not np.isfinite(wearer).all() or not wearer.any():
        raise SwapError(
            "the wearer's own face has no vector, by which the fidelity is set",
            "set --fidelity to 0.5, or check the recogniser: realtime models list",
        )
    if wearer.size != source.size:
        raise _of_another_size(wearer.size, source.size)
    own = wearer.reshape(1, -1)
    if feed.wearer_unit:
        own = own / np.linalg.norm(own)
    weight = np.float32(_REACH - 2 * _REACH * fidelity)
    mixed = np.ascontiguousarray(source * (1 - weight) + own * weight, np.float32)
    return replace(feed, values=MappingProxyType({**feed.values, "embedding": mixed}))


def with_morph(feed: SourceFeed, morph: float) -> SourceFeed:
    """The feed with another morph, 0 to 1. Raises SettingError outside of it or for a network without one."""
    value = np.full((1,), _checked("morph", morph), np.float32)
    if "morph" not in feed.values:
        raise SettingError("this swapper has no morph", "leave it out, or choose a .dfm file that has one")
    return replace(feed, values=MappingProxyType({**feed.values, "morph": value}))


def _embedding(
    model: Model,
    identity: SourceIdentity,
    fed: InputContract,
    folder: Path,
    backend: str,
    device: str,
    catalog: Mapping[str, Model] | None,
) -> NDArray[np.float32]:
    form = _form(model.contract)
    vector = identity.embedding
    if vector.size != fed.shape[-1]:
        raise _of_another_size(vector.size, fed.shape[-1])
    if form.converted:
        vector = _converted(vector, model, folder, backend, device, catalog)
    if form.emap:
        vector = apply_emap(vector, emap_of(folder / model.file))
    length = float(np.linalg.norm(vector))
    if not isfinite(length) or length == 0:
        raise ModelError(
            f"the vector of the face to put on comes out as nothing for {model.name}",
            "fetch the models again: one of the files may be damaged",
        )
    return np.ascontiguousarray(vector / length if form.unit else vector, np.float32)


def _converted(
    vector: NDArray[np.float32],
    model: Model,
    folder: Path,
    backend: str,
    device: str,
    catalog: Mapping[str, Model] | None,
) -> NDArray[np.float32]:
    converter = next((each for each in lookup(model.needs, catalog) if each.role == "converter"), None)
    if converter is None:
        raise ModelError(
            f"the catalogue names no converter for {model.name}, whose vectors are not ArcFace's",
            "correct the catalogue: `needs` of its family",
        )
    if not (folder / converter.file).is_file():
        raise ModelError(
            f"{model.name} needs the converter {converter.name}, which is not in {folder}",
            f"run: realtime models fetch {converter.name}",
        )
    opened = open_model(converter, folder, backend, device=device)
    try:
        outputs = opened.session.run({opened.names["embedding"]: vector.reshape(1, -1)})
        return np.array(outputs[opened.names["output:embedding"]], np.float32).ravel()
    finally:
        opened.session.close()


def _picture(identity: SourceIdentity, fed: InputContract) -> NDArray[np.float32]:
    if fed.feed is None:
        raise ModelError("the catalogue does not say how the picture of a source is fed", "correct it")
    feed = fed.feed
    size = fed.shape[1] if feed.layout == "nhwc" else fed.shape[2]
    bgr = aligned_source(identity.portrait, identity.five, template(fed.template, size), size)
    ordered = bgr[:, :, ::-1] if feed.order == "rgb" else bgr
    values = (ordered.astype(np.float32) - np.array(feed.mean, np.float32)) / np.array(feed.scale, np.float32)
    laid = values.transpose(2, 0, 1) if feed.layout == "nchw" else values
    return np.ascontiguousarray(laid[np.newaxis])


def _given(identity: SourceIdentity | None, model: Model) -> SourceIdentity:
    if identity is None:
        raise ModelError(
            f"{model.name} paints any face, and no picture of one was given", "give one: --face PICTURE"
        )
    return identity


def _form(contract: Contract) -> _Form:
    if contract.embedding not in _FORMS:
        raise ModelError(
            f"the catalogue says {contract.embedding!r} of a vector, which is no form of one",
            f"correct it: one of {', '.join(_FORMS)}",
        )
    return _FORMS[contract.embedding]


def _checked(name: str, value: float) -> float:
    if not 0 <= value <= 1:
        raise SettingError(f"the {name} is {value}, which is not from 0 to 1", f"give --{name} from 0 to 1")
    return value


def _of_another_size(given: int, wanted: int) -> ModelError:
    return ModelError(
        f"the face was told by {given} numbers, and this swapper takes {wanted}",
        f"use the recogniser {_RECOGNISER}: realtime models fetch {_RECOGNISER}",
    )
