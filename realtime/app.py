"""Builds the parts of the live program from the configuration, and owns the order of start and stop.

Start: page and outputs first, with a card, so that a call finds its camera at once; then models and source.
Stop: source, loop, worker, outputs, page; each in bounded time.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from realtime.assembly import backends, build_pipeline, model_names
from realtime.blocking import in_thread, post, unless
from realtime.capture.base import Source, SourceInfo
from realtime.capture.reader import Reader, ReaderState
from realtime.card import Cards
from realtime.clock import NS_PER_MS, NS_PER_S, Clock
from realtime.config import Config
from realtime.control.program import ProgramControl
from realtime.errors import DeviceError
from realtime.fault import FaultGate, Reason
from realtime.feed import ReaderFeed
from realtime.health import Health, HealthSettings
from realtime.loop import FrameLoop, Limits
from realtime.mark import Mark
from realtime.outputs import OutputSet
from realtime.pipeline import Pipeline, PipelineFigures
from realtime.places import start_timeout_s
from realtime.publisher import Publisher
from realtime.sinks.base import Sink, StreamInfo
from realtime.telemetry.histogram import Histogram
from realtime.telemetry.recorder import CaptureFigures, LoopFigures, Recorder
from realtime.telemetry.snapshot import SinkFigures, Snapshot, report
from realtime.terminal import status_text
from realtime.worker import Worker

if TYPE_CHECKING:
    from realtime.page import Page

__all__ = ["App", "Endpoint"]

Make = Callable[[Config, Path, Clock, PipelineFigures], Pipeline]

OPEN_TIMEOUT_S = 10.0
SNAPSHOT_NS = NS_PER_S // 4


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What a run is made of besides its configuration."""

    source: Source
    live: bool
    """Whether the source comes at its own pace: then it is opened at once, else when the models are ready."""
    sinks: tuple[Sink, ...]
    page: bool
    """Whether the web page and its viewers are wanted."""
    extras: tuple[Sink, ...] = ()
    """Sinks that nobody asked for by name: one that does not open is told of and tried again, no more."""


