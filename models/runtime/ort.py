"""Opens a session of ONNX Runtime on the provider that was asked for, and on no other.

ONNX Runtime by itself goes on with the CPU when a provider does not start, says so on standard error at
most, and names the provider in `get_available_providers()` all the same. Here that is a BackendError.
"""

import contextlib
import ctypes
import importlib
import importlib.metadata
import io
import logging
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import onnxruntime

from models.errors import BackendError
from models.runtime.complaints import unreadable
from models.runtime.kept import kept_folder
from models.runtime.providers import Provider, Request

__all__ = ["DISTRIBUTIONS", "clash", "first_line", "open_inference", "plugin_devices"]

_log = logging.getLogger(__name__)

DISTRIBUTIONS = (
    "onnxruntime",
    "onnxruntime-gpu",
    "onnxruntime-directml",
    "onnxruntime-openvino",
    "onnxruntime-qnn",
    "onnxruntime-migraphx",
    "onnxruntime-cann",
)
"""Packages that all own the folder `onnxruntime`: the last one installed overwrites the others."""
_CPU = "CPUExecutionProvider"
_CODE = re.compile(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ")
_OWN_SOURCES = re.compile(r"/onnxruntime_src/\S+ .*?\) (?=[A-Z])")
_ONLY_FATAL = 4  # ONNX Runtime's log levels; what is worse than a warning comes as an exception anyway


@cache
def clash(distributions: tuple[str, ...] = DISTRIBUTIONS) -> str:
    """What to do when several packages of ONNX Runtime are installed over each other; empty when all is well.

    A cure is a sentence such as "pip uninstall onnxruntime onnxruntime-gpu, then install the one you want".
    """
    found = [name for name in distributions if _installed(name)]
    return f"pip uninstall {' '.join(found)}, then install the one you want" if len(found) > 1 else ""


def open_inference(
    path: Path, request: Request, threads: int | None, sizes: Mapping[str, int]
) -> onnxruntime.InferenceSession:
    """A session on the provider of `request`, proven to be on it; `sizes` pins free dimensions by name.

    Raises BackendError when the provider is missing, does not start or takes no layer of the network, and
    ModelError when the file is not understood.
    """
    provider = request.provider
    _quieten()
    options = _session_options(provider, threads, sizes)
    chosen = _place(request, options)
    try:
        session = onnxruntime.InferenceSession(path, options, enable_fallback=0, **chosen)
    except Exception as error:  # its exception classes have no public base but this one
        if provider.ort_name == _CPU:
            raise unreadable(path, first_line(error)) from error
        raise BackendError(
            f"{provider.ort_name} cannot run {path.name}: {first_line(error)}", provider.install
        ) from error
    session.disable_fallback()
    _check_providers(session, request, path.name)
    return session


def plugin_devices(provider: Provider, unit: str = "") -> list[Any]:
    """The devices that the provider's plug-in package offers here, after registering it once.

    Raises BackendError when the package is missing, does not load or offers nothing.
    """
    try:
        package = importlib.import_module(provider.plugin)
    except (ImportError, OSError) as error:
        raise BackendError(
            f"the provider {provider.name} cannot be loaded: {error}", provider.install
        ) from error
    try:
        _register(provider.ort_name, str(package.get_library_path()))
    except Exception as error:  # see above; one plug-in wants libcuda, another its own libraries
        raise BackendError(
            f"the plug-in {provider.plugin} does not start: {first_line(error)}", provider.install
        ) from error
    offered = [device for device in onnxruntime.get_ep_devices() if device.ep_name == package.get_ep_name()]
    if unit.isdigit():
        offered = offered[int(unit) : int(unit) + 1]
    elif unit:
        offered = [device for device in offered if device.device.type.name == unit.upper()]
    if not offered:
        raise BackendError(
            f"the plug-in {provider.plugin} finds no device{f' {unit}' if unit else ''} here that it can use",
            "use another backend, or install the driver of the device",
        )
    return offered


@cache
def _quieten() -> None:
    """What it complains of comes as an exception, or is asked for: it prints the rest in red."""
    onnxruntime.set_default_logger_severity(_ONLY_FATAL)


@cache
def _register(name: str, library: str) -> None:
    onnxruntime.register_execution_provider_library(name, library)


def _session_options(
    provider: Provider, threads: int | None, sizes: Mapping[str, int]
) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _ONLY_FATAL
    # Its threads otherwise burn the cores after each run while they wait for the next one.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
    if threads is not None:
        options.intra_op_num_threads = threads
    for name, size in sizes.items():
        options.add_free_dimension_override_by_name(name, size)
    if provider.name == "directml":  # it supports neither, says ONNX Runtime's page on DirectML
        options.enable_mem_pattern = False
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    return options


def _place(request: Request, options: onnxruntime.SessionOptions) -> dict[str, Any]:
    """The arguments that put a session on the provider. Raises BackendError when it is not there."""
    provider = request.provider
    available = onnxruntime.get_available_providers()
    if clash():
        _warn_of_clash()
    if provider.plugin and provider.ort_name not in available:
        options.add_provider_for_devices(plugin_devices(provider, request.unit)[:1], dict(request.given))
        return {}
    if provider.ort_name not in available:
        there = ", ".join(name.removesuffix("ExecutionProvider") for name in available)
        raise BackendError(
            f"the installed onnxruntime {onnxruntime.__version__} has no {provider.ort_name}: it has {there}",
            clash() or provider.install,
        )
    if "CUDAExecutionProvider" in (provider.ort_name, *provider.beneath):
        _preload_cuda()
    settings = request.options()
    if provider.name == "tensorrt" and "trt_engine_cache_path" not in settings:
        folder = kept_folder("onnxruntime-tensorrt", onnxruntime.__version__)
        settings["trt_engine_cache_path"] = settings["trt_timing_cache_path"] = str(folder)
    chosen: list[Any] = [(provider.ort_name, settings)]
    chosen += [name for name in provider.beneath if name in available]
    return {"providers": chosen}


@cache
def _warn_of_clash() -> None:
    _log.warning("several packages of ONNX Runtime are installed over each other: %s", clash())


@cache
def _preload_cuda() -> None:
    """Load NVIDIA's libraries from their wheels, if they are there: it prints what it does not find."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        onnxruntime.preload_dlls(directory="")
    for line in said.getvalue().splitlines():
        _log.debug("onnxruntime: %s", line)


def _check_providers(session: onnxruntime.InferenceSession, request: Request, name: str) -> None:
    provider = request.provider
    running = session.get_providers()
    if provider.ort_name not in running:
        raise BackendError(
            f"{provider.ort_name} is listed but does not start here ({_unloadable(provider)}): "
            f"onnxruntime would run {name} on the {running[0].removesuffix('ExecutionProvider')}",
            clash() or provider.install,
        )
    if provider.ort_name == _CPU or not hasattr(session, "get_provider_graph_assignment_info"):
        return
    layers = {_CPU: 0, provider.ort_name: 0}
    for part in session.get_provider_graph_assignment_info():
        layers[part.ep_name] = layers.get(part.ep_name, 0) + len(part.get_nodes())
    if not layers[provider.ort_name]:
        raise BackendError(
            f"{provider.ort_name} takes no layer of {name}: all {sum(layers.values())} would run elsewhere",
            "use another backend for this model",
        )
    if layers[_CPU]:
        _log.info(
            "%s: %d layers on %s, %d on the CPU", name, layers[provider.ort_name], request, layers[_CPU]
        )


def _unloadable(provider: Provider) -> str:
    """Why the library of a provider does not load: ONNX Runtime tells it on standard error only."""
    folder = Path(onnxruntime.__file__).parent / "capi"
    stem = f"onnxruntime_providers_{provider.name}"
    try:
        for file in (*folder.glob("*onnxruntime_providers_shared*"), *folder.glob(f"*{stem}.*")):
            ctypes.CDLL(str(file), ctypes.RTLD_GLOBAL)
    except OSError as error:
        return str(error).partition(": cannot open")[0] + (
            " is missing" if "cannot open" in str(error) else ""
        )
    return "it finds no device, or its driver is too old"


def first_line(error: BaseException) -> str:
    """What an exception of ONNX Runtime says, without the names of its own sources."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return _OWN_SOURCES.sub("", _CODE.sub("", lines[0].strip())).rstrip(".")


def _installed(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True
