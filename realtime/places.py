"""Where the networks of each role run: as configured, and as it turned out."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Literal, get_args

from models.catalog import lookup
from models.enhancer import ENHANCERS, NONE
from models.errors import ModelError
from models.fetch import cache_folder
from models.occlusion import WEIGHTS
from models.precision import AUTO_PRECISION, chosen_file
from models.runtime.choice import Outcome, may_take_minutes, outcome
from models.runtime.place import AUTO, Place
from models.runtime.registry import resolve
from realtime.config import Config

__all__ = ["LANDMARKER", "MESH", "ROLES", "Role", "backends", "precision_of", "start_timeout_s", "wanted"]

LANDMARKER = "facemesh_468"
MESH = "mesh"
"""The swapper that needs no network."""
Role = Literal["detect", "landmarks", "identify", "mask", "swap", "enhance"]
ROLES: tuple[Role, ...] = get_args(Role)
"""The roles that networks play here."""
OPEN_TIMEOUT_S = 120.0
"""Loading models and compiling them for a device for the first time can take this long."""


def wanted(config: Config, role: Role) -> Place:
    """Where the configuration wants the network of a role to run. A role's own backend names its device."""
    own: str = getattr(config.backend, role)
    return resolve(own) if own else resolve(config.pipeline.backend, config.pipeline.device)


def precision_of(config: Config, role: Role) -> str:
    """The precision that the configuration wants of the network of a role; see `models.precision`.

    `pipeline.precision` is for those that replace faces. Those that find them are small, and one that has no
    build of that precision is no reason not to start: they have it of their own, or "auto".
    """
    own: str = getattr(config.precision, role)
    heavy = role in ("swap", "enhance", "mask")
    return own or (config.pipeline.precision if heavy else AUTO_PRECISION)


def backends(config: Config) -> Mapping[str, str]:
    """Role to "name/device/precision", for the report; what "auto" passed over follows with its reason."""
    chosen = config.pipeline
    found = {
        "detect": _ran_on(config, "detect", chosen.detector),
        "landmarks": _ran_on(config, "landmarks", LANDMARKER),
    }
    if chosen.swapper == MESH:
        found["swap"] = f"{MESH}/CPU/uint8"
    else:
        found["swap"] = _ran_on(config, "swap", chosen.swapper)
    if chosen.occlusion == "on":
        found["mask"] = _ran(wanted(config, "mask"), WEIGHTS, "int8")
    if chosen.enhancer in ENHANCERS:
        found["enhance"] = f"{chosen.enhancer}/CPU/uint8"
    elif chosen.enhancer != NONE:
        found["enhance"] = _ran_on(config, "enhance", chosen.enhancer)
    return found


def start_timeout_s(config: Config) -> float:
    """How long all networks may take to open: long where an engine has to be built first."""
    building = sum(may_take_minutes(wanted(config, role)) for role in ROLES)
    if not building:
        return OPEN_TIMEOUT_S
    from models.engines.child import TIME_LIMIT_S

    return OPEN_TIMEOUT_S + building * TIME_LIMIT_S


def _ran_on(config: Config, role: Role, model: str) -> str:
    place = wanted(config, role)
    path, precision = _file(model, cache_folder(), place, precision_of(config, role))
    return _ran(place, path, precision)


def _ran(place: Place, path: Path, precision: str) -> str:
    if place.backend != AUTO:
        return f"{place}/{precision}"
    found = outcome(path, place.device) or Outcome(place)
    why = f" ({'; '.join(found.passed_over)})" if found.passed_over else ""
    return f"{found.place}/{precision}{why}"


@lru_cache(maxsize=64)  # the report is made four times a second, and builds are told apart by reading them
def _file(name: str, folder: Path, place: Place, precision: str) -> tuple[Path, str]:
    (model,) = lookup([name])
    try:
        chosen = chosen_file(model, folder, place, precision)
    except ModelError:  # said where it is opened
        return folder / model.file, precision
    return chosen.path, chosen.precision
