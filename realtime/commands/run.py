"""`realtime run`: the live program."""

import argparse
import asyncio
import json
import os
import signal
from pathlib import Path
from typing import Any

from realtime.app import App
from realtime.capture.camera import first_working_camera
from realtime.choice import choose
from realtime.clock import MonotonicClock
from realtime.commands.flags import configured, start_logging
from realtime.config import Config
from realtime.consent import Acknowledgements, default_path, terminal_ask
from realtime.errors import ConfigError, RealtimeError
from realtime.faces import PERSONA, face_pictures
from realtime.loop import Limits
from realtime.sinks.virtualcam import find_virtual_camera
from realtime.terminal import Terminal
from realtime.who import check_who

__all__ = ["ask_first", "check_report", "run", "run_to_end", "write_report"]

INTERRUPTED = 130


def run(arguments: argparse.Namespace) -> int:
    """Live until Ctrl-C, a limit or the end of the source; 0, or 130 when interrupted."""
    config = configured(arguments)
    terminal = Terminal()
    start_logging(config.log.level, terminal)
    report_path: Path | None = arguments.report
    if report_path is not None:
        check_report(report_path)
    ask_first(config, arguments.headless, terminal)
    endpoint = choose(config, terminal.say, first_working_camera, find_virtual_camera)
    limits = Limits(arguments.frames, arguments.seconds)
    app = App(config, endpoint, MonotonicClock(), limits, terminal.say, terminal.status)
    try:
        return run_to_end(app, terminal)
    finally:
        terminal.finish()
        if report_path is not None and app.ready():
            write_report(report_path, app.report())


def run_to_end(app: App, terminal: Terminal) -> int:
    """Run the app with Ctrl-C and SIGTERM handled; 0, or 130 when one of them ended it."""
    return INTERRUPTED if asyncio.run(_live(app, terminal)) else 0


async def _live(app: App, terminal: Terminal) -> bool:
    """Run the app; True when a signal ended it."""
    stop = asyncio.Event()
    interrupted = False

    def interrupt(*_: object) -> None:
        nonlocal interrupted
        if interrupted:
            terminal.finish()
            os._exit(INTERRUPTED)
        interrupted = True
        terminal.say("stopping; once more to stop at once")
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, interrupt)
        except NotImplementedError:
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(interrupt))
    try:
        await app.run(stop)
    except BaseExceptionGroup as group:
        errors = _leaves(group)
        known = [error for error in errors if isinstance(error, RealtimeError)]
        if known:
            raise known[0] from group
        raise
    return interrupted


def ask_first(config: Config, headless: bool, terminal: Terminal) -> None:
    """Ask for what must be acknowledged before anything starts. Raises ConfigError when it is not."""
    check_who(config.face)
    acknowledgements = Acknowledgements(default_path(), terminal_ask(headless))
    if config.pipeline.mark == "off":
        acknowledgements.require_mark_off()
        terminal.say("the AI mark is off: tell everyone who sees this picture that it is AI-generated")
    for uri in config.face.uris:
        if uri.startswith(PERSONA):
            continue
        pictures = face_pictures(uri)
        words = acknowledgements.face(pictures.title(), pictures.content(), len(pictures.paths))
        if words:
            terminal.say(words)


def check_report(path: Path) -> None:
    """Find out before the run that the report cannot be written. Raises ConfigError."""
    if not path.parent.is_dir() or path.is_dir():
        raise ConfigError(
            f"the report {path} cannot be written: there is no such folder"
            if not path.parent.is_dir()
            else f"the report {path} cannot be written: it is a folder",
            "give --report a file in a folder that exists",
        )


def write_report(path: Path, report: dict[str, Any]) -> None:
    """Write the figures as JSON, whole or not at all. Raises ConfigError."""
    part = path.with_name(f"{path.name}.part")
    try:
        part.write_text(json.dumps(report, indent=2) + "\n", "utf-8")
        os.replace(part, path)
    except OSError as error:
        raise ConfigError(f"the report {path} cannot be written: {error}", "choose another file") from error


def _leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    found: list[BaseException] = []
    for error in group.exceptions:
        found.extend(_leaves(error) if isinstance(error, BaseExceptionGroup) else [error])
    return found
