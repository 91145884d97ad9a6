"""Opens a model of the catalogue, and checks that the network in it keeps the contract."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from models.contract import bind
from models.entries import FREE, Contract, Model
from models.precision import FP32, ChosenFile, chosen_file
from models.runtime.base import InputSpec, PictureOut, Session
from models.runtime.pictures import fed_shape, given_shape
from models.runtime.place import parse_place
from models.runtime.registry import open_session

__all__ = ["ChosenFile", "OpenModel", "chosen_file", "open_model", "prepares_picture"]


@dataclass(frozen=True, slots=True)
class OpenModel:
    """A session whose inputs and outputs are known by what they are."""

    session: Session
    names: Mapping[str, str]
    """Role of an input, or "output:" and the meaning of an output -> the network's own name for it."""
    takes_picture: bool = False
    """Whether the input "picture" is fed uint8 (N, H, W, 3) BGR; if not, as the contract says."""
    gives_picture: bool = False
    """Whether "output:picture" is uint8 (N, H, W, 3) BGR; if not, as the contract says."""
    batch: bool = False
    """Whether as many pictures as are fed go through in one run; if not, as many as were asked for, or 1."""
    file: ChosenFile | None = None
    """What was opened."""


def open_model(
    model: Model,
    folder: Path,
    backend: str = "openvino",
    *,
    device: str = "",
    threads: int | None = None,
    batch: int = 1,
    precision: str = FP32,
    depth: int = 1,
) -> OpenModel:
    """Open the file of `model` in `folder` on `backend`; `precision`: see `chosen_file`.

    Where `prepares_picture`, the picture input takes uint8 NHWC BGR; otherwise the caller prepares it by
    `model.contract.inputs`. Where the contract has an output picture and its range, the session gives it as
    uint8 NHWC BGR, and a run where it is not finite raises SwapError. A second picture that the network takes
    ("source_picture") is the caller's to prepare. `batch`: pictures a run; FREE for as many as are fed, if
    the network can. `depth`: runs in flight, see `open_session`. Raises ModelError, showing both sides, when
    the network does not keep the contract, and what `chosen_file` and `open_session` raise.
    """
    contract = model.contract
    prepared = prepares_picture(contract)
    picture = replace(contract.picture, batch=batch) if prepared else None
    picture_out = contract.picture_out
    file = chosen_file(model, folder, parse_place(backend, device), precision)
    session = open_session(
        file.path,
        backend,
        device=device,
        picture=picture,
        picture_out=picture_out,
        threads=threads,
        depth=depth,
    )
    try:
        what = f"{file.path.name} is not what the catalogue says of {model.name}"
        names = bind(_as_opened(contract, picture, picture_out), session.inputs, session.outputs, what=what)
        fed = next((spec for spec in session.inputs if spec.name == names.get("picture")), None)
        return OpenModel(
            session,
            names,
            takes_picture=prepared,
            gives_picture=picture_out is not None,
            batch=fed is not None and fed.shape[:1] == (FREE,),
            file=file,
        )
    except BaseException:
        session.close()
        raise


def prepares_picture(contract: Contract) -> bool:
    """Whether a session can prepare the picture: there is one, of a fixed size."""
    return any(
        each.role == "picture" and each.feed is not None and FREE not in each.shape[1:]
        for each in contract.inputs
    )


def _as_opened(contract: Contract, picture: InputSpec | None, picture_out: PictureOut | None) -> Contract:
    """What a session that prepares and decodes pictures has, if its network keeps `contract`."""
    inputs, returns = contract.inputs, dict(contract.returns)
    if picture is not None:
        fed = fed_shape(picture)
        inputs = tuple(
            replace(each, shape=fed, dtype="uint8") if each.role == "picture" else each for each in inputs
        )
        if picture.batch != 1:
            inputs = tuple(replace(each, shape=_of_any_batch(each.shape)) for each in inputs)
            returns = {meaning: _of_any_batch(shape) for meaning, shape in returns.items()}
    if picture_out is not None and "picture" in returns:
        returns["picture"] = given_shape(returns["picture"], picture_out)
    return replace(contract, inputs=inputs, returns=returns)


def _of_any_batch(shape: tuple[int, ...]) -> tuple[int, ...]:
    return (FREE, *shape[1:])
