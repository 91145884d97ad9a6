"""Who takes part in a bench of models, what they are fed, and the table they come out in."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from models.build.gate import open_reference
from models.build.rounds import Side, precision_of
from models.build.samples import Samples
from models.runtime.registry import BACKENDS, resolve
from models.store import cache_folder
from realtime.calibration import faces_of, still_pictures
from realtime.commands.model_files import NamedFile

__all__ = ["device_of", "feeds_of", "places", "precision_words", "print_table", "takes"]

PLACES: tuple[tuple[str, str | None], ...] = (
    ("onnx", None),
    ("onnx", "cuda"),
    ("openvino", None),
    ("openvino", "GPU"),
)
"""(backend, device) that take part unless --backend names some; every other backend of the registry too."""


def places(asked: Sequence[str] | None) -> tuple[tuple[str, str | None], ...]:
    """(backend, device) of each "NAME[:DEVICE]"; everything there could be when nothing is asked for."""
    if asked:
        return tuple((name, device or None) for name, _, device in (word.partition(":") for word in asked))
    others = tuple((name, None) for name in BACKENDS if name not in dict(PLACES))
    return (*PLACES, *others)


def takes(backend: str, file: Path) -> bool:
    """Whether the backend reads this kind of file; one that nobody knows is `open_session`'s to refuse."""
    return backend not in BACKENDS or file.suffix.lower() in BACKENDS[backend].suffixes


def feeds_of(named: NamedFile) -> dict[str, Any]:
    """One frame of the built-in still, as this network takes it."""
    pictures = faces_of(still_pictures(1), named.model, cache_folder())
    reference = open_reference(named.path)
    try:
        contract = named.model.contract.inputs if named.model is not None else ()
        feeds: dict[str, Any] = Samples(reference.inputs, contract, pictures)[0]
    finally:
        reference.close()
    return feeds


def device_of(side: Side) -> str:
    """The device by name, also where the backend chose it."""
    return resolve(side.backend, side.device or "").device or "-"


def precision_words(file: Path) -> str:
    """ "int8", "int8 ir", "int8 trt"."""
    precision = precision_of(file)
    if "-tensorrt" in file.stem:
        precision += " trt"
    return f"{precision} ir" if file.suffix == ".xml" else precision


def print_table(rows: Sequence[tuple[str, ...]], words: int) -> None:
    """The first `words` columns are words, the rest are figures."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            cell.ljust(width) if number < words else cell.rjust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        print("  ".join(cells).rstrip())
