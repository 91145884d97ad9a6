"""Model files of the user's own, kept beside the fetched ones by name, with the contract of their family."""

import json
import os
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any

from models.catalog import load_catalog, load_families
from models.catalog_file import family_member
from models.contract import check_file
from models.entries import AddedSource, Model
from models.errors import ModelError
from models.pins import unpin
from models.runtime.container import check_container
from models.store import WORK_PREFIX, State, alone, cache_folder, digest, disk_errors, state

__all__ = ["ADDED_FILE", "add_model", "added_models", "known_models", "remove_model"]

ADDED_FILE = "added.json"
"""In the folder of the models: what was added, by name."""
OWN_LICENCE = "your own"
_SUFFIXES = {".onnx": ".onnx", ".dfm": ".onnx", ".tflite": ".tflite"}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def added_models(folder: Path) -> Mapping[str, Model]:
    """The models the user added to `folder`, by name. Raises ModelError when the record is damaged."""
    families = load_families()
    found = {}
    for name, entry in _read(folder).items():
        try:
            found[name] = _model(name, entry, families)
        except (KeyError, TypeError, ModelError) as error:
            raise _damaged(folder / ADDED_FILE, f"{name}: {error}") from error
    return MappingProxyType(found)


def known_models(folder: Path | None = None) -> Mapping[str, Model]:
    """The catalogue's models and the user's own in `folder` (the cache folder). Raises ModelError."""
    return MappingProxyType({**load_catalog(), **added_models(cache_folder() if folder is None else folder)})


def add_model(
    file: Path,
    family: str,
    name: str | None = None,
    folder: Path | None = None,
    needs: Sequence[str] = (),
) -> Model:
    """Copy `file` into the folder as the model `name`, by default the file's own, of `family`.

    `needs`: models that take the place of those of the same role that the family needs: a recogniser, a
    converter.

    A file that is, byte for byte, one of the catalogue's is refused: it goes by the catalogue's name. Raises
    ModelError when the file is damaged, is not of that family, or the name is taken; nothing is then changed.
    """
    where = cache_folder() if folder is None else folder
    families = load_families()
    if family not in families:
        nearest = get_close_matches(family, families, n=3)
        told = (
            f"did you mean {' or '.join(nearest)}?" if nearest else f"one of: {', '.join(sorted(families))}"
        )
        raise ModelError(f"there is no family of models named {family!r}", told)
    suffix = _SUFFIXES.get(file.suffix.lower())
    if suffix is None:
        raise ModelError(f"{file} is not a model file", f"add a file that ends in {', '.join(_SUFFIXES)}")
    chosen = file.stem if name is None else name
    if not _NAME.fullmatch(chosen):
        raise ModelError(
            f"{chosen!r} cannot be a model's name", "use letters, digits, dots, dashes: --name NAME"
        )
    _check_readable(file)
    with disk_errors(where), alone(where):
        entries = _read(where)
        sha256 = digest(file)
        _check_free(chosen, f"{chosen}{suffix}", sha256, entries, where)
        entry: dict[str, Any] = {"family": family, "file": f"{chosen}{suffix}", "sha256": sha256}
        entry |= {"size_bytes": file.stat().st_size, "origin": str(file.resolve())}
        model = _model(chosen, entry, families)
        if needs:
            model = replace(model, needs=_instead(model, needs, known_models(where)))
            entry["needs"] = list(model.needs)
        check_file(file, model.contract, family=family)
        _bring(file, where / model.file, sha256)
        _write(where, {**entries, chosen: entry})
    return model


