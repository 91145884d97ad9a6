"""Pictures prepared and decoded before and after a session that runs the network alone.

OpenVINO's CPU does this slowly within the graph when the batch is free: four pictures of 256 px, in and out,
took 13.7 ms there beside a network of 0.5 ms, and take 1.2 ms here (the least of 70 runs, two cores).
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import BackendError
from models.runtime.base import InputSpec, PictureOut, Session, TensorSpec
from models.runtime.decode import PictureDecoder, not_finite
from models.runtime.encode import PictureEncoder
from models.runtime.pictures import fed_shape, find_input, find_output, given_shape, network_shape
from models.runtime.proof import blank

__all__ = ["HostPictures", "take_on_host"]


class HostPictures:
    """A session that is fed and gives uint8 NHWC BGR, over one that takes and gives floats."""

    def __init__(
        self, session: Session, picture: InputSpec, picture_out: PictureOut | None, model: str
    ) -> None:
        """`model` is for errors. Raises ModelError when the network takes no such picture or gives none."""
        self._session = session
        self._model = model
        index, batch = find_input(session.inputs, picture, model)
        picture = replace(picture, batch=batch)
        own = session.inputs[index]
        self._name = own.name
        self._fed = TensorSpec(own.name, fed_shape(picture), "uint8")
        self._inputs = _with(session.inputs, index, self._fed)
        self._encoder = PictureEncoder(picture)
        self._blob = np.zeros((max(batch, 1), *network_shape(picture)[1:]), np.float32)
        self._outputs = session.outputs
        self._given = ""
        if picture_out is not None:
            index = find_output(session.outputs, picture_out, model)
            made = session.outputs[index]
            self._given = made.name
            self._decoder = PictureDecoder(picture_out)
            shape = given_shape(made.shape or (-1, -1, -1, -1), picture_out)
            self._outputs = _with(session.outputs, index, TensorSpec(made.name, shape, "uint8"))

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        return self._inputs

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        return self._outputs

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        return self._run(feeds, zeros=False)

    def warmup(self) -> None:
        self._run(blank(self._inputs), zeros=True)

    def close(self) -> None:
        """Idempotent, never raises."""
        self._session.close()

    def _run(self, feeds: Mapping[str, NDArray[Any]], *, zeros: bool) -> dict[str, NDArray[Any]]:
        """`zeros`: that is what it is fed, to which a network may have no answer."""
        pictures = feeds.get(self._name)
        if pictures is None:
            raise BackendError(f"{self._model} was not fed its input '{self._name}'", "feed every input")
        if pictures.dtype != np.uint8 or not _fits(pictures.shape, self._fed.shape):
            raise BackendError(
                f"{self._model} takes {self._fed.shape} uint8, not {pictures.shape} {pictures.dtype}",
                "feed it a picture of its size",
            )
        if len(self._blob) < len(pictures):
            self._blob = np.zeros((len(pictures), *self._blob.shape[1:]), np.float32)
        blob = self._blob if len(self._blob) == len(pictures) else self._blob[: len(pictures)]
        self._encoder.encode(pictures, blob)
        results = self._session.run({**feeds, self._name: blob})
        if self._given:
            results[self._given], finite = self._decoder.decode(results[self._given])
            if not zeros and not all(finite):
                raise not_finite(self._model, self._given, finite)
        return results


def take_on_host(
    session: Session, picture: InputSpec, picture_out: PictureOut | None, model: str
) -> HostPictures | None:
    """`session`, which takes floats, with its pictures prepared here; None, and it is closed, where its
    pictures have no size of their own: such a network is faster with the size fixed within.

    Raises ModelError when the network takes no such picture or gives none; it is closed then, too.
    """
    try:
        index, _ = find_input(session.inputs, picture, model)
        if -1 not in session.inputs[index].shape[1:]:
            return HostPictures(session, picture, picture_out, model)
    except BaseException:
        session.close()
        raise
    session.close()
    return None


def _with(specs: tuple[TensorSpec, ...], index: int, spec: TensorSpec) -> tuple[TensorSpec, ...]:
    return (*specs[:index], spec, *specs[index + 1 :])


def _fits(shape: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    return len(shape) == 4 and shape[0] > 0 and wanted[0] in (-1, shape[0]) and shape[1:] == wanted[1:]
