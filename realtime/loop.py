"""The asyncio frame loop: newest frame -> worker -> outputs, and what is shown when that fails.

As many frames are in flight as the worker has room for, one or two. While they are, newer frames overtake
each other in the feed's slot, so a slow stage lowers the rate, never raises the age. Results are taken in the
order of their frames. A second task watches the clock: when the camera falls silent or the worker hangs, it
publishes what the fault gate says.
"""

import asyncio
import logging
from collections import deque
from dataclasses import dataclass, field
from typing import Protocol

from realtime.clock import NS_PER_MS, NS_PER_S, Clock
from realtime.errors import HungError, RealtimeError
from realtime.fallback import Shown, fall_back, show
from realtime.fault import FaultGate, Reason
from realtime.frame import Face, Frame, Outcome, Result
from realtime.health import Health

__all__ = ["Feed", "FrameLoop", "Limits", "LoopCounts", "Work"]

TICK_NS = 20 * NS_PER_MS
HANG_NS = 5 * NS_PER_S
"""A frame that takes longer than this has hung its worker."""
FIRST_FACE_NS = 3 * NS_PER_S
"""So long after the start a slow network may still be making the first face."""
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
    """The loop's end of the worker's threads."""

    def room(self) -> bool:
        """Whether another frame can be begun at once; the loop is woken when that changes."""
        ...

    def process(self, frame: Frame) -> asyncio.Future[Result]: ...

    async def restart(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Limits:
    """When to end by itself; None never."""

    frames: int | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class _InFlight:
    frame: Frame
    result: asyncio.Future[Result]
    since_ns: int


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
        self._in_flight: deque[_InFlight] = deque()
        self._settled_ns = 0
        self._began_ns = 0
        self._errors_in_a_row = 0
        self._restarting = False
        self.counts = LoopCounts()

    def wake(self) -> None:
        """Look again: a frame came, the feed ended or there is room. Belongs to the event loop's thread."""
        self._fresh.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Process frames until `stop` is set, a limit is reached or the feed has ended."""
        self._began_ns = self._settled_ns = self._clock.now_ns()
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
        while True:
            if self._in_flight and self._in_flight[0].result.done():
                await self._settle(self._in_flight.popleft())
                continue
            begun = self.counts.processed + len(self._in_flight)
            wanted = self._limits.frames is None or begun < self._limits.frames
            if wanted and self._worker.room():
                frame = self._feed.take()
                if frame is not None:
                    self._begin(frame)
                    continue
                wanted = not self._feed.ended()
            if not wanted and not self._in_flight:
                return
            self._fresh.clear()
            await self._fresh.wait()

    def _begin(self, frame: Frame) -> None:
        result = self._worker.process(frame)
        result.add_done_callback(lambda _: self.wake())
        self._in_flight.append(_InFlight(frame, result, self._clock.now_ns()))

    async def _settle(self, one: _InFlight) -> None:
        try:
            result = one.result.result()
        except RealtimeError as error:
            await self._failed(one.frame, error)
        else:
            self._errors_in_a_row = 0
            self._finished(result)
        self._settled_ns = self._clock.now_ns()

    def _finished(self, result: Result) -> None:
        now_ns = self._clock.now_ns()
        age_ns = now_ns - result.frame.captured_ns
        self.counts.processed += 1
        self.counts.newest = result.faces
        if result.refused:
            first = not self.counts.outcomes[Outcome.SWAPPED] and now_ns - self._began_ns < FIRST_FACE_NS
            reason = Reason.STARTING if first else Reason.REFUSED
            self._health.fault(reason.value.lower(), now_ns)
            self._bad(result.frame, reason, now_ns)
        elif result.outcome is not Outcome.SWAPPED:
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
        if isinstance(error, HungError) or self._errors_in_a_row >= ERRORS_BEFORE_RESTART:
            await self._restart()

    async def _restart(self) -> None:
        self.counts.restarts += 1
        self._errors_in_a_row = 0
        _log.warning("the worker is started anew")
        self._restarting = True
        for left in self._in_flight:
            left.result.cancel()
        self._in_flight.clear()
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
        oldest = self._in_flight[0] if self._in_flight else None
        if oldest is not None and now_ns - oldest.since_ns >= HANG_NS and not oldest.result.done():
            oldest.result.set_exception(
                HungError("the worker has hung", "if it happens again, try another --device or --backend")
            )
        if now_ns - self._settled_ns < self._gate.hold_ns:
            return
        problem = self._feed.problem()
        if self._restarting:
            reason = Reason.WORKER
        elif oldest is not None:
            reason = Reason.LATE
        else:
            reason = Reason.LOST if problem else Reason.SILENT
        if not self._feed.ended():
            self._health.fault(problem or reason.value, now_ns)
            show(self._gate.no_frame(reason, now_ns), self._shown, reason)
