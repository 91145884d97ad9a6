"""Serve now on what is there, and from the better backend as soon as it is ready."""

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any

from numpy.typing import NDArray

from models.engines.swappable import SwappableSession
from models.errors import RealtimeError
from models.runtime.base import Session, TensorSpec

__all__ = ["UpgradingSession"]

_log = logging.getLogger(__name__)

JOIN_TIMEOUT_S = 15.0
"""For the builder to end when the session is closed; it is a process, and killed."""


class UpgradingSession:
    """Runs on `session` while another is opened in a thread of its own, then on that one."""

    def __init__(
        self,
        session: Session,
        place: str,
        better: Callable[[threading.Event], Session],
        better_place: str,
        on_swap: Callable[[str], None] = lambda place: None,
        on_failure: Callable[[str], None] = lambda reason: None,
    ) -> None:
        """`better` opens the other session; it may take minutes, must end soon after its event is set, and
        may raise any RealtimeError: then `session` goes on, and the log says why. `on_swap` is told the new
        place when the other has run its first frame, `on_failure` why it never will; neither after `close`.
        """
        self._swappable = SwappableSession(session, place, on_swap, on_failure)
        self._on_failure = on_failure
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=self._upgrade, args=(better, better_place), name="session-upgrade", daemon=True
        )
        self._thread.start()

    @property
    def place(self) -> str:
        """Where the last frame was run, for the report."""
        return self._swappable.place

    @property
    def upgrading(self) -> bool:
        """Whether the other session is still being opened."""
        return self._thread.is_alive()

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        return self._swappable.inputs

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        return self._swappable.outputs

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        return self._swappable.run(feeds)

    def warmup(self) -> None:
        self._swappable.warmup()

    def close(self) -> None:
        self._stop.set()
        self._swappable.close()
        self._thread.join(JOIN_TIMEOUT_S)
        if self._thread.is_alive():
            _log.warning("opening a session in the background does not end, and is left behind")

    def _upgrade(self, better: Callable[[threading.Event], Session], place: str) -> None:
        try:
            session = better(self._stop)
        except Exception as error:  # whatever a driver's bindings raise, the program lives on what it has
            self._give_up(place, error)
            return
        try:
            # Here and not at the first frame: it captures graphs and loads kernels.
            session.warmup()
        except Exception as error:
            session.close()
            self._give_up(place, error)
            return
        self._swappable.offer(session, place)

    def _give_up(self, place: str, error: Exception) -> None:
        if self._stop.is_set():
            return
        reason = error.message if isinstance(error, RealtimeError) else f"{type(error).__name__}: {error}"
        known = isinstance(error, RealtimeError)
        _log.warning(
            "going on with %s, not %s: %s", self.place, place, reason, exc_info=None if known else error
        )
        self._on_failure(reason)
