"""Trust on first use: the checksum of a file that the catalogue has none for, kept from its first fetch."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from models.errors import ModelError

__all__ = ["PINS_FILE", "pin", "read_pins", "unpin"]

PINS_FILE = "pins.json"
"""In the folder of the models, so that it moves with them."""


def read_pins(folder: Path) -> Mapping[str, str]:
    """File name -> sha256 of what was trusted first. Raises ModelError when the record is damaged."""
    path = folder / PINS_FILE
    try:
        found = json.loads(path.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError) as error:
        raise _damaged(path, str(error)) from error
    if not isinstance(found, dict) or not all(isinstance(each, str) for each in found.values()):
        raise _damaged(path, "it is not a table of checksums")
    return found


def pin(folder: Path, file: str, sha256: str) -> None:
    """Remember that `file` is the one with this checksum. Raises ModelError and OSError."""
    _write(folder, {**read_pins(folder), file: sha256})


def unpin(folder: Path, file: str) -> None:
    """Forget the checksum of `file`. Raises ModelError and OSError."""
    pins = dict(read_pins(folder))
    if pins.pop(file, None) is not None:
        _write(folder, pins)


def _write(folder: Path, pins: Mapping[str, str]) -> None:
    part = folder / f"{PINS_FILE}.part"
    part.write_text(json.dumps(pins, indent=2, sort_keys=True), "utf-8")
    os.replace(part, folder / PINS_FILE)


def _damaged(path: Path, why: str) -> ModelError:
    return ModelError(
        f"the record of trusted checksums {path} cannot be read: {why}",
        "delete it, and fetch the models it held again with --trust",
    )
