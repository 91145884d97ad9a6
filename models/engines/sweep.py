"""Which kept engines are needed no more, and their deletion.

An engine goes when the model that it was built of was replaced by another; when there is one of the same
model, shapes and GPU for a newer TensorRT or driver; when its file is damaged; and, the longest unused
first, while all together take more than they may. Other shapes of a model are no reason: one program may want
two. What a process uses stays, and so does what has just been built.
"""

import json
import logging
import shutil
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.engines.in_use import delete_unused

__all__ = ["KeptFile", "clear_abandoned", "needless", "over", "sweep"]

_log = logging.getLogger(__name__)

_SAME = ("model_sha256", "precision", "shapes", "device", "capability", "options")
"""What two keys share when one is of a newer backend or driver, and nothing else."""


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file of the cache: an engine, or the timings of a device."""

    path: Path
    size_bytes: int
    used_ns: int
    """When it was last read or written."""
    key: dict[str, Any] | None = None
    """What an engine was built from, as its file says; None where it does not, and of timings."""


def needless(kept: Sequence[KeptFile], gone: AbstractSet[str]) -> dict[Path, str]:
    """Engines that nothing will ask for, and why. Pure. `gone`: digests that no model has any more."""
    found: dict[Path, str] = {}
    newest: dict[str, tuple[int, ...]] = {}
    for each in kept:
        if each.key is not None:
            same = _same(each.key)
            newest[same] = max(newest.get(same, ()), _age(each.key))
    for each in kept:
        if each.key is None:
            if each.path.suffix == ".engine":
                found[each.path] = "it is damaged"
        elif each.key.get("model_sha256") in gone:
            found[each.path] = "its model was replaced"
        elif _age(each.key) < newest[_same(each.key)]:
            found[each.path] = f"it is for {each.key.get('backend')}, and there is a newer one"
    return found


def over(kept: Iterable[KeptFile], limit_bytes: int) -> tuple[int, list[KeptFile]]:
    """By how many bytes they are too much, 0 or more, and the files in the order to delete them. Pure."""
    ordered = sorted(kept, key=lambda each: (each.used_ns, each.path))
    return max(0, sum(each.size_bytes for each in ordered) - limit_bytes), ordered


def sweep(folder: Path, limit_bytes: int, gone: AbstractSet[str], spared: AbstractSet[Path]) -> None:
    """Clear the folder of engines. `spared`: files that stay. Never raises."""
    try:
        kept = list(_kept(folder))
        for path, reason in needless(kept, gone).items():
            if path not in spared and delete_unused(path):
                kept = [each for each in kept if each.path != path]
                _log.info("deleted the engine %s: %s", path.name, reason)
        excess, ordered = over(kept, limit_bytes)
        for each in ordered:
            if excess <= 0:
                break
            if each.path not in spared and delete_unused(each.path):
                excess -= each.size_bytes
                _log.info(
                    "deleted %s, unused for the longest time: engines may take %.1f GB",
                    each.path.name,
                    limit_bytes / 1e9,
                )
    except OSError as error:
        _log.debug("engines are not cleared away: %s", error)


def clear_abandoned(folder: Path, prefix: str) -> None:
    """Delete the work folders of builds that were killed, of whatever engine. Never raises."""
    from filelock import FileLock, Timeout

    try:
        for left in folder.glob(f"{prefix}*"):
            name = left.name.removeprefix(prefix).partition("-")[0]
            try:
                with FileLock(folder / f"{name}.lock", thread_local=False).acquire(timeout=0):
                    shutil.rmtree(left, ignore_errors=True)
            except Timeout:
                continue
    except OSError as error:
        _log.debug("what killed builds left is not cleared away: %s", error)


def _kept(folder: Path) -> Iterable[KeptFile]:
    for path in folder.iterdir():
        if path.suffix != ".engine" and not path.name.startswith("timing-"):
            continue
        try:
            stat = path.stat()
            key = _key(path) if path.suffix == ".engine" else None
        except OSError:  # another process was quicker
            continue
        yield KeptFile(path, stat.st_size, stat.st_mtime_ns, key)


def _key(path: Path) -> dict[str, Any] | None:
    with path.open("rb") as file:
        file.readline()
        try:
            key = json.loads(file.readline())
        except ValueError:
            return None
    return key if isinstance(key, dict) and {*_SAME, "backend", "driver_major"} <= set(key) else None


def _same(key: dict[str, Any]) -> str:
    return json.dumps([key[name] for name in _SAME], sort_keys=True)


def _age(key: dict[str, Any]) -> tuple[int, ...]:
    """Grows with the version of the backend, then with the driver's."""
    version = str(key["backend"]).rpartition(" ")[2].split(".")
    numbers = [int(part) if part.isdecimal() else 0 for part in version]
    driver = key["driver_major"]
    return (*(*numbers, 0, 0, 0, 0)[:4], driver if isinstance(driver, int) else 0)
