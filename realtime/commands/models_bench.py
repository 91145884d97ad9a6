"""`realtime models bench [NAME|FILE ...] [--stand-ins]`."""

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from models.build.plan import variants
from models.build.profile import OperatorTime, profile, profile_openvino
from models.build.rounds import Figures, Side, measure, precision_of
from models.build.stand_ins import STAND_INS
from models.catalog import DEFAULT_CHAIN
from models.runtime.registry import BACKENDS, installed
from realtime.bench.machine import machine
from realtime.commands.bench_sides import device_of, feeds_of, places, precision_words, print_table, takes
from realtime.commands.model_files import named_file
from realtime.telemetry.process import rss_mb

__all__ = ["models_bench"]

HEAD = (
    "model",
    "backend",
    "device",
    "precision",
    "p50 ms",
    "p95 ms",
    "fps",
    "x fp32",
    "MB",
    "PSNR dB",
    "max error",
)
LEGEND = (
    "x fp32: how many times as fast as the model's first FP32 row; PSNR and max error: against that row",
    "MB: what opening and the first runs added to the program's memory; one picture at a time, as live",
)
PROFILE_RUNS = 10
PROFILE_ROWS = 8


def models_bench(args: argparse.Namespace) -> int:
    """Time models, each with the builds beside it, on every backend that runs here. 1 when none ran."""
    if args.in_turn:
        from realtime.commands.models_in_turn import models_in_turn

        return models_in_turn(args)
    words = list(args.names) + (list(STAND_INS) if args.stand_ins else [])
    among = places(args.backend)
    found: list[dict[str, Any]] = []
    rows: list[tuple[str, ...]] = [HEAD]
    notes: list[str] = []
    profiles: list[str] = []
    for word in words or DEFAULT_CHAIN:
        named = named_file(word)
        feeds = feeds_of(named)
        files = (named.path, *variants(named.path))
        sides = [
            Side(file, backend, device) for file in files for backend, device in among if takes(backend, file)
        ]
        measured = measure(sides, feeds, rss_mb=rss_mb, runs=args.runs)
        plain = next(
            (one for one in measured if not one.reason and precision_of(one.side.file) == "fp32"), None
        )
        for figures in measured:
            found.append(_record(named.name, figures, plain))
            if figures.reason:
                notes.append(f"{_place(figures.side)}: {figures.reason}")
            else:
                rows.append(_row(named.name, figures, plain))
        if args.profile or args.trace is not None:
            for file in files:
                for record, lines in _profiles(file, feeds, args.trace):
                    found.append({"model": named.name, "file": file.name, **record})
                    profiles += lines
    if args.json:
        print(json.dumps({"rows": found, "machine": machine()}, indent=2))
    else:
        print_table(rows, 4)
        if len(rows) > 1:
            print(*LEGEND, _machine(), sep="\n")
        print("".join(f"\n{line}" for line in profiles), end="\n" if profiles else "")
        for note in dict.fromkeys(notes):
            print(f"not run: {note}")
    return 0 if any("p50_ms" in one for one in found) else 1


def _machine() -> str:
    here = machine()
    return f"on {here['processor']}, {here['cores']} cores, {here['system']}, Python {here['python']}"


def _place(side: Side) -> str:
    return side.backend if side.device is None else f"{side.backend}:{side.device}"


def _row(name: str, figures: Figures, plain: Figures | None) -> tuple[str, ...]:
    error = ("-", "-")
    if figures.agreements:
        worst = min(figures.agreements, key=lambda one: one.psnr_db)
        error = (f"{min(worst.psnr_db, 199):.1f}", f"{max(o.max_abs for o in figures.agreements):.2g}")
    return (
        name,
        figures.side.backend,
        device_of(figures.side),
        precision_words(figures.side.file),
        f"{figures.p50_ms:.1f}",
        f"{figures.p95_ms:.1f}",
        f"{1000 / figures.p50_ms:.1f}",
        "-" if plain is None else f"{plain.p50_ms / figures.p50_ms:.2f}",
        f"{figures.memory_mb:.0f}",
        *error,
    )


def _record(name: str, figures: Figures, plain: Figures | None) -> dict[str, Any]:
    side = figures.side
    record = {"model": name, "file": side.file.name, "backend": side.backend, "device": device_of(side)}
    record["precision"] = precision_of(side.file)
    if figures.reason:
        return record | {"reason": figures.reason}
    return record | {
        "p50_ms": figures.p50_ms,
        "p95_ms": figures.p95_ms,
        "rate_hz": 1000 / figures.p50_ms,
        "speed_up": None if plain is None else plain.p50_ms / figures.p50_ms,
        "runs": len(figures.runs_ms),
        "memory_mb": figures.memory_mb,
        "error": [
            {"output": o.output, "max_abs": o.max_abs, "rms": o.rms, "psnr_db": o.psnr_db, "cosine": o.cosine}
            for o in figures.agreements
        ],
    }


def _profiles(
    file: Path, feeds: dict[str, Any], folder: Path | None
) -> Iterator[tuple[dict[str, Any], list[str]]]:
    """For each profiler that is here and reads the file: what it says, for programs and for people."""
    if takes("onnx", file) and installed(BACKENDS["onnx"]):
        trace = None if folder is None else folder / f"{file.name}.trace.json"
        operators = profile(file, feeds, PROFILE_RUNS, trace)
        lines = _profile_lines(f"{file.name}, ONNX Runtime", operators)
        if trace is not None:
            lines.append(f"  trace: {trace} (open it in chrome://tracing or ui.perfetto.dev)")
        yield (
            {
                "profiler": "onnx",
                "profile": _told(operators),
                "trace": None if trace is None else str(trace),
            },
            lines,
        )
    if takes("openvino", file) and installed(BACKENDS["openvino"]):
        operators = profile_openvino(file, feeds, PROFILE_RUNS)
        yield (
            {"profiler": "openvino", "profile": _told(operators)},
            _profile_lines(f"{file.name}, OpenVINO", operators),
        )


def _told(operators: Sequence[OperatorTime]) -> list[dict[str, Any]]:
    return [
        {"operator": one.operator, "nodes": one.nodes, "ms": one.ms, "share": one.share} for one in operators
    ]


def _profile_lines(title: str, operators: Sequence[OperatorTime]) -> list[str]:
    return [
        f"{title}: the slowest operators, ms of one run",
        *(
            f"  {one.operator:38s} {one.nodes:4d} nodes {one.ms:9.2f} ms {100 * one.share:5.1f} %"
            for one in operators[:PROFILE_ROWS]
        ),
    ]
