"""`realtime models bench [NAME|FILE ...] [--stand-ins]`."""

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from models.build.gate import open_reference
from models.build.plan import variants
from models.build.profile import profile
from models.build.rounds import Figures, Side, measure, precision_of
from models.build.samples import Samples
from models.build.stand_ins import STAND_INS
from models.catalog import DEFAULT_CHAIN
from models.runtime.registry import BACKENDS, resolve
from models.store import cache_folder
from realtime.bench.machine import machine
from realtime.calibration import faces_of, still_pictures
from realtime.commands.model_files import NamedFile, named_file
from realtime.telemetry.process import rss_mb

__all__ = ["models_bench"]

PLACES: tuple[tuple[str, str | None], ...] = (
    ("onnx", None),
    ("onnx", "cuda"),
    ("openvino", None),
    ("openvino", "GPU"),
)
"""(backend, device) that take part unless --backend names some; every other backend of the registry too."""
HEAD = ("model", "backend", "device", "precision", "p50 ms", "p95 ms", "fps", "MB", "PSNR dB", "max error")
PROFILE_RUNS = 10
PROFILE_ROWS = 8


def models_bench(args: argparse.Namespace) -> int:
    """Time models, each with the builds beside it, on every backend that runs here. 1 when none ran."""
    words = list(args.names) + (list(STAND_INS) if args.stand_ins else [])
    places = _places(args.backend)
    found: list[dict[str, Any]] = []
    rows: list[tuple[str, ...]] = [HEAD]
    notes: list[str] = []
    profiles: list[str] = []
    for word in words or DEFAULT_CHAIN:
        named = named_file(word)
        feeds = _feeds(named)
        files = (named.path, *variants(named.path))
        sides = [
            Side(file, backend, device)
            for file in files
            for backend, device in places
            if backend not in BACKENDS or file.suffix.lower() in BACKENDS[backend].suffixes
        ]
        for figures in measure(sides, feeds, rss_mb=rss_mb, runs=args.runs):
            found.append(_record(named.name, figures))
            if figures.reason:
                notes.append(f"{_place(figures.side)}: {figures.reason}")
            else:
                rows.append(_row(named.name, figures))
        if args.profile:
            for file in files:
                if file.suffix.lower() == ".onnx":
                    operators = profile(file, feeds, PROFILE_RUNS)
                    found.append({"model": named.name, "file": file.name, "profile": _told(operators)})
                    profiles += _profile_lines(file, operators)
    if args.json:
        print(json.dumps({"rows": found, "machine": machine()}, indent=2))
    else:
        _print_table(rows)
        print("".join(f"\n{line}" for line in profiles), end="\n" if profiles else "")
        for note in dict.fromkeys(notes):
            print(f"not run: {note}")
    return 0 if any("p50_ms" in one for one in found) else 1


def _places(asked: Sequence[str] | None) -> tuple[tuple[str, str | None], ...]:
    if asked:
        return tuple((name, device or None) for name, _, device in (word.partition(":") for word in asked))
    others = tuple((name, None) for name in BACKENDS if name not in dict(PLACES))
    return (*PLACES, *others)


def _feeds(named: NamedFile) -> dict[str, Any]:
    """One frame of the built-in still, as this network takes it."""
    pictures = faces_of(still_pictures(1), named.model, cache_folder())
    reference = open_reference(named.path)
    try:
        contract = named.model.contract.inputs if named.model is not None else ()
        feeds: dict[str, Any] = Samples(reference.inputs, contract, pictures)[0]
    finally:
        reference.close()
    return feeds


def _device(side: Side) -> str:
    return resolve(side.backend, side.device or "").device or "-"


def _place(side: Side) -> str:
    return side.backend if side.device is None else f"{side.backend}:{side.device}"


def _row(name: str, figures: Figures) -> tuple[str, ...]:
    error = ("-", "-")
    if figures.agreements:
        worst = min(figures.agreements, key=lambda one: one.psnr_db)
        error = (f"{min(worst.psnr_db, 199):.1f}", f"{max(o.max_abs for o in figures.agreements):.2g}")
    return (
        name,
        figures.side.backend,
        _device(figures.side),
        _precision(figures.side.file),
        f"{figures.p50_ms:.1f}",
        f"{figures.p95_ms:.1f}",
        f"{1000 / figures.p50_ms:.1f}",
        f"{figures.memory_mb:.0f}",
        *error,
    )


def _precision(file: Path) -> str:
    precision = precision_of(file)
    if "-tensorrt" in file.stem:
        precision += " trt"
    return f"{precision} ir" if file.suffix == ".xml" else precision


def _record(name: str, figures: Figures) -> dict[str, Any]:
    side = figures.side
    record = {"model": name, "file": side.file.name, "backend": side.backend, "device": _device(side)}
    record["precision"] = precision_of(side.file)
    if figures.reason:
        return record | {"reason": figures.reason}
    return record | {
        "p50_ms": figures.p50_ms,
        "p95_ms": figures.p95_ms,
        "rate_hz": 1000 / figures.p50_ms,
        "runs": len(figures.runs_ms),
        "memory_mb": figures.memory_mb,
        "error": [
            {"output": o.output, "max_abs": o.max_abs, "rms": o.rms, "psnr_db": o.psnr_db, "cosine": o.cosine}
            for o in figures.agreements
        ],
    }


def _told(operators: Sequence[Any]) -> list[dict[str, Any]]:
    return [
        {"operator": one.operator, "nodes": one.nodes, "ms": one.ms, "share": one.share} for one in operators
    ]


def _profile_lines(file: Path, operators: Sequence[Any]) -> Iterator[str]:
    yield f"{file.name}, ONNX Runtime's profile, ms of one run:"
    for one in operators[:PROFILE_ROWS]:
        yield f"  {one.operator:28s} {one.nodes:4d} nodes {one.ms:9.2f} ms {100 * one.share:5.1f} %"


def _print_table(rows: Sequence[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            cell.ljust(width) if number < 4 else cell.rjust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        print("  ".join(cells).rstrip())
