"""The thread that owns a sink: it opens, publishes, repeats, reopens, and hurts nobody else.

OPENING ── opened ──> RUNNING ── lost ──> LOST ── reopened ──> RUNNING
    └── failed ──────────────────────────> LOST          any ── close ──> CLOSED
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from realtime.backoff import Backoff
from realtime.clock import NS_PER_S, Clock
from realtime.errors import DeviceError, RealtimeError
from realtime.frame import Picture, PictureKind
from realtime.sinks.base import Sink, StreamInfo
from realtime.sinks.cadence import Cadence
from realtime.slot import Slot
from realtime.telemetry.rate import Rate

__all__ = ["SinkRunner", "SinkState", "SinkStatus"]

CLOSE_TIMEOUT_S = 5.0
IDLE_WAIT_S = 0.1
"""The longest wait for a picture, and so for the runner to see that it is to stop."""

log = logging.getLogger(__name__)


class SinkState(StrEnum):
    """Where a sink stands."""

    OPENING = "opening"
    RUNNING = "running"
    LOST = "lost"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class SinkStatus:
    """A sink as it is at one moment."""

    name: str
    description: str
    """What the sink said when it opened last; empty before."""
    state: SinkState
    published: int
    """Different pictures handed on."""
    repeated: int
    """Pictures handed on again to keep the cadence."""
    dropped: int
    """Pictures that a newer one replaced while the sink was busy or lost, or that it failed to take."""
    fps: float
    """Pictures a second, repetitions included, over the last two seconds."""
    error: RealtimeError | None
    """Why it is LOST, or why it could not be ended well; None otherwise."""


class SinkRunner:
    """Feeds one sink from one slot in one thread.

    A sink that cannot be opened, or fails, is opened again with growing waits, for ever; in the meantime
    its slot loses pictures, and only its own.
    """

    def __init__(
        self,
        sink: Sink,
        slot: Slot[Picture],
        stream: StreamInfo,
        clock: Clock,
        record_age: Callable[[int], None],
    ) -> None:
        """`record_age` gets the age in ns of each new picture but cards, in the runner's thread."""
        self._sink = sink
        self._slot = slot
        self._stream = stream
        self._clock = clock
        self._record_age = record_age
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._settled = threading.Event()
        self._rate = Rate()
        self._state = SinkState.OPENING
        self._description = ""
        self._published = 0
        self._repeated = 0
        self._failed = 0
        self._error: RealtimeError | None = None
        self._reported: str | None = None
        self._last: Picture | None = None

    def start(self) -> None:
        """Start the thread. Once."""
        assert self._thread is None, "a sink runner starts once"
        self._thread = threading.Thread(target=self._run, name=f"sink-{self._sink.name}", daemon=True)
        self._thread.start()

    def wait_open(self, timeout_s: float) -> bool:
        """Block until the first opening succeeded or failed; True when it succeeded."""
        return self._settled.wait(timeout_s) and self._state is SinkState.RUNNING

    @property
    def status(self) -> SinkStatus:
        """The sink at this moment. From any thread."""
        return SinkStatus(
            name=self._sink.name,
            description=self._description,
            state=self._state,
            published=self._published,
            repeated=self._repeated,
            dropped=self._slot.stats().overwritten + self._failed,
            fps=self._rate.per_second(self._clock.now_ns()),
            error=self._error,
        )

    def close(self, timeout_s: float = CLOSE_TIMEOUT_S) -> None:
        """Publish what still waits in the slot, then close the sink. Idempotent, bounded, never raises.

        A thread that a driver holds longer is left behind: it is a daemon.
        """
        self._stop.set()
        if self._thread is None:
            self._state = SinkState.CLOSED
            return
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            log.warning("%s did not let go within %g s; it is left to the system", self._sink.name, timeout_s)

    def _run(self) -> None:
        backoff = Backoff()
        try:
            while not self._stop.is_set():
                try:
                    self._open()
                    self._feed(backoff)
                except Exception as error:
                    self._lose(error)
                    self._sink.close()
                    self._clock.wait_until(self._clock.now_ns() + backoff.next_ns(), self._stop)
        finally:
            self._sink.close()
            self._state = SinkState.CLOSED
            self._settled.set()

    def _open(self) -> None:
        self._description = self._sink.open(self._stream)
        self._state = SinkState.RUNNING
        self._error = None
        self._settled.set()

    def _lose(self, error: Exception) -> None:
        """Keep the error, and log it once, until the sink has taken a picture again."""
        self._error = _translated(self._sink.name, error)
        if self._reported != self._error.message:
            self._reported = self._error.message
            # Its owner waits for the first opening and tells of its failure himself.
            level = logging.WARNING if self._settled.is_set() else logging.DEBUG
            log.log(level, "%s is lost and will be opened again: %s", self._sink.name, self._error)
        self._state = SinkState.LOST
        self._settled.set()

    def _feed(self, backoff: Backoff) -> None:
        """Publish until the stop, then what is left. Raises what the sink raises."""
        cadence = Cadence(self._sink.cadence_fps) if self._sink.cadence_fps else None
        if cadence is not None and self._last is not None:
            self._publish_again(self._last, cadence)
        while not self._stop.is_set():
            picture = self._slot.take(self._wait_s(cadence))
            if picture is not None:
                self._publish(picture, cadence)
                self._works(backoff)
            elif cadence is not None and self._last is not None and self._is_due(cadence):
                self._publish_again(self._last, cadence)
                self._works(backoff)
        while (picture := self._slot.take(0.0)) is not None:
            self._publish(picture, cadence)

    def _works(self, backoff: Backoff) -> None:
        backoff.reset()
        if self._reported is not None:
            self._reported = None
            log.info("%s works again: %s", self._sink.name, self._description)

    def _wait_s(self, cadence: Cadence | None) -> float:
        if cadence is None or cadence.due_ns is None:
            return IDLE_WAIT_S
        return min(IDLE_WAIT_S, max(0.0, (cadence.due_ns - self._clock.now_ns()) / NS_PER_S))

    def _is_due(self, cadence: Cadence) -> bool:
        return cadence.due_ns is None or self._clock.now_ns() >= cadence.due_ns

    def _publish(self, picture: Picture, cadence: Cadence | None) -> None:
        self._last = picture
        try:
            self._sink.publish(picture)
        except Exception:
            self._failed += 1
            raise
        now_ns = self._clock.now_ns()
        self._published += 1
        self._rate.add(now_ns)
        if picture.kind is not PictureKind.CARD:
            self._record_age(now_ns - picture.captured_ns)
        if cadence is not None:
            cadence.published(now_ns)

    def _publish_again(self, picture: Picture, cadence: Cadence) -> None:
        self._sink.publish(picture)
        now_ns = self._clock.now_ns()
        self._repeated += 1
        self._rate.add(now_ns)
        cadence.published(now_ns)


def _translated(name: str, error: Exception) -> RealtimeError:
    if isinstance(error, RealtimeError):
        return error
    log.error("%s failed unexpectedly", name, exc_info=error)
    return DeviceError(f"{name} failed: {error}", "see the log; the other outputs are not affected")