class App:
    """One run of the live program. Also the page's `StatusView`, and the recorder's `Parts`."""

    def __init__(
        self,
        config: Config,
        endpoint: Endpoint,
        clock: Clock,
        limits: Limits,
        say: Callable[[str], None],
        show_status: Callable[[str], None],
        make: Make = build_pipeline,
    ) -> None:
        """`say`: a line that stays; `show_status`: the newest status line; `make`: what frames go through."""
        self._make = make
        self._config = config
        self._endpoint = endpoint
        self._clock = clock
        self._say = say
        self._show_status = show_status
        self._outputs = OutputSet(clock)
        self._gate = FaultGate(config.pipeline.on_fault, round(config.pipeline.hold_ms * NS_PER_MS))
        self._health = Health(HealthSettings(budget_ns=round(config.latency.budget_ms * NS_PER_MS)))
        self._publisher = Publisher(
            self._outputs,
            Mark(enabled=config.pipeline.mark == "on"),
            Cards(),
            clock,
            (config.source.width, config.source.height),
        )
        self._page: Page | None = None
        self._figures = PipelineFigures()
        self._before = 0
        """Frames that went by while the models were loading."""
        self._info: SourceInfo | None = None
        self._worker = Worker(self._build, config.pipeline.depth, self._wake, start_timeout_s(config))
        self._folder: Path | None = None
        self._pipeline: Pipeline | None = None
        self._control = ProgramControl(
            config, lambda: self._pipeline, clock, self._figures.stages["identify"]
        )
        self._reader = Reader(endpoint.source, clock, self._wake_threadsafe, held=config.pipeline.depth)
        self._loop = FrameLoop(
            ReaderFeed(self._reader), self._worker, self._publisher, self._gate, self._health, clock, limits
        )
        self._asyncio: asyncio.AbstractEventLoop | None = None
        self._recorder = Recorder(self, self._health, clock)

    async def run(self, stop: asyncio.Event) -> None:
        """Start, live until `stop` is set, a limit is reached or the source ends, stop.

        Raises any RealtimeError that keeps the program from starting or from going on.
        """
        self._asyncio = asyncio.get_running_loop()
        self._health.warming()
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._outputs.close)
            stack.push_async_callback(self._worker.close)
            stack.callback(self._control.close)
            # Beside the outputs: each takes half a second, and most of it on a core of its own.
            loading = asyncio.ensure_future(self._load())
            stack.push_async_callback(_end, loading)
            await self._start_outputs(stack)
            stack.push_async_callback(in_thread, self._reader.close)
            if not await unless(stop, self._warm_up(loading)):
                return
            self._health.started()
            self._before = self._reader.status.overwritten
            async with asyncio.TaskGroup() as group:
                watching = group.create_task(self._record())
                try:
                    await self._loop.run(stop)
                finally:
                    watching.cancel()
            self._health.stopping()
            self._recorder.update()
            source = self._reader.status
            if source.state is ReaderState.FAILED and source.error is not None:
                raise source.error
        self._recorder.update()

    def report(self) -> dict[str, Any]:
        """The figures as they stand, in the shape of `--report`; `shown` is for the page."""
        figures = report(self._recorder.snapshot)
        return figures if self._page is None else {**figures, "shown": self._page.shown}

    def ready(self) -> bool:
        """Whether the first picture has been made."""
        return self._loop.counts.processed > 0

    def status_line(self) -> str:
        return status_text(self._recorder.snapshot)

    @property
    def control(self) -> ProgramControl:
        """Where commands go."""
        return self._control

    @property
    def snapshot(self) -> Snapshot:
        return self._recorder.snapshot

    async def _start_outputs(self, stack: AsyncExitStack) -> None:
        """Open the outputs that are to be there from the start, and show them a card."""
        config = self._config
        if not self._endpoint.live:
            self._info = await in_thread(self._endpoint.source.open)
        stream = self._stream()
        if self._endpoint.page:
            from realtime.page import Page

            self._page = page = Page(config.web, self, self._clock, self._control)
            stack.push_async_callback(page.close)
            await self._outputs.add(await page.start(), stream)
            self._say(f"watch it at {page.url}")
        for sink in self._endpoint.sinks:
            await self._outputs.add(sink, stream)
        for sink in self._endpoint.extras:
            try:
                await self._outputs.add(sink, stream)
            except DeviceError as error:
                self._say(f"going on without: {error}")
        self._publisher.card(Reason.STARTING.value, "loading the models")

    async def _load(self) -> None:
        """The models, and the pipeline that they make."""
        from models.fetch import ensure

        names = model_names(self._config)
        files = await in_thread(lambda: ensure(names))
        self._folder = next(iter(files.values())).parent
        await self._worker.start()

    async def _warm_up(self, loading: asyncio.Future[None]) -> None:
        """Models and source, then the outputs that record."""
        if self._endpoint.live:
            self._reader.start()
        await loading
        if not self._endpoint.live:
            self._reader.start()
        self._info = await in_thread(lambda: self._reader.wait_open(OPEN_TIMEOUT_S))
        self._say(f"source: {self._info.description}")
        self._outputs.record()

    def _build(self) -> Pipeline:
        assert self._folder is not None, "the worker starts after the models are there"
        self._pipeline = self._make(self._control.config, self._folder, self._clock, self._figures)
        return self._pipeline

    def _stream(self) -> StreamInfo:
        if self._info is None:
            source = self._config.source
            return StreamInfo(source.width, source.height, source.fps)
        return StreamInfo(self._info.width, self._info.height, self._info.fps)

    async def _record(self) -> None:
        """Replace the snapshot four times a second, and say the status now and then."""
        status_ns = round(self._config.log.status_s * NS_PER_S)
        due_ns = self._clock.now_ns()
        said_ns = due_ns
        while True:
            due_ns += SNAPSHOT_NS
            await self._clock.sleep_until(due_ns)
            self._recorder.update()
            if due_ns - said_ns >= status_ns:
                said_ns = due_ns
                self._show_status(self.status_line())

    def _wake(self) -> None:
        self._loop.wake()

    def _wake_threadsafe(self) -> None:
        loop = self._asyncio
        if loop is not None:
            post(loop, self._loop.wake)

    def capture_figures(self) -> CaptureFigures:
        status = self._reader.status
        info = status.info or self._info
        source: dict[str, object] = {}
        if info is not None:
            source = {
                "uri": info.uri,
                "description": info.description,
                "width": info.width,
                "height": info.height,
                "fps": info.fps,
                "reopened": status.reopened,
            }
        captured, dropped = status.captured - self._before, status.overwritten - self._before
        return CaptureFigures(source, captured, dropped, status.measured_fps)

    def loop_figures(self) -> LoopFigures:
        counts, figures = self._loop.counts, self._figures
        return LoopFigures(
            processed=counts.processed,
            failed=counts.failed,
            restarts=counts.restarts,
            faces=counts.newest,
            outcomes=counts.outcomes,
            detect_calls=figures.detector_calls,
            tracked=figures.tracked,
            covered=figures.covered,
            stages={**figures.stages, "mark": self._publisher.marking},
            fps_out=self._publisher.rate.per_second(self._clock.now_ns()),
        )

    def sink_figures(self) -> Sequence[tuple[SinkFigures, Histogram]]:
        return self._outputs.figures()

    def backend(self) -> Mapping[str, str]:
        return backends(self._control.config)


async def _end(task: asyncio.Future[None]) -> None:
    """Cancel it; what it raised was heard by whoever waited for it, or does not matter any more."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
