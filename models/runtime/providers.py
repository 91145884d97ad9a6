"""ONNX Runtime's execution providers: their names, what they need, and their options, typed.

Nothing here imports onnxruntime.
"""

import difflib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl

from models.errors import BackendError

__all__ = [
    "PROVIDERS",
    "CoreMlOptions",
    "CudaOptions",
    "DirectMlOptions",
    "OpenVinoOptions",
    "Provider",
    "Request",
    "TensorRtOptions",
    "parse_request",
]

_SUFFIX = "ExecutionProvider"


@dataclass(frozen=True, slots=True)
class CudaOptions:
    """Of CUDAExecutionProvider; names and values are ONNX Runtime's. None leaves it to ONNX Runtime."""

    device_id: int = 0
    cudnn_conv_algo_search: str = "HEURISTIC"
    """EXHAUSTIVE, the default, times every algorithm at the first run: seconds for a large network."""
    arena_extend_strategy: str = "kSameAsRequested"
    use_tf32: bool = False
    """TF32 rounds to 10 bits of mantissa: a landmark would move by a tenth of a pixel."""
    gpu_mem_limit: int | None = None


@dataclass(frozen=True, slots=True)
class TensorRtOptions:
    """Of TensorrtExecutionProvider. Engines are kept in `trt_engine_cache_path`."""

    device_id: int = 0
    trt_engine_cache_enable: bool = True
    trt_engine_cache_path: str | None = None
    trt_timing_cache_enable: bool = True
    trt_fp16_enable: bool = False
    trt_int8_enable: bool = False
    trt_cuda_graph_enable: bool = False


@dataclass(frozen=True, slots=True)
class OpenVinoOptions:
    """Of OpenVINOExecutionProvider, where it is part of the onnxruntime that is installed."""

    device_type: str = "CPU"
    num_of_threads: int | None = None
    cache_dir: str | None = None


@dataclass(frozen=True, slots=True)
class CoreMlOptions:
    """Of CoreMLExecutionProvider."""

    ModelFormat: str = "MLProgram"
    MLComputeUnits: str = "ALL"
    RequireStaticInputShapes: bool = False


@dataclass(frozen=True, slots=True)
class DirectMlOptions:
    """Of DmlExecutionProvider."""

    device_id: int = 0


@dataclass(frozen=True, slots=True)
class Provider:
    """One execution provider."""

    name: str
    """Ours, in lower case."""
    ort_name: str
    install: str
    """What to do when it is missing."""
    options: type[Any] | None = None
    """The dataclass of the options that are checked here; others are handed on as they are."""
    unit: str = "device_id"
    """The option that chooses among several devices."""
    plugin: str = ""
    """The package that brings it as a plug-in, to be registered."""
    beneath: tuple[str, ...] = ()
    """Providers that take what this one does not, before the CPU does."""


_ONE_WHEEL = "only one of ONNX Runtime's packages at a time"


