"""Networks run by ONNX Runtime, from .onnx, on the CPU."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from models.errors import BackendError, ModelError
from models.runtime.base import InputSpec, TensorSpec

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
_ONLY_FATAL = 4  # ONNX Runtime's log levels; what is worse than a warning comes as an exception anyway


class OnnxSession:
    """One network on the CPU provider."""

    def __init__(
        self, path: Path, *, device: str = "CPU", picture: InputSpec | None = None, threads: int | None = None
    ) -> None:
        if device.upper() != "CPU":
            raise BackendError(
                f"the backend 'onnx' has no device {device!r}", "use the device CPU, or another backend"
            )
        options = onnxruntime.SessionOptions()
        options.log_severity_level = _ONLY_FATAL
        # Its threads otherwise burn the cores after each run while they wait for the next one.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        if threads is not None:
            options.intra_op_num_threads = threads
        try:
            self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its exception classes have no public base but this one
            raise ModelError(
                f"{path.name} cannot be read as a model: {_reason(error)}",
                f"delete {path} and fetch it again: realtime models fetch {path.stem}",
            ) from error
        self._name = path.name
        self._inputs = tuple(_spec(port) for port in self._session.get_inputs())
        self._outputs = tuple(_spec(port) for port in self._session.get_outputs())
        self._picture_input: str | None = None
        if picture is not None:
            self._take_pictures(picture)

    def _take_pictures(self, picture: InputSpec) -> None:
        index = next((i for i, spec in enumerate(self._inputs) if len(spec.shape) == 4), None)
        nhwc = (1, picture.height, picture.width, 3)
        shape = nhwc if picture.layout == "nhwc" else (1, 3, picture.height, picture.width)
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
        specs = list(self._inputs)
        specs[index] = TensorSpec(self._picture_input, nhwc, "uint8")
        self._inputs = tuple(specs)

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
            ready = {spec.name: self._prepared(spec, feeds[spec.name]) for spec in self._inputs}
            results = self._session.run(None, ready)
        except KeyError as error:
            raise BackendError(f"{self._name} was not fed its input {error}", "feed every input") from error
        except Exception as error:  # see above
            raise BackendError(
                f"ONNX Runtime failed to run {self._name}: {_reason(error)}", "try another backend"
            ) from error
        return {spec.name: result for spec, result in zip(self._outputs, results, strict=True)}

    def _prepared(self, spec: TensorSpec, array: NDArray[Any]) -> NDArray[Any]:
        if spec.name != self._picture_input:
            return np.ascontiguousarray(array, dtype=spec.dtype)
        if array.shape != spec.shape or array.dtype != np.uint8:
            raise ValueError(f"it takes {spec.shape} uint8, not {array.shape} {array.dtype}")
        return cv2.dnn.blobFromImageWithParams(array[0], self._blob_settings)

    def close(self) -> None:
        self._session = None


def _spec(port: Any) -> TensorSpec:
    shape = tuple(size if isinstance(size, int) else -1 for size in port.shape)
    return TensorSpec(port.name, shape, _DTYPES.get(port.type, port.type))


def _reason(error: BaseException) -> str:
    return str(error).strip().splitlines()[0].rstrip(".")
