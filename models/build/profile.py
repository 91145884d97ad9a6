"""Where ONNX Runtime spends a network's time, by its own profiler."""

import json
import tempfile
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from models.build.extra import needed
from models.errors import BackendError

__all__ = ["OperatorTime", "by_operator", "profile"]

_KERNEL = "_kernel_time"
"""What the names of the events end in that tell a node's own time."""


@dataclass(frozen=True, slots=True)
class OperatorTime:
    """All nodes of one operator."""

    operator: str
    nodes: int
    ms: float
    """In one run of the network."""
    share: float
    """Of all operators, 0 to 1."""


def profile(file: Path, feeds: Mapping[str, NDArray[Any]], runs: int) -> tuple[OperatorTime, ...]:
    """Run an .onnx file on the CPU provider with the profiler on; the slowest operator first.

    Raises BackendError when ONNX Runtime is missing or fails.
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
    return by_operator(events, runs)


def by_operator(events: list[dict[str, Any]], runs: int) -> tuple[OperatorTime, ...]:
    """From the profiler's events (Chrome's trace format, durations in microseconds)."""
    spent_us: dict[str, float] = defaultdict(float)
    nodes: dict[str, set[str]] = defaultdict(set)
    for event in events:
        name = str(event.get("name", ""))
        if event.get("cat") == "Node" and name.endswith(_KERNEL):
            operator = str(event.get("args", {}).get("op_name", "?"))
            spent_us[operator] += float(event["dur"])
            nodes[operator].add(name)
    total_us = sum(spent_us.values()) or 1.0
    rows = (
        OperatorTime(operator, len(nodes[operator]), us / 1e3 / runs, us / total_us)
        for operator, us in spent_us.items()
    )
    return tuple(sorted(rows, key=lambda row: -row.ms))
