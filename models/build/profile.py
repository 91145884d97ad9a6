"""Where ONNX Runtime and OpenVINO spend a network's time, by their own profilers."""

import json
import os
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from models.build.extra import needed, needed_openvino
from models.disk import disk_errors
from models.errors import BackendError

__all__ = ["OperatorTime", "by_layer", "by_operator", "keep_trace", "profile", "profile_openvino"]

_KERNEL = "_kernel_time"
"""What the names of the events end in that tell a node's own time."""
_COUNTED = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32", "PERF_COUNT": True}
"""As `models.runtime.openvino` has it, and the counters."""


@dataclass(frozen=True, slots=True)
class OperatorTime:
    """All nodes of one operator."""

    operator: str
    nodes: int
    ms: float
    """In one run of the network."""
    share: float
    """Of all operators, 0 to 1."""


def profile(
    file: Path, feeds: Mapping[str, NDArray[Any]], runs: int, trace: Path | None = None
) -> tuple[OperatorTime, ...]:
    """Run an .onnx file on the CPU provider with the profiler on; the slowest operator first.

    `trace` takes the profiler's own file, which chrome://tracing and ui.perfetto.dev draw.
    Raises BackendError when ONNX Runtime is missing or fails, and when the trace cannot be written.
    """
    onnxruntime = needed("onnxruntime", "a profile")
    with tempfile.TemporaryDirectory(prefix="realtime-profile-") as folder:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.enable_profiling = True
        options.profile_file_prefix = str(Path(folder) / "profile")
        try:
            session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
            for _ in range(runs):
                session.run(None, dict(feeds))
            written = Path(session.end_profiling())
        except Exception as error:  # its exception classes have no public base but this one
            raise BackendError(
                f"ONNX Runtime cannot profile {file.name}: {str(error).strip().splitlines()[0]}",
                "try without --profile",
            ) from error
        events = json.loads(written.read_text(encoding="utf-8"))
        if trace is not None:
            keep_trace(written, trace)
    return by_operator(events, runs)


def keep_trace(written: Path, trace: Path) -> None:
    """Copy a trace to its place, whole or not at all. Raises BackendError."""
    with disk_errors(trace.parent, "the trace", "name a folder", BackendError):
        trace.parent.mkdir(parents=True, exist_ok=True)
        part = trace.with_name(f"{trace.name}.part")
        shutil.copyfile(written, part)
        os.replace(part, trace)


def by_operator(events: Iterable[Mapping[str, Any]], runs: int) -> tuple[OperatorTime, ...]:
    """From the profiler's events (Chrome's trace format, durations in microseconds)."""
    return by_layer(
        (
            (str(event["name"]), str(event.get("args", {}).get("op_name", "?")), float(event["dur"]))
            for event in events
            if event.get("cat") == "Node" and str(event.get("name", "")).endswith(_KERNEL)
        ),
        runs,
    )


def by_layer(layers: Iterable[tuple[str, str, float]], runs: int) -> tuple[OperatorTime, ...]:
    """From (name, operator, microseconds) of every layer in every run."""
    spent_us: dict[str, float] = defaultdict(float)
    nodes: dict[str, set[str]] = defaultdict(set)
    for name, operator, us in layers:
        spent_us[operator] += us
        nodes[operator].add(name)
    total_us = sum(spent_us.values()) or 1.0
    rows = (
        OperatorTime(operator, len(nodes[operator]), us / 1e3 / runs, us / total_us)
        for operator, us in spent_us.items()
    )
    return tuple(sorted(rows, key=lambda row: -row.ms))


def profile_openvino(file: Path, feeds: Mapping[str, NDArray[Any]], runs: int) -> tuple[OperatorTime, ...]:
    """Run a file on OpenVINO's CPU with its counters on; the slowest kind of layer first.

    `feeds` are in the order of the inputs. Raises BackendError when OpenVINO is missing or fails.
    """
    openvino = needed_openvino("a profile")
    layers = []
    try:
        core = openvino.Core()
        request = core.compile_model(core.read_model(file), "CPU", dict(_COUNTED)).create_infer_request()
        for _ in range(runs):
            request.infer(list(feeds.values()))
            layers += [
                (one.node_name, f"{one.node_type} {one.exec_type}", one.real_time.total_seconds() * 1e6)
                for one in request.profiling_info
                if one.status == one.status.EXECUTED
            ]
    except RuntimeError as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise BackendError(
            f"OpenVINO cannot profile {file.name}: {lines[-1]}", "try without --profile"
        ) from error
    return by_layer(layers, runs)
