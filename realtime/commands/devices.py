"""`realtime devices`: what this machine can film with, show on and compute with."""

import argparse
import json
from dataclasses import asdict
from typing import Any

from models.runtime.inventory import Standing, survey
from models.runtime.registry import BACKENDS, available
from realtime.capture.enumerate import Camera, list_cameras, list_virtual_cameras
from realtime.sinks.remedy import virtual_camera_remedy

__all__ = ["devices"]


def devices(arguments: argparse.Namespace) -> int:
    """Print cameras, virtual cameras and inference backends; as JSON with `--json`. Always 0.

    Each backend and device that is there has run a small network.
    """
    cameras, virtual, installed, places = list_cameras(), list_virtual_cameras(), available(), tuple(survey())
    if arguments.json:
        found: dict[str, Any] = {
            "cameras": [asdict(camera) for camera in cameras],
            "virtual_cameras": [asdict(camera) for camera in virtual],
            "backends": {
                name: {"installed": name in installed, "install": backend.install}
                for name, backend in BACKENDS.items()
            },
            "places": [
                {
                    "name": str(standing.place),
                    "state": standing.state.value,
                    "about": standing.about,
                    "cure": standing.cure,
                }
                for standing in places
            ],
        }
        print(json.dumps(found, indent=2))
        return 0
    _print(
        "cameras (--source)", [_camera(camera) for camera in cameras], "none; --source still: works without"
    )
    _print(
        "virtual cameras (--sink virtualcam:)",
        [f"{camera.node or camera.name:<14}{camera.name}" for camera in virtual],
        f"none; {virtual_camera_remedy()}",
    )
    _print(
        "inference backends (--backend)", [line for standing in places for line in _place(standing)], "none"
    )
    return 0


def _camera(camera: Camera) -> str:
    places = ", ".join(place for place in (camera.node, camera.by_id) if place)
    return f"camera:{camera.index:<7}{camera.name}{f' ({places})' if places else ''}"


def _place(standing: Standing) -> list[str]:
    name = f"{standing.place!s:<20}"
    cure = [f"{'':<20}-> {standing.cure}"] if standing.cure else []
    return [f"{name}{standing.state}: {standing.about}", *cure]


def _print(title: str, lines: list[str], nothing: str) -> None:
    print(title)
    for line in lines or [nothing]:
        print(f"  {line}")
