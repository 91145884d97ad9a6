"""Networks run by ONNX Runtime, from .onnx, on any of its providers."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import BackendError
from models.runtime.base import EACH, InputSpec, PictureOut, TensorSpec
from models.runtime.decode import PictureDecoder, not_finite
from models.runtime.encode import PictureEncoder
from models.runtime.ort import first_line, open_inference
from models.runtime.pictures import fed_shape, find_input, find_output, given_shape, network_shape
from models.runtime.proof import blank
from models.runtime.providers import parse_request

__all__ = ["OnnxSession"]

_DTYPES = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(double)": "float64",
    "tensor(uint8)": "uint8",
    "tensor(int8)": "int8",
    "tensor(int32)": "int32",
    "tensor(int64)": "int64",
    "tensor(bool)": "bool",
}


class OnnxSession:
    """One network on one provider.

    When every shape is fixed, inputs are copied to arrays made once and outputs are written to arrays made
    once. With a free dimension each run makes new ones, but for pictures.
    """

    def __init__(
        self,
        path: Path,
        *,
        device: str = "CPU",
        picture: InputSpec | None = None,
        picture_out: PictureOut | None = None,
        threads: int | None = None,
    ) -> None:
        """`device`: a provider, its device and options, as `parse_request` reads them.

        Raises BackendError when that provider does not run here (never goes on with another one), and
        ModelError when the file is not a model, takes no such picture or gives none.
        """
        request = parse_request(device)
        session = open_inference(path, request, threads, {})
        if picture is not None:
            index, batch = find_input([_spec(port) for port in session.get_inputs()], picture, path.name)
            picture = replace(picture, batch=batch)
            if sizes := _free_sizes(session.get_inputs()[index], picture):
                session = open_inference(path, request, threads, sizes)
        self._session = session
        self._name = path.name
        self._network_inputs = tuple(_spec(port) for port in session.get_inputs())
        self._inputs = self._network_inputs
        self._network_outputs = tuple(_spec(port) for port in session.get_outputs())
        self._outputs = self._network_outputs
        self._picture_input: str | None = None
        self._blob = np.zeros((0,), np.float32)
        if picture is not None:
            self._take_pictures(index, picture)
        self._picture_output: str | None = None
        if picture_out is not None:
            self._give_pictures(picture_out)
        self._binding: Any = None
        self._fed: dict[str, NDArray[Any]] = {}
        self._results: dict[str, NDArray[Any]] = {}
        self._bind()

    def _take_pictures(self, index: int, picture: InputSpec) -> None:
        own = self._inputs[index]
        self._encoder = PictureEncoder(picture)
        self._picture_input = own.name
        self._blob = np.zeros((max(picture.batch, 1), *network_shape(picture)[1:]), np.float32)
        self._inputs = _replaced(self._inputs, index, TensorSpec(own.name, fed_shape(picture), "uint8"))

    def _give_pictures(self, picture: PictureOut) -> None:
        index = find_output(self._outputs, picture, self._name)
        own = self._outputs[index]
        self._decoder = PictureDecoder(picture)
        self._picture_output = own.name
        given = TensorSpec(own.name, given_shape(own.shape or (-1, -1, -1, -1), picture), "uint8")
        self._outputs = _replaced(self._outputs, index, given)

    def _bind(self) -> None:
        """Tie every input and output to an array of our own, if no shape is free."""
        specs = (*self._network_inputs, *self._network_outputs)
        if any(-1 in spec.shape or spec.dtype not in _DTYPES.values() for spec in specs):
            return
        self._binding = self._session.io_binding()
        for spec in self._network_inputs:
            whole = spec.name == self._picture_input and spec.dtype == "float32"
            array = self._blob if whole else np.zeros(spec.shape, spec.dtype)
            self._fed[spec.name] = array
            self._binding.bind_input(
                spec.name, "cpu", 0, array.dtype.type, list(array.shape), array.ctypes.data
            )
        for spec in self._network_outputs:
            array = self._results[spec.name] = np.zeros(spec.shape, spec.dtype)
            self._binding.bind_output(
                spec.name, "cpu", 0, array.dtype.type, list(array.shape), array.ctypes.data
            )

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

    def _run(self, feeds: Mapping[str, NDArray[Any]], *, zeros: bool) -> dict[str, NDArray[Any]]:
        """`zeros`: that is what it is fed, to which a network may have no answer."""
        if self._session is None:
            raise BackendError(f"the session of {self._name} is closed", "open it again")
        try:
            if self._binding is not None:
                for spec in self._inputs:
                    self._copy(spec, feeds[spec.name])
                self._session.run_with_iobinding(self._binding)
                results = dict(self._results)
            else:
                ready = {spec.name: self._prepared(spec, feeds[spec.name]) for spec in self._inputs}
                made = self._session.run(None, ready)
                results = {spec.name: each for spec, each in zip(self._outputs, made, strict=True)}
        except KeyError as error:
            raise BackendError(f"{self._name} was not fed its input {error}", "feed every input") from error
        except Exception as error:  # ONNX Runtime's exception classes have no public base but this one
            raise BackendError(
                f"ONNX Runtime failed to run {self._name}: {first_line(error)}", "try another backend"
            ) from error
        if self._picture_output is not None:
            results[self._picture_output], finite = self._decoder.decode(results[self._picture_output])
            if not zeros and not all(finite):
                raise not_finite(self._name, self._picture_output, finite)
        return results

    def _copy(self, spec: TensorSpec, array: NDArray[Any]) -> None:
        fed = self._fed[spec.name]
        if spec.name == self._picture_input:
            blob = self._encoded(spec, array)
            if blob is not fed:
                np.copyto(fed, blob)
        elif array.shape != spec.shape:
            raise ValueError(f"{spec.name} takes {spec.shape}, not {array.shape}")
        else:
            np.copyto(fed, array, casting="unsafe")

    def _prepared(self, spec: TensorSpec, array: NDArray[Any]) -> NDArray[Any]:
        if spec.name != self._picture_input:
            return np.ascontiguousarray(array, dtype=spec.dtype)
        own = next(each for each in self._network_inputs if each.name == spec.name)
        return self._encoded(spec, array).astype(own.dtype, copy=False)

    def _encoded(self, spec: TensorSpec, array: NDArray[Any]) -> NDArray[np.float32]:
        count = len(array) if spec.shape[0] == EACH and array.ndim else spec.shape[0]
        if array.shape != (count, *spec.shape[1:]) or array.dtype != np.uint8 or not count:
            raise ValueError(f"it takes {spec.shape} uint8, not {array.shape} {array.dtype}")
        if len(self._blob) < count:
            self._blob = np.zeros((count, *self._blob.shape[1:]), np.float32)
        blob = self._blob if len(self._blob) == count else self._blob[:count]
        self._encoder.encode(array, blob)
        return blob

    def close(self) -> None:
        self._binding = None
        self._session = None


def _free_sizes(port: Any, picture: InputSpec) -> dict[str, int]:
    """Sizes for the named free dimensions of the picture input: a network of fixed shapes is faster."""
    return {
        own: wanted
        for own, wanted in zip(port.shape, network_shape(picture), strict=True)
        if isinstance(own, str) and wanted != EACH
    }


def _replaced(specs: tuple[TensorSpec, ...], index: int, spec: TensorSpec) -> tuple[TensorSpec, ...]:
    return (*specs[:index], spec, *specs[index + 1 :])


def _spec(port: Any) -> TensorSpec:
    shape = tuple(size if isinstance(size, int) else -1 for size in port.shape)
    return TensorSpec(port.name, shape, _DTYPES.get(port.type, port.type))
