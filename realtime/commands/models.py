"""`realtime models list | fetch | verify`."""

import argparse
from collections.abc import Sequence

from models.catalog import DEFAULT_CHAIN, load_catalog
from models.fetch import State, cache_folder, ensure, state

__all__ = ["models_fetch", "models_list", "models_verify"]

MIB = 1024 * 1024


def models_list(args: argparse.Namespace) -> int:
    """Every model of the catalogue and whether it is here."""
    folder = cache_folder()
    rows = [("name", "role", "state", "size", "licence", "what it is for")]
    for model in load_catalog().values():
        name = f"{model.name}*" if model.name in DEFAULT_CHAIN else model.name
        size = f"{model.size_bytes / MIB:.1f} MiB"
        rows.append((name, model.role, state(model, folder).value, size, model.licence, model.about))
    _print_table(rows)
    print(f"\n* fetched by itself when the program first runs; kept in {folder}")
    return 0


def models_fetch(args: argparse.Namespace) -> int:
    """Fetch the models in `args.names`, or the default ones. Raises ModelError."""
    for name, path in ensure(args.names or DEFAULT_CHAIN).items():
        print(f"{name}: {path}")
    return 0


def models_verify(args: argparse.Namespace) -> int:
    """Check every model that is here, byte for byte: 1 when one is damaged or a default one is missing."""
    folder = cache_folder()
    rows = [("name", "state", "file", "cure")]
    failed = False
    for model in load_catalog().values():
        found = state(model, folder)
        needed = found is State.DAMAGED or (found is State.MISSING and model.name in DEFAULT_CHAIN)
        failed = failed or needed
        if needed or found is State.PRESENT:
            cure = f"realtime models fetch {model.name}" if needed else "-"
            rows.append((model.name, found.value, str(folder / model.file), cure))
    _print_table(rows)
    return 1 if failed else 0


def _print_table(rows: Sequence[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
