"""`realtime devices`: what this machine can film with, show on and compute with."""

import argparse
import json
from dataclasses import asdict
from typing import Any

from models.runtime.registry import BACKENDS, available
from realtime.capture.enumerate import Camera, list_cameras, list_virtual_cameras
from realtime.sinks.remedy import virtual_camera_remedy

__all__ = ["devices"]


def devices(arguments: argparse.Namespace) -> int:
    """Print cameras, virtual cameras and inference backends; as JSON with `--json`. Always 0."""
    cameras, virtual, installed = list_cameras(), list_virtual_cameras(), available()
    if arguments.json:
        found: dict[str, Any] = {
            "cameras": [asdict(camera) for camera in cameras],
            "virtual_cameras": [asdict(camera) for camera in virtual],
            "backends": {
                name: {"installed": name in installed, "install": backend.install}
                for name, backend in BACKENDS.items()
            },
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
        "inference backends (--backend)",
        [
            f"{name:<14}{'installed' if name in installed else f'not installed: {backend.install}'}"
            for name, backend in BACKENDS.items()
        ],
        "none",
    )
    return 0


def _camera(camera: Camera) -> str:
    places = ", ".join(place for place in (camera.node, camera.by_id) if place)
    return f"camera:{camera.index:<7}{camera.name}{f' ({places})' if places else ''}"


def _print(title: str, lines: list[str], nothing: str) -> None:
    print(title)
    for line in lines or [nothing]:
        print(f"  {line}")
