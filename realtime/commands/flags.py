"""From parsed flags to configuration layers, and the logging that a verb starts with."""

import argparse
import logging
import os
import re
from collections.abc import Mapping
from typing import Any

from realtime.config import Config, MaskConfig
from realtime.config_layers import Layers, load
from realtime.errors import ConfigError
from realtime.terminal import Terminal

__all__ = ["configured", "layers", "start_logging"]

_KEYS: Mapping[str, str] = {
    "source": "source.uri",
    "fps": "source.fps",
    "loop": "source.loop",
    "face": "face.uris",
    "who": "face.who",
    "others": "face.others",
    "reference": "face.references",
    "recogniser": "face.recogniser",
    "sink": "sink.uris",
    "swapper": "pipeline.swapper",
    "fidelity": "neural.fidelity",
    "boost": "neural.boost",
    "blend": "neural.blend",
    "late": "pipeline.late",
    "pipeline_depth": "pipeline.depth",
    "occlusion": "pipeline.occlusion",
    "enhancer": "pipeline.enhancer",
    "backend": "pipeline.backend",
    "device": "pipeline.device",
    "precision": "pipeline.precision",
    "on_fault": "pipeline.on_fault",
    "mark": "pipeline.mark",
    "host": "web.host",
    "port": "web.port",
    "log_level": "log.level",
}


def layers(arguments: argparse.Namespace) -> Layers:
    """The layers that the flags and the environment make. Raises ConfigError for a wrong --size."""
    given = vars(arguments)
    flags: dict[str, Any] = {key: given[name] for name, key in _KEYS.items() if given.get(name) is not None}
    if given.get("size"):
        flags["source.width"], flags["source.height"] = _size(given["size"])
    if given.get("mask"):
        flags["mask.masks"] = list(dict.fromkeys((*MaskConfig().masks, *given["mask"])))
    return Layers(given.get("preset"), given.get("config"), dict(os.environ), flags)


def configured(arguments: argparse.Namespace) -> Config:
    """The configuration in force."""
    return load(layers(arguments))


def start_logging(level: str, terminal: Terminal) -> None:
    """Send the program's log to the terminal, above its status line."""
    handler = terminal.handler()
    handler.setFormatter(logging.Formatter("%(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for name in ("realtime", "models"):
        logging.getLogger(name).setLevel(level.upper())


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{2,5})x(\d{2,5})", text)
    if match is None:
        raise ConfigError(f"--size {text!r} is not a size", "write width x height, such as 1280x720")
    return int(match[1]), int(match[2])
