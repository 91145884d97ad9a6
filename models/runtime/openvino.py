"""Networks run by OpenVINO, from .tflite, .onnx or .xml."""

import logging
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from models.errors import BackendError
from models.runtime.base import InputSpec, PictureOut, TensorSpec
from models.runtime.complaints import unreadable
from models.runtime.decode import PictureDecoder, not_finite
from models.runtime.kept import kept_folder
from models.runtime.pictures import find_output, given_shape
from models.runtime.proof import blank

# Importing openvino reports the import to Google Analytics and leaves a client id in the home folder,
# unasked. It does without when this package cannot be imported, which None in sys.modules brings about.
cast(dict[str, object], sys.modules).setdefault("openvino_telemetry", None)

import openvino  # noqa: E402

from models.runtime.openvino_pictures import give_pictures, take_pictures  # noqa: E402

__all__ = ["DRIVERS", "OpenVinoSession", "device_names", "devices", "reason"]

_log = logging.getLogger(__name__)

DRIVERS: Mapping[str, str] = MappingProxyType(
    {
        "GPU": "an Intel GPU with its driver: on Linux intel-opencl-icd, and /dev/dri/renderD*",
        "NPU": "an Intel NPU with its driver: on Linux intel-driver-compiler-npu, and /dev/accel",
    }
)
"""What OpenVINO's devices need to be there."""
_FOLDS_OUTPUT = frozenset({"GPU", "NPU"})
"""Devices that decode a picture in the graph: a quarter of the bytes then come back from them. On a CPU one
pass after it is faster: 512 px through a network of one multiplication took 0.85 ms so, and 3.2 to 6.9 ms in
the graph (two cores)."""
_CHOOSING = frozenset({"AUTO", "MULTI", "HETERO"})
"""Devices that are a choice among others."""
_ALWAYS = _CHOOSING | {"CPU"}
"""Not looked for: that wakes the driver of every device there is, 30 ms of each start."""


def devices() -> tuple[str, ...]:
    """What OpenVINO can run on here: "CPU", "GPU.0" and so on."""
    return tuple(openvino.Core().available_devices)


def device_names() -> dict[str, str]:
    """Each device with its maker's name for it: {"CPU": "Intel(R) Core(TM) i5"}."""
    core = openvino.Core()
    return {
        device: str(core.get_property(device, "FULL_DEVICE_NAME")).strip()
        for device in core.available_devices
    }


