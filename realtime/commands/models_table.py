"""The models as a table for people and as JSON for programs."""

import os
import shutil
import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from textwrap import wrap
from typing import Any

from models.catalog import HttpsSource, ManualSource, Model, WheelSource
from models.fetch import State
from models.licences import licence

__all__ = ["models_json", "models_table", "terminal_width"]

MIB = 1024 * 1024
NARROWEST_ABOUT = 24
"""Columns below which what a model is for is left out."""
GAP = "  "
_ROLES = ("detector", "landmarker", "recogniser", "converter", "swapper", "enhancer", "mask")
"""In the order a frame meets them; any other role comes after."""

Row = tuple[Model, State]


def terminal_width() -> int | None:
    """Columns to keep to; None where the output goes to a file or a pipe and nobody set COLUMNS."""
    if not sys.stdout.isatty() and "COLUMNS" not in os.environ:
        return None
    return shutil.get_terminal_size().columns


def models_table(
    rows: Sequence[Row], folder: Path, default: Collection[str], width: int | None = None
) -> str:
    """A block for each role, at most `width` wide (None: `terminal_width()`), and what the marks mean."""
    limit = terminal_width() if width is None else width
    head = ("name", "family", "size", "licence", "state", "what it is for")
    cells = {
        model.name: (
            f"{GAP}{model.name}{'*' if model.name in default else ''}",
            model.family,
            _size(model),
            f"{model.licence}{'!' if licence(model.licence).restrictive else ''}",
            found.value,
            model.about,
        )
        for model, found in rows
    }
    shown = _columns([head, *cells.values()], limit)
    widths = [max(len(row[index]) for row in (head, *cells.values())) for index in shown]
    lines = [_line(head, shown, widths, limit)]
    for role in sorted({model.role for model, _ in rows}, key=_order):
        lines += ["", f"{role}s"]
        lines += [_line(cells[model.name], shown, widths, limit) for model, _ in rows if model.role == role]
    legend = _legend(rows, folder)
    if limit is not None:
        legend = [part for each in legend for part in wrap(each, limit, subsequent_indent=GAP)]
    return "\n".join([*lines, "", *legend])


def models_json(rows: Sequence[Row], folder: Path, default: Collection[str]) -> list[dict[str, Any]]:
    """One object a model; what is not known is null."""
    return [
        {
            "name": model.name,
            "role": model.role,
            "family": model.family,
            "about": model.about,
            "vendor": model.vendor or None,
            "licence": model.licence,
            "restrictive": licence(model.licence).restrictive,
            "state": found.value,
            "default": model.name in default,
            "path": str(folder / model.file),
            "size_bytes": model.size_bytes or None,
            "sha256": model.sha256 or None,
            "needs": list(model.needs),
            "source": _source(model),
        }
        for model, found in rows
    ]


def _source(model: Model) -> dict[str, Any]:
    source = model.source
    if isinstance(source, HttpsSource):
        return {"kind": "https", "urls": list(source.urls)}
    if isinstance(source, WheelSource):
        return {"kind": "wheel", "package": source.wheel.package, "version": source.wheel.version}
    if isinstance(source, ManualSource):
        return {"kind": "manual", "how": source.how}
    return {"kind": "added", "origin": source.origin}


def _columns(rows: Sequence[tuple[str, ...]], limit: int | None) -> list[int]:
    """The indices of the columns that fit: the last goes first, then the family, then the size."""
    shown = list(range(len(rows[0])))
    for dropped in (5, 1, 2):
        widest = [max(len(row[index]) for row in rows) for index in shown]
        if dropped == 5:
            widest[5] = NARROWEST_ABOUT
        if limit is None or sum(widest) + len(GAP) * (len(shown) - 1) <= limit:
            break
        shown.remove(dropped)
    return shown


def _line(row: tuple[str, ...], shown: Sequence[int], widths: Sequence[int], limit: int | None) -> str:
    cells = [
        row[index].rjust(width) if index == 2 else row[index].ljust(width)
        for index, width in zip(shown, widths, strict=True)
    ]
    line = GAP.join(cells).rstrip()
    return line if limit is None or len(line) <= limit else f"{line[: limit - 1].rstrip()}…"


def _order(role: str) -> tuple[int, str]:
    return (_ROLES.index(role) if role in _ROLES else len(_ROLES), role)


def _legend(rows: Sequence[Row], folder: Path) -> list[str]:
    states = {found for _, found in rows}
    told = [
        f"kept in {folder}",
        "* fetched by itself when the program first runs",
        "! to be accepted, once, before it is fetched "
        "(NC: research only, nothing commercial; unknown: nobody gave any right)",
    ]
    if State.UNPINNED in states:
        told.append("unpinned: no checksum is known; realtime models fetch NAME --trust remembers this one")
    if State.CHANGED in states:
        told.append("changed: not the file that was trusted first; realtime models verify tells more")
    return told


def _size(model: Model) -> str:
    return f"{model.size_bytes / MIB:.1f} MiB" if model.size_bytes else "?"
