"""`realtime bench [KIND] [CLIP ...]`: figures as JSON on stdout."""

import argparse
import importlib
import json
from collections.abc import Mapping
from typing import Any, Protocol

from realtime.bench.machine import machine

__all__ = ["KINDS", "bench"]

KINDS: Mapping[str, str] = {
    "live": "realtime.bench.live",
    "tracking": "realtime.bench.tracking",
    "identity": "realtime.bench.identity",
    "unpaced": "realtime.bench.unpaced",
    "start": "realtime.bench.start",
    "chain": "realtime.bench.chain",
    "late": "realtime.bench.late",
    "change": "realtime.bench.change",
}
"""Kind to the module whose `measure` does it; without a kind it is `live`."""


class _Kind(Protocol):
    def measure(self, clips: list[str], arguments: argparse.Namespace) -> tuple[dict[str, Any], int]: ...


def bench(arguments: argparse.Namespace) -> int:
    """Measure, print the figures and what they were measured on."""
    words: list[str] = arguments.what
    kind, clips = (words[0], words[1:]) if words and words[0] in KINDS else ("live", words)
    module: _Kind = importlib.import_module(KINDS[kind])
    figures, code = module.measure(clips, arguments)
    print(json.dumps({**figures, "machine": machine()}, indent=2))
    return code
