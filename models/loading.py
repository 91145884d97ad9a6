"""Opens a model of the catalogue, and checks that the network in it keeps the contract."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from models.contract import bind
from models.entries import FREE, Contract, Model
from models.runtime.base import Session
from models.runtime.registry import open_session

__all__ = ["OpenModel", "open_model", "prepares_picture"]


@dataclass(frozen=True, slots=True)
class OpenModel:
    """A session whose inputs and outputs are known by what they are."""

    session: Session
    names: Mapping[str, str]
    """Role of an input, or "output:" and the meaning of an output -> the network's own name for it."""


def open_model(
    model: Model, folder: Path, backend: str = "openvino", *, device: str = "", threads: int | None = None
) -> OpenModel:
    """Open the file of `model` in `folder` on `backend`.

    Where `prepares_picture`, the picture input takes uint8 NHWC BGR; otherwise the caller prepares it by
    `model.contract.inputs`. Raises ModelError, showing both sides, when the network does not keep the
    contract, and what `open_session` raises.
    """
    prepared = prepares_picture(model.contract)
    picture = model.contract.picture if prepared else None
    session = open_session(folder / model.file, backend, device=device, picture=picture, threads=threads)
    try:
        fed = _as_prepared(model.contract) if prepared else model.contract
        what = f"{model.file} is not what the catalogue says of {model.name}"
        return OpenModel(session, bind(fed, session.inputs, session.outputs, what=what))
    except BaseException:
        session.close()
        raise


def prepares_picture(contract: Contract) -> bool:
    """Whether a session can prepare the picture: its size is fixed, one mean and scale is for all."""
    for each in contract.inputs:
        if each.role == "picture" and each.feed is not None:
            same = len(set(each.feed.mean)) == 1 == len(set(each.feed.scale))
            return same and FREE not in each.shape
    return False


def _as_prepared(contract: Contract) -> Contract:
    spec = contract.picture
    inputs = tuple(
        replace(each, shape=(1, spec.height, spec.width, 3), dtype="uint8")
        if each.role == "picture"
        else each
        for each in contract.inputs
    )
    return replace(contract, inputs=inputs)
