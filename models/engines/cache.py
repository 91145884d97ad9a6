"""Built engines on disk.

A file holds one line that names its format, one that names what it was built from, the checksum of the rest,
and the plan. It is written whole beside its place and moved there, under a lock that spans the build; what
does not read back as it was written counts as not there.
"""

import errno
import hashlib
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from models.engines.key import EngineKey, timing_name
from models.errors import BackendError
from models.runtime.kept import CACHE_VARIABLE, kept_folder

__all__ = ["BuildPaths", "EngineCache"]

logger = logging.getLogger(__name__)

FORMAT_VERSION = "1"
FORMAT = f"realtime engine {FORMAT_VERSION}\n".encode()
LOCK_TIMEOUT_S = 1800.0
"""Another process builds the same engine; a large model on a small GPU takes a quarter of an hour."""
WORK_PREFIX = ".building-"


@dataclass(frozen=True, slots=True)
class BuildPaths:
    """Where a build puts its files; in a folder that is cleared away afterwards."""

    plan: Path
    timing: Path
    """Holds the timings of earlier builds, if there are any; what it holds afterwards is kept."""


class EngineCache:
    """The engines in one folder. Processes and threads may share it."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = kept_folder("tensorrt", FORMAT_VERSION) if folder is None else folder

    def path(self, key: EngineKey) -> Path:
        return self._folder / f"{key.name()}.engine"

    def read(self, key: EngineKey) -> bytes | None:
        """The plan, or None when there is none or its file is of another version, another key or damaged."""
        path = self.path(key)
        try:
            with path.open("rb") as file:
                if file.readline() != FORMAT or file.readline() != key.text().encode() + b"\n":
                    complaint = "it was written by another version"
                else:
                    digest, plan = file.readline().strip(), file.read()
                    if plan and hashlib.sha256(plan).hexdigest().encode() == digest:
                        return plan
                    complaint = "it is damaged"
        except FileNotFoundError:
            return None
        except OSError as error:
            complaint = f"it cannot be read: {error.strerror or error}"
        logger.warning("the engine %s is not used: %s", path, complaint)
        return None

    def discard(self, key: EngineKey) -> None:
        """Forget a plan that TensorRT did not take. Never raises."""
        with suppress(OSError):
            self.path(key).unlink()

    def ensure(self, key: EngineKey, build: Callable[[BuildPaths], None]) -> bytes:
        """The plan, built if it is not there. `build` writes it and raises BackendError when it cannot.

        Two that want the same engine at once build it once: the second waits for the first. After any
        failure the folder holds whole engines only. Raises BackendError.
        """
        if (plan := self.read(key)) is not None:
            return plan
        with _disk_errors(self._folder), self._alone(key):
            if (plan := self.read(key)) is not None:
                return plan
            work = Path(tempfile.mkdtemp(prefix=f"{WORK_PREFIX}{key.name()}-", dir=self._folder))
            try:
                return self._build(key, build, work)
            finally:
                shutil.rmtree(work, ignore_errors=True)

    def _build(self, key: EngineKey, build: Callable[[BuildPaths], None], work: Path) -> bytes:
        paths = BuildPaths(work / "plan", work / "timing")
        timing = self._folder / timing_name(key)
        with suppress(FileNotFoundError):
            shutil.copyfile(timing, paths.timing)
        build(paths)
        try:
            plan = paths.plan.read_bytes()
        except FileNotFoundError:
            plan = b""
        if not plan:
            raise BackendError("the build of the engine left no plan", "try again, or use another backend")
        entry = work / "entry"
        with entry.open("wb") as file:
            file.write(FORMAT + key.text().encode() + b"\n")
            file.write(hashlib.sha256(plan).hexdigest().encode() + b"\n")
            file.write(plan)
            file.flush()
            os.fsync(file.fileno())
        os.replace(entry, self.path(key))
        if paths.timing.exists():
            os.replace(paths.timing, timing)
        return plan

    @contextmanager
    def _alone(self, key: EngineKey) -> Iterator[None]:
        """Hold the lock of this engine, and clear away what a killed build of it left."""
        from filelock import FileLock, Timeout

        self._folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self._folder / f"{key.name()}.lock", thread_local=False)
        try:
            try:
                lock.acquire(timeout=0)
            except Timeout:
                logger.warning("waiting for another process that is building the same engine")
                lock.acquire(timeout=LOCK_TIMEOUT_S)
        except Timeout as error:
            raise BackendError(
                f"another process has been building the same engine for {LOCK_TIMEOUT_S / 60:.0f} minutes",
                "end that process and try again",
            ) from error
        try:
            for left in self._folder.glob(f"{WORK_PREFIX}{key.name()}-*"):
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
            raise BackendError(
                f"there is no space left for engines in {folder}",
                f"free some, or set {CACHE_VARIABLE} to a folder elsewhere",
            ) from error
        raise BackendError(
            f"engines cannot be written to {folder}: {error.strerror or error}",
            f"make it writable, or set {CACHE_VARIABLE} to a folder that is",
        ) from error