def _table() -> Mapping[str, Provider]:
    rows = (
        Provider("cpu", f"CPU{_SUFFIX}", 'pip install "realtime-face[cpu]"'),
        Provider(
            "cuda",
            f"CUDA{_SUFFIX}",
            f'pip uninstall onnxruntime, then pip install "realtime-face[cuda]" ({_ONE_WHEEL}); '
            "it needs NVIDIA's driver 580 or later",
            CudaOptions,
        ),
        Provider(
            "tensorrt",
            f"Tensorrt{_SUFFIX}",
            'pip install "realtime-face[cuda]" and TensorRT 10 (pip install "tensorrt-cu13<11"), '
            "or use the backend tensorrt",
            TensorRtOptions,
            beneath=(f"CUDA{_SUFFIX}",),
        ),
        Provider(
            "tensorrt-rtx",
            f"NvTensorRTRTX{_SUFFIX}",
            "pip install onnxruntime-ep-nv-tensorrt-rtx-cu13; it needs an NVIDIA RTX card and its driver",
            plugin="onnxruntime_ep_nv_tensorrt_rtx",
        ),
        Provider(
            "openvino",
            f"OpenVINO{_SUFFIX}",
            "pip install onnxruntime-ep-openvino, or use the backend openvino",
            OpenVinoOptions,
            unit="device_type",
            plugin="onnxruntime_ep_openvino",
        ),
        Provider(
            "coreml",
            f"CoreML{_SUFFIX}",
            "it is part of onnxruntime on macOS",
            CoreMlOptions,
            unit="MLComputeUnits",
        ),
        Provider(
            "directml",
            f"Dml{_SUFFIX}",
            f"on Windows: pip uninstall onnxruntime, then pip install onnxruntime-directml ({_ONE_WHEEL})",
            DirectMlOptions,
        ),
        Provider("migraphx", f"MIGraphX{_SUFFIX}", "install AMD's build, onnxruntime-migraphx, with ROCm"),
        Provider("cann", f"CANN{_SUFFIX}", "install onnxruntime-cann, with Huawei's CANN toolkit"),
        Provider("qnn", f"QNN{_SUFFIX}", "install onnxruntime-qnn, on a Snapdragon", unit="backend_path"),
        Provider("acl", f"ACL{_SUFFIX}", "build ONNX Runtime with the Arm Compute Library"),
        Provider("xnnpack", f"Xnnpack{_SUFFIX}", "build ONNX Runtime with XNNPACK"),
    )
    return MappingProxyType({row.name: row for row in rows})


PROVIDERS = _table()


@dataclass(frozen=True, slots=True)
class Request:
    """A provider with its device and options, as the user wrote them."""

    provider: Provider
    unit: str = ""
    """Which device of the provider: a number, or "GPU"; empty for its first."""
    given: Mapping[str, str] = field(default_factory=dict)

    def options(self) -> dict[str, str]:
        """What ONNX Runtime is given. Raises BackendError for an option of a wrong type."""
        provider = self.provider
        import msgspec

        given = dict(self.given)
        if self.unit:
            given.setdefault(provider.unit, self.unit)
        if provider.options is None:
            return given
        known = provider.options.__dataclass_fields__
        checked = {name: value for name, value in given.items() if name in known}
        try:
            typed = msgspec.convert(checked, provider.options, strict=False)
        except msgspec.ValidationError as error:
            raise BackendError(
                f"an option of {provider.name} is wrong: {error}",
                f"its options are {', '.join(known)}",
            ) from error
        plain = {name: _plain(value) for name, value in asdict(typed).items() if value is not None}
        return given | plain

    def __str__(self) -> str:
        return self.provider.name.upper() + (f":{self.unit}" if self.unit else "")


def parse_request(device: str) -> Request:
    """Read "CUDA", "cuda:1", "openvino:GPU", "QNN?backend_path=libQnnHtp.so" or "MIGraphXExecutionProvider".

    A name that ends in ExecutionProvider and is not in the table is taken as it is: ONNX Runtime knows it or
    does not. Raises BackendError for any other unknown name.
    """
    place, _, query = device.partition("?")
    name, _, unit = place.partition(":")
    given = MappingProxyType(dict(parse_qsl(query, keep_blank_values=True)))
    for provider in PROVIDERS.values():
        if name.lower() in (provider.name, provider.ort_name.lower()):
            return Request(provider, unit, given)
    if name.endswith(_SUFFIX):
        row = Provider(name.removesuffix(_SUFFIX).lower(), name, "install an onnxruntime that has it")
        return Request(row, unit, given)
    nearest = difflib.get_close_matches(name.lower(), PROVIDERS, n=1, cutoff=0.7)
    raise BackendError(
        f"the backend 'onnx' has no device {device!r}",
        f"did you mean {nearest[0].upper()}?"
        if nearest
        else f"use one of: {', '.join(known.upper() for known in PROVIDERS)}, or a provider's full name",
    )


def _plain(value: object) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)
