"""A session that another one takes over from, between two frames."""

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any

from numpy.typing import NDArray

from models.cuda.base import DeviceLostError
from models.errors import RealtimeError
from models.runtime.base import Session, TensorSpec

__all__ = ["SwappableSession"]

_log = logging.getLogger(__name__)


class SwappableSession:
    """Serves from one session until a better one is offered; then from that, if it really runs.

    The one that serves is closed only after the other has delivered its first frame. Where that fails, the
    frame is run by the one that served before, so no frame is lost.
    """

    def __init__(
        self,
        session: Session,
        place: str,
        on_swap: Callable[[str], None] = lambda place: None,
        on_failure: Callable[[str], None] = lambda reason: None,
    ) -> None:
        """`place`: where it runs, for people. `on_swap` is told the new place, by the thread that runs;
        `on_failure` why one that was offered does not take over.
        """
        self._session = session
        self._place = place
        self._on_swap = on_swap
        self._on_failure = on_failure
        self._lock = threading.Lock()
        self._offered: tuple[Session, str] | None = None
        self._closed = False

    @property
    def place(self) -> str:
        """Where the last frame was run, for the report."""
        return self._place

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        return self._session.inputs

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        return self._session.outputs

    def offer(self, session: Session, place: str) -> bool:
        """Let `session` take over at the next frame. From any thread; the session belongs to us from here on.

        False, and it is closed, when this one is closed already or when it is fed or answers otherwise.
        """
        complaint = _difference(self._session, session)
        with self._lock:
            refused = self._closed or bool(complaint)
            before = self._offered
            if not refused:
                self._offered = session, place
        if refused:
            session.close()
            if complaint:
                _log.warning("%s does not take over from %s: %s", place, self._place, complaint)
                self._on_failure(complaint)
        elif before is not None:
            before[0].close()
        return not refused

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        with self._lock:
            offered, self._offered = self._offered, None
        if offered is None:
            return self._session.run(feeds)
        session, place = offered
        try:
            results = session.run(feeds)
        except DeviceLostError:
            session.close()
            raise
        except RealtimeError as error:
            session.close()
            _log.warning("%s fails, going on with %s: %s", place, self._place, error.message)
            self._on_failure(error.message)
            return self._session.run(feeds)
        before, self._session = self._session, session
        was, self._place = self._place, place
        before.close()
        _log.info("%s takes over from %s", place, was)
        self._on_swap(place)
        return results

    def warmup(self) -> None:
        self._session.warmup()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            offered, self._offered = self._offered, None
        if offered is not None:
            offered[0].close()
        self._session.close()


def _difference(old: Session, new: Session) -> str:
    """What keeps callers of `old` from calling `new`; empty when nothing does."""
    for kind, ours, theirs in (("input", old.inputs, new.inputs), ("output", old.outputs, new.outputs)):
        by_name = {spec.name: spec for spec in theirs}
        if set(by_name) != {spec.name for spec in ours}:
            return f"its {kind}s are {', '.join(by_name)}"
        for spec in ours:
            other = by_name[spec.name]
            if other.dtype != spec.dtype or not _fits(spec.shape, other.shape):
                return (
                    f"its {kind} {spec.name!r} is {other.shape} {other.dtype}, not {spec.shape} {spec.dtype}"
                )
    return ""


def _fits(old: tuple[int, ...], new: tuple[int, ...]) -> bool:
    return len(old) == len(new) and all(a == b or -1 in (a, b) for a, b in zip(old, new, strict=True))