class OpenVinoSession:
    """One network, one request, tuned for the delay of a single frame.

    Inputs are read where they lie when they are C-contiguous and of the input's type; outputs with a fixed
    shape are written to the same arrays by every run.
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
        core = openvino.Core()
        device = device.upper()
        _check_device(core, device)
        try:
            model = core.read_model(path)
            # Compiling folds layers together and hands their names on: an output may answer to several.
            input_names = [port.any_name for port in model.inputs]
            output_names = [port.any_name for port in model.outputs]
            specs = (
                tuple(map(_spec, input_names, model.inputs)),
                tuple(map(_spec, output_names, model.outputs)),
            )
            if picture is not None:
                model = take_pictures(model, specs[0], picture, path.name)
            self._picture_output: int | None = None
            self._decoder: PictureDecoder | None = None
            if picture_out is not None:
                self._picture_output = find_output(specs[1], picture_out, path.name)
                if device.partition(".")[0] in _FOLDS_OUTPUT:
                    give_pictures(model, self._picture_output, picture_out)
                else:
                    self._decoder = PictureDecoder(picture_out)
        except RuntimeError as error:
            raise unreadable(path, reason(error)) from error
        try:
            compiled = _compiled(core, model, device, self._tuning(device, threads))
            self._request = compiled.create_infer_request()
        except RuntimeError as error:
            raise BackendError(
                f"OpenVINO cannot prepare {path.name} for {device}: {reason(error)}",
                "try the device CPU, or another backend",
            ) from error
        if device.partition(":")[0] in _CHOOSING:
            _log.info("OpenVINO runs %s on %s", path.name, ", ".join(_executing(compiled)))
        self._name = path.name
        self._inputs = tuple(map(_spec, input_names, compiled.inputs))
        # One more than there are names for is `give_pictures`' own.
        self._network_outputs = tuple(
            _spec(name, port) for name, port in zip(output_names, compiled.outputs, strict=False)
        )
        self._outputs = self._network_outputs
        if self._picture_output is not None and picture_out is not None and self._decoder is not None:
            own = self._outputs[self._picture_output]
            given = TensorSpec(own.name, given_shape(own.shape, picture_out), "uint8")
            index = self._picture_output
            self._outputs = (*self._outputs[:index], given, *self._outputs[index + 1 :])
        self._dtypes = {spec.name: np.dtype(spec.dtype) for spec in self._inputs}
        self._fed: dict[str, NDArray[Any]] = {}
        self._results: dict[str, NDArray[Any]] = {}
        self._free_outputs: list[tuple[int, str]] = []
        self._closed = False
        for index, spec in enumerate(self._network_outputs):
            if -1 in spec.shape:
                self._free_outputs.append((index, spec.name))
                continue
            array = np.zeros(spec.shape, dtype=spec.dtype)
            self._request.set_output_tensor(index, openvino.Tensor(array, shared_memory=True))
            self._results[spec.name] = array

    def _tuning(self, device: str, threads: int | None) -> dict[str, Any]:
        """How the network is compiled; `openvino_overlap` has more than one request."""
        return _properties(device, threads)

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
                f"OpenVINO failed to run {self._name}: {reason(error)}", "try another backend or device"
            ) from error
        return self._decoded(dict(self._results), self._request, self._decoder, zeros=zeros)

    def _decoded(
        self,
        results: dict[str, NDArray[Any]],
        request: Any,
        decoder: PictureDecoder | None,
        *,
        zeros: bool,
    ) -> dict[str, NDArray[Any]]:
        """`results` with the picture in them as a picture. Raises SwapError when it is none."""
        if self._picture_output is None:
            return results
        name = self._outputs[self._picture_output].name
        if decoder is not None:
            results[name], finite = decoder.decode(results[name])
        else:
            finite = np.isfinite(request.get_output_tensor(len(self._outputs)).data).tolist()
        if not zeros and not all(finite):
            raise not_finite(self._name, name, finite)
        return results

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._fed.clear()
            self._results.clear()
            del self._request


def _check_device(core: openvino.Core, device: str) -> None:
    base = device.partition(":")[0].partition(".")[0]
    if base in _ALWAYS:
        return
    present = core.available_devices
    if device in present or base in {name.partition(".")[0] for name in present}:
        return
    need = DRIVERS.get(base)
    raise BackendError(
        f"OpenVINO finds no device {device!r} here",
        f"choose one of: {', '.join((*present, 'AUTO'))}" + (f" ({base} takes {need})" if need else ""),
    )


def _compiled(core: openvino.Core, model: openvino.Model, device: str, properties: dict[str, Any]) -> Any:
    """Out of the cache, if it is there. A cache that cannot be read or written only costs time."""
    folder = kept_folder("openvino", openvino.get_version().split("-releases")[0])
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return core.compile_model(model, device, properties | {"CACHE_DIR": str(folder)})
    except (OSError, RuntimeError) as error:
        _log.debug("OpenVINO goes without its cache in %s: %s", folder, reason(error))
        return core.compile_model(model, device, properties)


def _executing(compiled: Any) -> list[str]:
    return [str(name) for name in compiled.get_property("EXECUTION_DEVICES")]


def _properties(device: str, threads: int | None) -> dict[str, Any]:
    properties: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY", "PERFORMANCE_HINT_NUM_REQUESTS": 1}
    base = device.partition(".")[0]
    if base == "CPU":
        # On a CPU with bfloat16 the default is bfloat16, whose 8 bits of mantissa round a landmark
        # at pixel 100 to half a pixel: the face would tremble.
        properties["INFERENCE_PRECISION_HINT"] = "f32"
        if threads is not None:
            properties["INFERENCE_NUM_THREADS"] = threads
    elif base == "GPU":
        # The default is float16; in this mode a network keeps the precision of its file.
        properties["EXECUTION_MODE_HINT"] = "ACCURACY"
    return properties


def _spec(name: str, port: Any) -> TensorSpec:
    shape = tuple(
        -1 if dimension.is_dynamic else int(dimension.get_length()) for dimension in port.get_partial_shape()
    )
    return TensorSpec(name, shape, np.dtype(port.get_element_type().to_dtype()).name)


def reason(error: BaseException) -> str:
    """The last line of OpenVINO's message that says something; the lines before it name its own sources."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    telling = [line for line in lines if not line.startswith(("Exception from", "Check '", "FrontEnd API"))]
    return (telling or lines or [type(error).__name__])[-1].rstrip(".")
