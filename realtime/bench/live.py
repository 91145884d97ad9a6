"""A clip through the live path at its own pace: what a call would see."""

import argparse
import sys
from typing import Any

from realtime.app import App, Endpoint
from realtime.bench.replay import ENDLESS_S
from realtime.capture.registry import open_source
from realtime.clock import MonotonicClock
from realtime.commands.flags import configured, start_logging
from realtime.commands.run import ask_first, run_to_end
from realtime.loop import Limits
from realtime.sinks.null import NullSink
from realtime.terminal import Terminal

__all__ = ["measure"]


def measure(clips: list[str], arguments: argparse.Namespace) -> tuple[dict[str, Any], int]:
    """The report of `--seconds` of live picture into nothing, and the exit code."""
    config = configured(arguments)
    terminal = Terminal(sys.stderr)
    start_logging(config.log.level, terminal)
    ask_first(config, True, terminal)
    settings = config.source
    uri = clips[0] if clips else "still:"
    source = open_source(uri, width=settings.width, height=settings.height, fps=settings.fps, loop=True)
    endpoint = Endpoint(source, live=False, sinks=(NullSink(),), page=False)
    app = App(
        config,
        endpoint,
        MonotonicClock(),
        Limits(seconds=arguments.seconds or ENDLESS_S),
        terminal.say,
        terminal.status,
    )
    code = run_to_end(app, terminal)
    terminal.finish()
    return app.report(), code