def remove_model(name: str, folder: Path | None = None) -> Path:
    """Delete an added or fetched model's file and what is remembered of it; returns its path.

    Raises ModelError for an unknown name and for a model that is not there.
    """
    where = cache_folder() if folder is None else folder
    known = known_models(where)
    if name not in known:
        nearest = get_close_matches(name, known, n=1)
        raise ModelError(
            f"there is no model named {name!r}",
            f"did you mean {nearest[0]!r}?" if nearest else "see: realtime models list",
        )
    model = known[name]
    path = where / model.file
    if not isinstance(model.source, AddedSource) and state(model, where, by_size=True) is State.MISSING:
        raise ModelError(f"{name} is not in {where}", "there is nothing to remove")
    with disk_errors(where), alone(where):
        entries = _read(where)
        if name in entries:
            _write(where, {key: value for key, value in entries.items() if key != name})
        unpin(where, model.file)
        path.unlink(missing_ok=True)
    return path


def _check_readable(file: Path) -> None:
    try:
        check_container(file)
    except ModelError as error:
        # Its cure is for fetched models; this file is the user's own.
        raise ModelError(error.message, "add the file again once it is whole") from error


def _check_free(name: str, file: str, sha256: str, entries: Mapping[str, Any], folder: Path) -> None:
    catalog = load_catalog()
    same = next((model for model in catalog.values() if model.sha256 == sha256), None)
    if same is not None:
        raise ModelError(
            f"this file is {same.name} of the catalogue, byte for byte",
            f"copy it to {folder / same.file}, and use it by that name",
        )
    if name in catalog or any(model.file == file for model in catalog.values()):
        raise ModelError(
            f"the catalogue has a model named {name} already, and this is another file",
            f"choose a name: --name {name}_own",
        )
    if name in entries:
        raise ModelError(
            f"you have added a model named {name} already",
            f"choose another name by --name, or run: realtime models remove {name}",
        )


def _instead(model: Model, needs: Sequence[str], known: Mapping[str, Model]) -> tuple[str, ...]:
    """What `model` needs once each of `needs` has taken the place of its role's. Raises ModelError."""
    by_role = {known[name].role: name for name in model.needs}
    for name in needs:
        if name not in known:
            nearest = get_close_matches(name, known, n=1)
            raise ModelError(
                f"there is no model named {name!r} that {model.name} could need",
                f"did you mean {nearest[0]!r}?" if nearest else "add it first: realtime models add",
            )
        role = known[name].role
        if role not in by_role:
            roles = " and a ".join(by_role)
            raise ModelError(
                f"{name} is a {role}, and the family {model.family} needs "
                f"{f'a {roles}' if roles else 'no other model'}",
                "see: realtime models list",
            )
        by_role[role] = name
    return tuple(by_role.values())


def _bring(file: Path, target: Path, sha256: str) -> None:
    work = Path(tempfile.mkdtemp(prefix=WORK_PREFIX, dir=target.parent))
    try:
        part = work / target.name
        shutil.copyfile(file, part)
        if digest(part) != sha256:
            raise ModelError(f"{file} changed while it was copied", "add it again")
        os.replace(part, target)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _model(name: str, entry: Mapping[str, Any], families: Mapping[str, Mapping[str, Any]]) -> Model:
    values = {
        "about": "added by you",
        "file": entry["file"],
        "sha256": entry["sha256"],
        "size_bytes": entry["size_bytes"],
        "licence": OWN_LICENCE,
        "source": AddedSource(entry["origin"]),
    }
    if "needs" in entry:
        values["needs"] = tuple(entry["needs"])
    return family_member(name, entry["family"], families, values)


def _read(folder: Path) -> dict[str, Any]:
    path = folder / ADDED_FILE
    try:
        found = json.loads(path.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError) as error:
        raise _damaged(path, str(error)) from error
    if not isinstance(found, dict):
        raise _damaged(path, "it is not a table of models")
    return found


def _write(folder: Path, entries: Mapping[str, Any]) -> None:
    part = folder / f"{ADDED_FILE}.part"
    part.write_text(json.dumps(entries, indent=2), "utf-8")
    os.replace(part, folder / ADDED_FILE)


def _damaged(path: Path, why: str) -> ModelError:
    return ModelError(
        f"the record of added models {path} cannot be read: {why}",
        "delete it and add the files again; the files themselves stay",
    )
