"""A thread of its own for slow networks: one job at a time, asked for without waiting."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from realtime.clock import NS_PER_S, Clock
from realtime.errors import BackendError, HungError, RealtimeError, translated

__all__ = ["Ended", "HeavyThread", "Work"]

Job = TypeVar("Job")
Done = TypeVar("Done")
Job_contra = TypeVar("Job_contra", contravariant=True)
Done_co = TypeVar("Done_co", covariant=True)

START_TIMEOUT_S = 120.0
"""Loading models and compiling them for a device for the first time can take this long."""
CLOSE_TIMEOUT_S = 2.0
HANG_NS = 5 * NS_PER_S
"""A job that takes longer has hung the thread."""

_log = logging.getLogger(__name__)


class Work(Protocol[Job_contra, Done_co]):
    """What the thread runs."""

    def run(self, job: Job_contra) -> Done_co: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Ended(Generic[Done]):
    """A job that has ended well."""

    value: Done
    took_ns: int
    """From its begin in the thread."""


class HeavyThread(Generic[Job, Done]):
    """Owns the thread. All methods belong to one other thread, that of the frames."""

    def __init__(self, build: Callable[[], Work[Job, Done]], clock: Clock, name: str = "heavy") -> None:
        """`build` makes the work, in the thread that will run it; it may raise any RealtimeError."""
        self._build = build
        self._clock = clock
        self._wake = threading.Event()
        self._settled = threading.Event()
        """Set while no job is running."""
        self._stop = False
        self._job: list[Job] = []
        self._ended: list[Ended[Done] | RealtimeError] = []
        self._began_ns = 0
        self._failed: list[RealtimeError] = []
        self._thread = threading.Thread(target=self._run, name=f"realtime-{name}", daemon=True)

    def start(self, timeout_s: float = START_TIMEOUT_S) -> None:
        """Return once the work is built. Raises what `build` raised, or BackendError after `timeout_s`."""
        self._thread.start()
        if not self._settled.wait(timeout_s):
            self._stop = True
            raise BackendError(
                f"the networks were not ready after {timeout_s:.0f} s",
                "try another --device or --backend; `realtime models verify` checks the files",
            )
        if self._failed:
            raise self._failed[0]

    @property
    def busy(self) -> bool:
        return not self._settled.is_set()

    def submit(self, job: Job) -> bool:
        """Begin a job; False, and nothing is done, while another one runs or its end was not collected."""
        if self.busy or self._ended or self._stop:
            return False
        self._began_ns = self._clock.now_ns()
        self._job = [job]
        self._settled.clear()
        self._wake.set()
        return True

    def collect(self, deadline_ns: int = 0) -> Ended[Done] | None:
        """What the job has come to, waited for until `deadline_ns`; None when it has not ended, or none ran.

        Raises what the job raised, as a RealtimeError, and HungError when it takes too long.
        """
        if self.busy:
            self._clock.wait_until(deadline_ns, self._settled)
        if self.busy:
            if self._clock.now_ns() - self._began_ns >= HANG_NS:
                raise HungError(
                    "the networks have hung", "if it happens again, try another --device or --backend"
                )
            return None
        if not self._ended:
            return None
        ended = self._ended.pop()
        if isinstance(ended, RealtimeError):
            raise ended
        return ended

    def close(self) -> None:
        """End the thread, waiting at most 2 s for it. Idempotent, never raises."""
        self._stop = True
        self._wake.set()
        if self._thread.ident is None or self._thread is threading.current_thread():
            return
        self._thread.join(CLOSE_TIMEOUT_S)
        if self._thread.is_alive():
            _log.warning("the networks did not end within %.0f s and are left behind", CLOSE_TIMEOUT_S)

    def _run(self) -> None:
        try:
            work = self._build()
        except Exception as error:
            self._failed.append(translated(error, "the networks could not be loaded"))
            self._stop = True
            self._settled.set()
            return
        self._settled.set()
        try:
            while True:
                self._wake.wait()
                self._wake.clear()
                if self._stop:
                    return
                self._one(work)
        finally:
            work.close()

    def _one(self, work: Work[Job, Done]) -> None:
        job = self._job.pop()
        began_ns = self._clock.now_ns()
        try:
            value = work.run(job)
        except Exception as error:
            self._ended.append(translated(error, "the faces could not be made"))
        else:
            self._ended.append(Ended(value, self._clock.now_ns() - began_ns))
        self._settled.set()
