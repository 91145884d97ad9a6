"""Why a camera does not open, as far as the system tells."""

import os
import sys
from pathlib import Path

from realtime.capture.enumerate import LOOPBACK_DRIVER, Query, query_capability
from realtime.errors import DeviceError

__all__ = ["why_not_open"]

NAMED_AT_MOST = 3
OTHERS = "choose another with --source, or see realtime devices"


def why_not_open(
    target: int | str, query: Query = query_capability, proc: Path = Path("/proc")
) -> DeviceError:
    """The error for a camera that was found shut; `target` is its index or, on Linux, its node."""
    if isinstance(target, int):
        cure = "end the program that uses it, allow this one to use the camera in the system's settings"
        return DeviceError(f"camera {target} cannot be opened", f"{cure}, or {OTHERS}")
    node = Path(target)
    if not node.exists():
        return DeviceError(f"there is no camera {target}", f"plug one in, or {OTHERS}")
    if not os.access(node, os.R_OK | os.W_OK):
        return DeviceError(
            f"this user may not use the camera {target}",
            "sudo usermod -aG video $USER, then log out and in again",
        )
    capability = query(node)
    if capability is not None and capability.driver == LOOPBACK_DRIVER and not capability.captures:
        return DeviceError(f"{target} is a virtual camera that no program feeds", f"start one, or {OTHERS}")
    if capability is None or not capability.captures:
        return DeviceError(f"{target} is no camera", OTHERS)
    holders = _holders(node, proc)
    if holders:
        named = ", ".join(holders[:NAMED_AT_MOST])
        return DeviceError(f"the camera {target} is used by {named}", f"end that program, or {OTHERS}")
    return DeviceError(
        f"the camera {target} cannot be opened",
        f"another user's program may hold it: unplug it and plug it in again, or {OTHERS}",
    )


def _holders(node: Path, proc: Path) -> list[str]:
    """Programs that have `node` open, as far as this user may see: "obs (pid 1234)"."""
    if not sys.platform.startswith("linux"):
        return []
    found = []
    for process in proc.glob("[0-9]*"):
        if process.name == str(os.getpid()):
            continue
        try:
            opened = any(os.readlink(link) == str(node) for link in (process / "fd").iterdir())
            if opened:
                found.append(f"{(process / 'comm').read_text().strip()} (pid {process.name})")
        except OSError:
            continue
    return found
