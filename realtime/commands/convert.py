"""`realtime convert`: a file, every frame, with its sound."""

import argparse
import itertools
import logging
import time
from pathlib import Path

from models.fetch import ensure
from realtime.assembly import backends, build_pipeline, model_names
from realtime.capture.base import SourceInfo
from realtime.capture.file import FileSource
from realtime.capture.lossless import lossless_frames
from realtime.card import Cards
from realtime.clock import NS_PER_MS, MonotonicClock
from realtime.commands.flags import configured, start_logging
from realtime.commands.run import ask_first, check_report, write_report
from realtime.config import Config
from realtime.conversion import Conversion, MediaClock, OnePicture
from realtime.errors import ConfigError, DeviceError
from realtime.fault import FaultGate
from realtime.frame import Outcome
from realtime.mark import Mark
from realtime.pipeline import Pipeline, PipelineFigures
from realtime.publisher import Publisher
from realtime.sinks.base import StreamInfo
from realtime.sinks.file import FileSink
from realtime.telemetry.process import rss_mb
from realtime.telemetry.snapshot import Snapshot, report
from realtime.terminal import Terminal

__all__ = ["convert"]

SAY_EVERY_S = 1.0

log = logging.getLogger(__name__)


def convert(arguments: argparse.Namespace) -> int:
    """Write OUT; what is half written when something fails is removed."""
    config = configured(arguments)
    terminal = Terminal()
    start_logging(config.log.level, terminal)
    taken, made = Path(arguments.input), Path(arguments.output)
    if taken.resolve() == made.resolve():
        raise ConfigError(f"{taken} would be overwritten while it is read", "give -o another name")
    if arguments.report is not None:
        check_report(arguments.report)
    ask_first(config, arguments.headless, terminal)
    source = FileSource(taken)
    sink = FileSink(made, audio_from=taken)
    try:
        info = source.open()
        sink.open(StreamInfo(info.width, info.height, info.fps))
        folder = next(iter(ensure(model_names(config)).values())).parent
        figures = PipelineFigures()
        pipeline = build_pipeline(config, folder, MonotonicClock(), figures, lossless=True)
        try:
            finished = _write(config, pipeline, figures, source, sink, info, arguments.frames, terminal)
        finally:
            pipeline.close()
    except BaseException:
        sink.discard()
        raise
    finally:
        source.close()
        sink.close()
        terminal.finish()
    if not made.is_file():
        raise DeviceError(f"{made} could not be finished", "see the log above")
    if arguments.report is not None:
        write_report(arguments.report, report(finished))
    return 0


def _write(
    config: Config,
    pipeline: Pipeline,
    figures: PipelineFigures,
    source: FileSource,
    sink: FileSink,
    info: SourceInfo,
    limit: int | None,
    terminal: Terminal,
) -> Snapshot:
    clock, shown = MediaClock(), OnePicture()
    mark = Mark(enabled=config.pipeline.mark == "on")
    publisher = Publisher(shown, mark, Cards(), clock, (info.width, info.height))
    gate = FaultGate(config.pipeline.on_fault, round(config.pipeline.hold_ms * NS_PER_MS))
    conversion = Conversion(pipeline, publisher, shown, clock, gate)
    began_s = said_s = time.monotonic()
    total = None if info.duration_s is None else max(1, round(info.duration_s * info.fps))
    written = 0
    for picture in conversion.pictures(itertools.islice(lossless_frames(source), limit)):
        sink.publish(picture)
        written += 1
        now_s = time.monotonic()
        if now_s - said_s >= SAY_EVERY_S:
            said_s = now_s
            of = f" of about {total}" if total is not None else ""
            terminal.status(f"frame {written}{of}  {written / (now_s - began_s):.1f} fps")
    took_s = time.monotonic() - began_s
    terminal.say(f"{written} frames in {took_s:.1f} s: {_told(conversion.outcomes)}")
    return Snapshot(
        uptime_s=took_s,
        source={"uri": info.uri, "description": info.description, "width": info.width, "height": info.height},
        backend=backends(config),
        captured=written,
        processed=written,
        outcomes={outcome.value: count for outcome, count in conversion.outcomes.items()},
        detect_calls=figures.detector_calls,
        tracked=figures.tracked,
        covered=figures.covered,
        fps_in=written / max(took_s, 1e-9),
        fps_out=written / max(took_s, 1e-9),
        stages={name: stage.percentiles() for name, stage in figures.stages.items()},
        rss_mb=rss_mb(),
    )


def _told(outcomes: dict[Outcome, int]) -> str:
    return ", ".join(f"{count} {name.value.replace('_', ' ')}" for name, count in outcomes.items() if count)
