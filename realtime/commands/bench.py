"""`realtime bench`: replay a source through the live path at its own pace, figures as JSON on stdout."""

import argparse
import json
import os
import platform
import sys
from typing import Any

from realtime.app import App, Endpoint
from realtime.capture.registry import open_source
from realtime.clock import MonotonicClock
from realtime.commands.flags import configured, start_logging
from realtime.commands.run import ask_first, run_to_end
from realtime.loop import Limits
from realtime.sinks.null import NullSink
from realtime.terminal import Terminal

__all__ = ["bench", "machine"]


def bench(arguments: argparse.Namespace) -> int:
    """Run for `--seconds` of live picture into nothing and print the report."""
    config = configured(arguments)
    terminal = Terminal(sys.stderr)
    start_logging(config.log.level, terminal)
    ask_first(config, True, terminal)
    settings = config.source
    source = open_source(
        arguments.clip, width=settings.width, height=settings.height, fps=settings.fps, loop=True
    )
    endpoint = Endpoint(source, live=False, sinks=(NullSink(),), page=False)
    app = App(
        config, endpoint, MonotonicClock(), Limits(seconds=arguments.seconds), terminal.say, terminal.status
    )
    code = run_to_end(app, terminal)
    terminal.finish()
    print(json.dumps({**app.report(), "machine": machine()}, indent=2))
    return code


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def _processor() -> str:
    if sys.platform == "linux":
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            for line in lines:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
