"""The asyncio frame loop: newest frame -> worker -> outputs, and what is shown when that fails.

One frame is in flight at a time. While it is, newer frames overtake each other in the feed's slot, so a slow
stage lowers the rate, never raises the age. A second task watches the clock: when the camera falls silent or
the worker hangs, it publishes what the fault gate says.
"""

import asyncio
import logging
from dataclasses import dataclass, field
from typing import Protocol

from realtime.clock import NS_PER_MS, NS_PER_S, Clock
from realtime.errors import BackendError, RealtimeError
from realtime.fallback import Shown, fall_back, show
from realtime.fault import FaultGate, Reason
from realtime.frame import Face, Frame, Outcome, Result
from realtime.health import Health

__all__ = ["Feed", "FrameLoop", "Limits", "LoopCounts", "Work"]

TICK_NS = 20 * NS_PER_MS
HANG_NS = 5 * NS_PER_S
"""A frame that takes longer than this has hung its worker."""
ERRORS_BEFORE_RESTART = 30
"""Failed frames in a row after which the worker is built anew."""

_log = logging.getLogger(__name__)


class Feed(Protocol):
    """The loop's end of the capture thread."""

    def take(self) -> Frame | None:
        """The newest frame not yet taken."""
        ...

    def ended(self) -> bool:
        """Whether no more frames will come."""
        ...

    def problem(self) -> str | None:
        """Why frames do not come, for people; None while all is well."""
        ...


class Work(Protocol):
    """The loop's end of the worker thread."""

    def process(self, frame: Frame) -> asyncio.Future[Result]: ...

    async def restart(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Limits:
    """When to end by itself; None never."""

    frames: int | None = None
    seconds: float | None = None


@dataclass(slots=True)
class LoopCounts:
    """Added to by the loop alone."""

    processed: int = 0
    failed: int = 0
    restarts: int = 0
    newest: tuple[Face, ...] = ()
    """The faces of the newest frame."""
    outcomes: dict[Outcome, int] = field(default_factory=lambda: dict.fromkeys(Outcome, 0))


class FrameLoop:
    """Owns the order of frames. `run` once."""

    def __init__(
        self,
        feed: Feed,
        worker: Work,
        shown: Shown,
        gate: FaultGate,
        health: Health,
        clock: Clock,
        limits: Limits,
    ) -> None:
        self._feed = feed
        self._worker = worker
        self._shown = shown
        self._gate = gate
        self._health = health
        self._clock = clock
        self._limits = limits
        self._fresh = asyncio.Event()
        self._pending: asyncio.Future[Result] | None = None
        self._pending_since_ns = 0
        self._settled_ns = 0
        self._errors_in_a_row = 0
        self._restarting = False
        self.counts = LoopCounts()

    def wake(self) -> None:
        """Look at the feed again. Call it in the event loop's thread when a frame came or the feed ended."""
        self._fresh.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Process frames until `stop` is set, a limit is reached or the feed has ended."""
        self._settled_ns = self._clock.now_ns()
        deadline_ns = (
            None
            if self._limits.seconds is None
            else self._clock.now_ns() + int(self._limits.seconds * NS_PER_S)
        )
        async with asyncio.TaskGroup() as group:
            frames = group.create_task(self._frames())
            watch = group.create_task(self._watch(deadline_ns))
            stopped = group.create_task(stop.wait())
            await asyncio.wait({frames, watch, stopped}, return_when=asyncio.FIRST_COMPLETED)
            for task in (frames, watch, stopped):
                task.cancel()

    async def _frames(self) -> None:
        while self._limits.frames is None or self.counts.processed < self._limits.frames:
            frame = self._feed.take()
            if frame is None:
                if self._feed.ended():
                    return
                self._fresh.clear()
                await self._fresh.wait()
                continue
            await self._one(frame)

    async def _one(self, frame: Frame) -> None:
        self._pending_since_ns = self._clock.now_ns()
        self._pending = self._worker.process(frame)
        try:
            result = await self._pending
        except RealtimeError as error:
            await self._failed(frame, error)
        else:
            self._errors_in_a_row = 0
            self._finished(result)
        finally:
            self._pending = None
        self._settled_ns = self._clock.now_ns()

    def _finished(self, result: Result) -> None:
        now_ns = self._clock.now_ns()
        age_ns = now_ns - result.frame.captured_ns
        self.counts.processed += 1
        self.counts.newest = result.faces
        if result.outcome is not Outcome.SWAPPED:
            self._health.no_face()
            self._bad(result.frame, Reason.NO_FACE, now_ns)
        elif age_ns > self._gate.hold_ns:
            self._health.fault(f"the picture was {age_ns // NS_PER_MS} ms old", now_ns)
            self.counts.outcomes[Outcome.FAULT] += 1
            show(self._gate.no_frame(Reason.LATE, now_ns), self._shown, Reason.LATE)
        else:
            self._gate.good(now_ns)
            self._shown.swapped(result)
            self._health.shown(age_ns)
            self.counts.outcomes[Outcome.SWAPPED] += 1

    async def _failed(self, frame: Frame, error: RealtimeError) -> None:
        now_ns = self._clock.now_ns()
        self.counts.failed += 1
        self._errors_in_a_row += 1
        if self._errors_in_a_row == 1:
            _log.error("%s; %s", error.message, error.hint)
        self._health.fault(error.message, now_ns)
        self._bad(frame, Reason.WORKER, now_ns)
        if error.final:
            raise error
        if isinstance(error, _HungError) or self._errors_in_a_row >= ERRORS_BEFORE_RESTART:
            await self._restart()

    async def _restart(self) -> None:
        self.counts.restarts += 1
        self._errors_in_a_row = 0
        _log.warning("the worker is started anew")
        self._restarting = True
        try:
            await self._worker.restart()
        finally:
            self._restarting = False

    def _bad(self, frame: Frame, reason: Reason, now_ns: int) -> None:
        self.counts.outcomes[fall_back(self._gate, self._shown, frame, reason, now_ns)] += 1

    async def _watch(self, deadline_ns: int | None) -> None:
        tick_ns = self._clock.now_ns()
        while deadline_ns is None or tick_ns < deadline_ns:
            tick_ns += TICK_NS
            await self._clock.sleep_until(tick_ns)
            tick_ns = max(tick_ns, self._clock.now_ns())
            self._tick(tick_ns)

    def _tick(self, now_ns: int) -> None:
        pending = self._pending
        if pending is not None and now_ns - self._pending_since_ns >= HANG_NS and not pending.done():
            pending.set_exception(
                _HungError("the worker has hung", "if it happens again, try another --device or --backend")
            )
        if now_ns - self._settled_ns < self._gate.hold_ns:
            return
        problem = self._feed.problem()
        if self._restarting:
            reason = Reason.WORKER
        elif pending is not None:
            reason = Reason.LATE
        else:
            reason = Reason.LOST if problem else Reason.SILENT
        if not self._feed.ended():
            self._health.fault(problem or reason.value, now_ns)
            show(self._gate.no_frame(reason, now_ns), self._shown, reason)


class _HungError(BackendError):
    """The worker has not answered for too long."""
