"""Built engines on disk.

A file holds one line that names its format, one that names what it was built from, the checksum of the rest,
and the plan. It is written whole beside its place and moved there, under a lock that spans the build; what
does not read back as it was written counts as not there. What is needed no more is deleted after each build
(`sweep` says what that is).
"""

import hashlib
import logging
import os
import shutil
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from models.alone import alone
from models.disk import disk_errors
from models.engines.digest import Digests
from models.engines.in_use import InUse
from models.engines.key import EngineKey, timing_name
from models.engines.sweep import clear_abandoned, sweep
from models.errors import BackendError
from models.runtime.kept import CACHE_VARIABLE, kept_folder

__all__ = ["BuildPaths", "EngineCache", "EngineMissingError"]

logger = logging.getLogger(__name__)

FORMAT_VERSION = "1"
FORMAT = f"realtime engine {FORMAT_VERSION}\n".encode()
LOCK_TIMEOUT_S = 1800.0
"""Another process builds the same engine; a large model on a small GPU takes a quarter of an hour."""
WORK_PREFIX = ".building-"
LIMIT_BYTES = 8 << 30
"""Of all engines together: a few dozen, of which a swapper's takes a few hundred MB."""


class EngineMissingError(BackendError):
    """The engine is not in the cache, and whoever asked did not want to wait for it."""


@dataclass(frozen=True, slots=True)
class BuildPaths:
    """Where a build puts its files; in a folder that is cleared away afterwards."""

    plan: Path
    timing: Path
    """Holds the timings of earlier builds, if there are any; what it holds afterwards is kept."""


class EngineCache:
    """The engines in one folder. Processes and threads may share it."""

    def __init__(self, folder: Path | None = None, limit_bytes: int = LIMIT_BYTES) -> None:
        self._folder = kept_folder("tensorrt", FORMAT_VERSION) if folder is None else folder
        self._limit_bytes = limit_bytes
        self._digests = Digests(self._folder)

    def path(self, key: EngineKey) -> Path:
        return self._folder / f"{key.name()}.engine"

    def digest(self, model: Path) -> str:
        """What the key says of the model; reckoned anew only when its files change. Raises ModelError."""
        return self._digests.of(model)

    def claim(self, key: EngineKey) -> InUse:
        """Keeps the engine from being deleted as needless, until it is closed. Never raises."""
        return InUse(self.path(key))

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
                        with suppress(OSError):  # the longest unused one is deleted first
                            os.utime(path)
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

    def ensure(
        self, key: EngineKey, build: Callable[[BuildPaths], None], stop: threading.Event | None = None
    ) -> bytes:
        """The plan, built if it is not there. `build` writes it and raises BackendError when it cannot.

        Two that want the same engine at once build it once: the second waits for the first, or until `stop`
        is set. After any failure the folder holds whole engines only. Raises BackendError.
        """
        if (plan := self.read(key)) is not None:
            return plan
        plan = self._alone(key, build, stop)
        clear_abandoned(self._folder, WORK_PREFIX)
        spared = {self.path(key), self._folder / timing_name(key)}
        sweep(self._folder, self._limit_bytes, self._digests.gone(), spared)
        return plan

    def _alone(
        self, key: EngineKey, build: Callable[[BuildPaths], None], stop: threading.Event | None
    ) -> bytes:
        with (
            disk_errors(self._folder, "engines", f"set {CACHE_VARIABLE} to a folder", BackendError),
            alone(
                self._folder / f"{key.name()}.lock",
                f"building an engine in {self._folder}",
                left=f"{WORK_PREFIX}{key.name()}-*",
                timeout_s=LOCK_TIMEOUT_S,
                error=BackendError,
                stop=stop,
            ),
        ):
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
