"""The thread that owns the source: it opens, reads, paces, reopens, and never waits for its reader.

OPENING ── opened ──> RUNNING ── end ──> ENDED
   │                   │   ^
   │ failed            │   └── reopened ──┐
   v                   v                  │
FAILED <── a clip ── lost ── a device ──> LOST
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from realtime.backoff import Backoff
from realtime.capture.base import Grab, Source, SourceInfo
from realtime.capture.pacing import Pacing
from realtime.clock import Clock
from realtime.errors import DeviceError, RealtimeError
from realtime.frame import Frame
from realtime.slot import TripleBuffer
from realtime.telemetry.rate import Rate

__all__ = ["Reader", "ReaderState", "ReaderStatus"]

CLOSE_TIMEOUT_S = 2.0

log = logging.getLogger(__name__)


class ReaderState(StrEnum):
    """Where the source stands."""

    OPENING = "opening"
    RUNNING = "running"
    LOST = "lost"
    ENDED = "ended"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ReaderStatus:
    """The source as it is at one moment."""

    state: ReaderState
    info: SourceInfo | None
    """What was opened last; None before the first opening."""
    last_frame_ns: int | None
    """Clock at the last frame."""
    measured_fps: float
    """Frames a second over the last two seconds, whatever the source claims."""
    captured: int
    overwritten: int
    """Frames that a newer one replaced before they were taken."""
    reopened: int
    error: RealtimeError | None
    """Why it is LOST or FAILED; None otherwise."""


class Reader:
    """Reads a source in a thread and offers its newest frame.

    A source that is not live is paced by its own timestamps. A live source that is lost is opened again,
    for ever; a clip that fails stays FAILED. Each opening and each epoch of the source begins a new
    `Frame.epoch`.
    """

    def __init__(
        self,
        source: Source,
        clock: Clock,
        notify: Callable[[], None] | None = None,
        held: int = 1,
    ) -> None:
        """`notify` is called in the reader's thread after each frame and once at the end.

        `held`: how many taken frames the taker keeps at a time.
        """
        self._source = source
        self._clock = clock
        self._notify = notify
        self._frames = TripleBuffer(notify, held)
        self._rate = Rate()
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._settled = threading.Event()
        self._state = ReaderState.OPENING
        self._info: SourceInfo | None = None
        self._last_frame_ns: int | None = None
        self._openings = 0
        self._epoch = -1
        self._error: RealtimeError | None = None

    def start(self) -> None:
        """Start the thread. Once."""
        assert self._thread is None, "a reader starts once"
        self._thread = threading.Thread(target=self._run, name="capture", daemon=True)
        self._thread.start()

    def wait_open(self, timeout_s: float) -> SourceInfo:
        """Block until the source is open for the first time.

        Raises DeviceError when it cannot be opened, or did not open in `timeout_s`.
        """
        if not self._settled.wait(timeout_s):
            raise DeviceError(
                f"the source did not open within {timeout_s:g} s",
                "unplug it and plug it in again, or choose another with --source",
            )
        if self._info is None:
            raise self._error or DeviceError("the source was closed before it opened", "start it again")
        return self._info

    def take(self) -> Frame | None:
        """The newest frame not yet taken, or None. Never blocks."""
        return self._frames.take()

    @property
    def status(self) -> ReaderStatus:
        """The source at this moment. From any thread."""
        stats = self._frames.stats()
        return ReaderStatus(
            state=self._state,
            info=self._info,
            last_frame_ns=self._last_frame_ns,
            measured_fps=self._rate.per_second(self._clock.now_ns()),
            captured=stats.offered,
            overwritten=stats.overwritten,
            reopened=max(0, self._openings - 1),
            error=self._error,
        )

    def close(self) -> None:
        """Stop the thread, which closes the source. Idempotent; at most 2 s, and never raises.

        A thread that a driver holds longer is left behind: it is a daemon, and closes the source itself
        when the driver lets go.
        """
        self._stop.set()
        if self._thread is None:
            self._source.close()
            return
        self._thread.join(CLOSE_TIMEOUT_S)
        if self._thread.is_alive():
            log.warning("the source did not let go within %g s; it is left to the system", CLOSE_TIMEOUT_S)

    def _run(self) -> None:
        try:
            self._read_until_over()
        finally:
            self._source.close()
            self._settled.set()
            if self._notify is not None:
                self._notify()

    def _read_until_over(self) -> None:
        backoff = Backoff()
        while not self._stop.is_set():
            try:
                self._open()
                self._read(backoff)
            except Exception as error:
                self._error = _translated(error)
                if self._info is None or not self._info.live:
                    self._state = ReaderState.FAILED
                    return
                if self._state is not ReaderState.LOST:
                    log.warning("the source is lost and will be opened again: %s", self._error)
                self._state = ReaderState.LOST
                if self._clock.wait_until(self._clock.now_ns() + backoff.next_ns(), self._stop):
                    return
            else:
                return

    def _open(self) -> None:
        info = self._source.open()
        self._info = info
        self._openings += 1
        if self._openings > 1:
            log.info("the source is back: %s", info.description)
        self._settled.set()

    def _read(self, backoff: Backoff) -> None:
        """Publish frame by frame until the end or the stop. Raises what the source raises."""
        assert self._info is not None
        live, pacing = self._info.live, Pacing()
        source_epoch: int | None = None
        while not self._stop.is_set():
            grab = self._source.read(self._frames.writable)
            if grab is None:
                self._state = ReaderState.ENDED
                return
            if not live:
                due_ns = pacing.due_ns(grab.media_ns, grab.epoch, self._clock.now_ns())
                if self._clock.wait_until(due_ns, self._stop):
                    return
            if grab.epoch != source_epoch:
                source_epoch = grab.epoch
                self._epoch += 1
            self._publish(grab)
            backoff.reset()

    def _publish(self, grab: Grab) -> None:
        now_ns = self._clock.now_ns()
        self._state = ReaderState.RUNNING
        self._error = None
        self._last_frame_ns = now_ns
        self._rate.add(now_ns)
        self._frames.publish(grab.bgr, now_ns - grab.late_ns, self._epoch)


def _translated(error: Exception) -> RealtimeError:
    if isinstance(error, RealtimeError):
        return error
    log.error("the source failed unexpectedly", exc_info=error)
    return DeviceError(f"the source failed: {error}", "see the log; choose another source with --source")
