"""What a word on the command line names: a model of the catalogue, a stand-in, or a file."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from models.added import known_models
from models.build.stand_ins import FORM, STAND_INS, write_stand_in
from models.catalog import lookup
from models.entries import Model
from models.errors import ModelError
from models.store import cache_folder

__all__ = ["NamedFile", "named_file"]


@dataclass(frozen=True, slots=True)
class NamedFile:
    """A model file, and what the catalogue says of it."""

    name: str
    path: Path
    model: Model | None


def named_file(word: str) -> NamedFile:
    """The model, the stand-in or the file that `word` names; a stand-in that is not there is made.

    A file that has the name of a known model is taken for it. Raises ModelError when there is none.
    """
    folder = cache_folder()
    known = known_models(folder)
    model = known.get(word)
    if model is None and word in STAND_INS:
        return NamedFile(word, _stand_in(word, folder), None)
    path = folder / model.file if model is not None else Path(word)
    if model is not None and not path.is_file():
        raise ModelError(f"the model {word} is not in {folder}", f"run: realtime models fetch {word}")
    if not path.is_file():
        if path.suffix:
            raise ModelError(
                f"there is no file {path}", "name a model file, or a model of: realtime models list"
            )
        lookup([word])
    if model is None:
        model = next((each for each in known.values() if each.file == path.name), None)
    return NamedFile(path.stem if model is None else model.name, path, model)


def _stand_in(name: str, folder: Path) -> Path:
    path = folder / f"stand-ins-{FORM}" / f"{name}.onnx"
    if path.is_file():
        return path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".writing-", dir=path.parent) as work:
            write_stand_in(STAND_INS[name], Path(work) / path.name)
            os.replace(Path(work) / path.name, path)
    except OSError as error:
        raise ModelError(
            f"the stand-in {name} cannot be written to {path.parent}: {error.strerror or error}",
            "free some space, or set REALTIME_MODELS to a folder elsewhere",
        ) from error
    return path
