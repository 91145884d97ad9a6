"""Networks run by ONNX Runtime, from .onnx, on any of its providers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.errors import BackendError, ModelError
from models.runtime.base import InputSpec, TensorSpec
from models.runtime.ort import first_line, open_inference
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
    once. With a free dimension each run makes new ones.
    """

    def __init__(
        self, path: Path, *, device: str = "CPU", picture: InputSpec | None = None, threads: int | None = None
    ) -> None:
        """`device`: a provider, its device and options, as `parse_request` reads them.

        Raises BackendError when that provider does not run here (never goes on with another one), and
        ModelError when the file is not a model or takes no such picture.
        """
        request = parse_request(device)
        session = open_inference(path, request, threads, {})
        sizes = _free_sizes(session, picture)
        if sizes:
            session = open_inference(path, request, threads, sizes)
        self._session = session
        self._name = path.name
        self._network_inputs = tuple(_spec(port) for port in session.get_inputs())
        self._inputs = self._network_inputs
        self._outputs = tuple(_spec(port) for port in session.get_outputs())
        self._picture_input: str | None = None
        if picture is not None:
            self._take_pictures(picture)
        self._binding: Any = None
        self._fed: dict[str, NDArray[Any]] = {}
        self._results: dict[str, NDArray[Any]] = {}
        self._bind()

    def _take_pictures(self, picture: InputSpec) -> None:
        index = next((i for i, spec in enumerate(self._inputs) if len(spec.shape) == 4), None)
        nhwc, shape = _picture_shapes(picture)
        fits = index is not None and all(
            own in (-1, wanted) for own, wanted in zip(self._inputs[index].shape, shape, strict=True)
        )
        if index is None or not fits:
            raise ModelError(
                f"{self._name} has no picture input of the shape {shape}",
                "use the file that the catalogue names: realtime models fetch",
            )
        normalisation = picture.normalisation
        self._blob_settings = cv2.dnn.Image2BlobParams()
        self._blob_settings.scalefactor = (1 / normalisation.scale,) * 4
        self._blob_settings.mean = (normalisation.mean,) * 4
        self._blob_settings.swapRB = normalisation.order == "rgb"
        nhwc_network = picture.layout == "nhwc"
        self._blob_settings.datalayout = cv2.DATA_LAYOUT_NHWC if nhwc_network else cv2.DATA_LAYOUT_NCHW
        self._picture_input = self._inputs[index].name
        self._blob = np.zeros(shape, np.float32)
        specs = list(self._inputs)
        specs[index] = TensorSpec(self._picture_input, nhwc, "uint8")
        self._inputs = tuple(specs)

    def _bind(self) -> None:
        """Tie every input and output to an array of our own, if no shape is free."""
        specs = (*self._network_inputs, *self._outputs)
        if any(-1 in spec.shape or spec.dtype not in _DTYPES.values() for spec in specs):
            return
        self._binding = self._session.io_binding()
        for spec in self._network_inputs:
            array = self._blob if spec.name == self._picture_input else np.zeros(spec.shape, spec.dtype)
            self._fed[spec.name] = array
            self._binding.bind_input(
                spec.name, "cpu", 0, array.dtype.type, list(array.shape), array.ctypes.data
            )
        for spec in self._outputs:
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
        if self._session is None:
            raise BackendError(f"the session of {self._name} is closed", "open it again")
        try:
            if self._binding is not None:
                for spec in self._inputs:
                    self._copy(spec, feeds[spec.name])
                self._session.run_with_iobinding(self._binding)
                return dict(self._results)
            ready = {spec.name: self._prepared(spec, feeds[spec.name]) for spec in self._inputs}
            results = self._session.run(None, ready)
        except KeyError as error:
            raise BackendError(f"{self._name} was not fed its input {error}", "feed every input") from error
        except Exception as error:  # ONNX Runtime's exception classes have no public base but this one
            raise BackendError(
                f"ONNX Runtime failed to run {self._name}: {first_line(error)}", "try another backend"
            ) from error
        return {spec.name: result for spec, result in zip(self._outputs, results, strict=True)}

    def warmup(self) -> None:
        self.run(blank(self._inputs))

    def _copy(self, spec: TensorSpec, array: NDArray[Any]) -> None:
        if spec.name == self._picture_input:
            self._prepared(spec, array)
        elif array.shape != spec.shape:
            raise ValueError(f"{spec.name} takes {spec.shape}, not {array.shape}")
        else:
            np.copyto(self._fed[spec.name], array, casting="unsafe")

    def _prepared(self, spec: TensorSpec, array: NDArray[Any]) -> NDArray[Any]:
        if spec.name != self._picture_input:
            return np.ascontiguousarray(array, dtype=spec.dtype)
        if array.shape != spec.shape or array.dtype != np.uint8:
            raise ValueError(f"it takes {spec.shape} uint8, not {array.shape} {array.dtype}")
        return cv2.dnn.blobFromImageWithParams(array[0], self._blob, self._blob_settings)

    def close(self) -> None:
        self._binding = None
        self._session = None


def _free_sizes(session: Any, picture: InputSpec | None) -> dict[str, int]:
    """Sizes for the named free dimensions of the picture input: a network of fixed shapes is faster."""
    if picture is None:
        return {}
    port = next((port for port in session.get_inputs() if len(port.shape) == 4), None)
    if port is None:
        return {}
    _, shape = _picture_shapes(picture)
    return {own: wanted for own, wanted in zip(port.shape, shape, strict=True) if isinstance(own, str)}


def _picture_shapes(picture: InputSpec) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """As it is fed, and as the network takes it."""
    nhwc = (1, picture.height, picture.width, 3)
    return nhwc, nhwc if picture.layout == "nhwc" else (1, 3, picture.height, picture.width)


def _spec(port: Any) -> TensorSpec:
    shape = tuple(size if isinstance(size, int) else -1 for size in port.shape)
    return TensorSpec(port.name, shape, _DTYPES.get(port.type, port.type))
