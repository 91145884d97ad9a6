"""Networks run by OpenVINO, from .tflite, .onnx or .xml."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from models.errors import BackendError, ModelError
from models.runtime.base import InputSpec, TensorSpec

# Importing openvino reports the import to Google Analytics and leaves a client id in the home folder,
# unasked. It does without when this package cannot be imported, which None in sys.modules brings about.
cast(dict[str, object], sys.modules).setdefault("openvino_telemetry", None)

import openvino  # noqa: E402
from openvino.preprocess import ColorFormat, PrePostProcessor  # noqa: E402

__all__ = ["OpenVinoSession", "devices"]


def devices() -> tuple[str, ...]:
    """What OpenVINO can run on here: "CPU", "GPU.0" and so on."""
    return tuple(openvino.Core().available_devices)


class OpenVinoSession:
    """One network, one request, tuned for the delay of a single frame.

    Inputs are read where they lie when they are C-contiguous and of the input's type; outputs with a fixed
    shape are written to the same arrays by every run.
    """

    def __init__(
        self, path: Path, *, device: str = "CPU", picture: InputSpec | None = None, threads: int | None = None
    ) -> None:
        core = openvino.Core()
        _check_device(core, device)
        try:
            model = core.read_model(path)
            # Compiling folds layers together and hands their names on: an output may answer to several.
            input_names = [port.any_name for port in model.inputs]
            output_names = [port.any_name for port in model.outputs]
            if picture is not None:
                model = _with_picture_input(model, picture)
        except RuntimeError as error:
            raise ModelError(
                f"{path.name} cannot be read as a model: {_reason(error)}",
                f"delete {path} and fetch it again: realtime models fetch {path.stem}",
            ) from error
        try:
            compiled = core.compile_model(model, device, _properties(device, threads))
            self._request = compiled.create_infer_request()
        except RuntimeError as error:
            raise BackendError(
                f"OpenVINO cannot prepare {path.name} for {device}: {_reason(error)}",
                "try the device CPU, or another backend",
            ) from error
        self._name = path.name
        self._inputs = tuple(map(_spec, input_names, compiled.inputs))
        self._outputs = tuple(map(_spec, output_names, compiled.outputs))
        self._dtypes = {spec.name: np.dtype(spec.dtype) for spec in self._inputs}
        self._fed: dict[str, NDArray[Any]] = {}
        self._results: dict[str, NDArray[Any]] = {}
        self._free_outputs: list[tuple[int, str]] = []
        self._closed = False
        for index, spec in enumerate(self._outputs):
            if -1 in spec.shape:
                self._free_outputs.append((index, spec.name))
                continue
            array = np.zeros(spec.shape, dtype=spec.dtype)
            self._request.set_output_tensor(index, openvino.Tensor(array, shared_memory=True))
            self._results[spec.name] = array

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        return self._inputs

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        return self._outputs

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        if self._closed:
            raise BackendError(f"the session of {self._name} is closed", "open it again")
        try:
            for index, spec in enumerate(self._inputs):
                array = feeds[spec.name]
                if array is self._fed.get(spec.name):
                    continue
                whole = np.ascontiguousarray(array, dtype=self._dtypes[spec.name])
                self._request.set_input_tensor(index, openvino.Tensor(whole, shared_memory=True))
                if whole is array:
                    self._fed[spec.name] = array
                else:
                    self._fed.pop(spec.name, None)
            self._request.infer()
            for index, name in self._free_outputs:
                self._results[name] = self._request.get_output_tensor(index).data.copy()
        except KeyError as error:
            raise BackendError(f"{self._name} was not fed its input {error}", "feed every input") from error
        except (RuntimeError, TypeError, ValueError) as error:
            self._fed.clear()
            raise BackendError(
                f"OpenVINO failed to run {self._name}: {_reason(error)}", "try another backend or device"
            ) from error
        return dict(self._results)

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._fed.clear()
            self._results.clear()
            del self._request


def _check_device(core: openvino.Core, device: str) -> None:
    present = core.available_devices
    base = device.upper().partition(":")[0].partition(".")[0]
    if base not in {"AUTO", "MULTI", "HETERO"} | {name.partition(".")[0] for name in present}:
        raise BackendError(
            f"OpenVINO finds no device {device!r} here",
            f"choose one of: {', '.join(present)} (a GPU or NPU also needs its driver)",
        )


def _properties(device: str, threads: int | None) -> dict[str, Any]:
    properties: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY", "PERFORMANCE_HINT_NUM_REQUESTS": 1}
    if device.upper() == "CPU":
        # On a CPU with bfloat16 the default is bfloat16, whose 8 bits of mantissa round a landmark
        # at pixel 100 to half a pixel: the face would tremble.
        properties["INFERENCE_PRECISION_HINT"] = "f32"
        if threads is not None:
            properties["INFERENCE_NUM_THREADS"] = threads
    return properties


def _with_picture_input(model: openvino.Model, picture: InputSpec) -> openvino.Model:
    """The model fed uint8 NHWC BGR: conversion, channel order and normalisation become part of its graph."""
    port = _picture_port(model)
    nhwc = [1, picture.height, picture.width, 3]
    shape = nhwc if picture.layout == "nhwc" else [1, 3, picture.height, picture.width]
    if port.get_partial_shape().is_dynamic:
        model.reshape({port.any_name: shape})
    elif list(port.get_shape()) != shape:
        raise RuntimeError(f"its picture input is {list(port.get_shape())}, not {shape}")
    processor = PrePostProcessor(model)
    entry = processor.input(port.any_name)
    entry.tensor().set_element_type(openvino.Type.u8).set_shape(nhwc).set_layout(openvino.Layout("NHWC"))
    entry.tensor().set_color_format(ColorFormat.BGR)
    entry.model().set_layout(openvino.Layout(picture.layout.upper()))
    steps = entry.preprocess().convert_element_type(openvino.Type.f32)
    if picture.normalisation.order == "rgb":
        steps.convert_color(ColorFormat.RGB)
    if picture.normalisation.mean != 0:
        steps.mean([picture.normalisation.mean] * 3)
    if picture.normalisation.scale != 1:
        steps.scale([picture.normalisation.scale] * 3)
    return processor.build()


def _picture_port(model: openvino.Model) -> Any:
    for port in model.inputs:
        if len(port.get_partial_shape()) == 4:
            return port
    raise RuntimeError("it has no picture input (none has four dimensions)")


def _spec(name: str, port: Any) -> TensorSpec:
    shape = tuple(
        -1 if dimension.is_dynamic else int(dimension.get_length()) for dimension in port.get_partial_shape()
    )
    return TensorSpec(name, shape, np.dtype(port.get_element_type().to_dtype()).name)


def _reason(error: BaseException) -> str:
    """The last line of OpenVINO's message that says something; the lines before it name its own sources."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    telling = [line for line in lines if not line.startswith(("Exception from", "Check '", "FrontEnd API"))]
    return (telling or lines or [type(error).__name__])[-1].rstrip(".")
