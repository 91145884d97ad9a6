"""Where the networks of each role run: as configured, and as it turned out."""

from collections.abc import Mapping
from typing import Literal, get_args

from models.catalog import lookup
from models.enhancer import ENHANCERS, NONE
from models.fetch import cache_folder
from models.occlusion import WEIGHTS
from models.runtime.choice import Outcome, may_take_minutes, outcome
from models.runtime.place import AUTO, Place
from models.runtime.registry import resolve
from realtime.config import Config

__all__ = ["LANDMARKER", "MESH", "ROLES", "Role", "backends", "start_timeout_s", "wanted"]

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


def backends(config: Config) -> Mapping[str, str]:
    """Role to "name/device/precision", for the report; what "auto" passed over follows with its reason."""
    chosen = config.pipeline
    found = {
        "detect": _ran_on(config, "detect", chosen.detector, "fp32"),
        "landmarks": _ran_on(config, "landmarks", LANDMARKER, "fp32"),
    }
    if chosen.swapper == MESH:
        found["swap"] = f"{MESH}/CPU/uint8"
    else:
        found["swap"] = _ran_on(config, "swap", chosen.swapper, "fp32")
    if chosen.occlusion == "on":
        found["mask"] = _ran_on(config, "mask", None, "int8")
    if chosen.enhancer in ENHANCERS:
        found["enhance"] = f"{chosen.enhancer}/CPU/uint8"
    elif chosen.enhancer != NONE:
        found["enhance"] = _ran_on(config, "enhance", chosen.enhancer, "fp32")
    return found


def start_timeout_s(config: Config) -> float:
    """How long all networks may take to open: long where an engine has to be built first."""
    building = sum(may_take_minutes(wanted(config, role)) for role in ROLES)
    if not building:
        return OPEN_TIMEOUT_S
    from models.engines.child import TIME_LIMIT_S

    return OPEN_TIMEOUT_S + building * TIME_LIMIT_S


def _ran_on(config: Config, role: Role, model: str | None, precision: str) -> str:
    """`model`: of the catalogue; None for the network that comes with the program."""
    place = wanted(config, role)
    if place.backend != AUTO:
        return f"{place}/{precision}"
    path = WEIGHTS if model is None else cache_folder() / lookup([model])[0].file
    found = outcome(path, place.device) or Outcome(place)
    why = f" ({'; '.join(found.passed_over)})" if found.passed_over else ""
    return f"{found.place}/{precision}{why}"
