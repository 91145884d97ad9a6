"""Several things opened at once, beside whatever else a start has to do, and taken when they are needed.

What is opened in another thread must not mind being used in this one: sessions of OpenVINO and ONNX Runtime
do not; a CUDA context does, so what needs one is named in `here` and opened by whoever takes it.
"""

import logging
import threading
from collections.abc import Callable, Collection, Mapping
from typing import Generic, Protocol, TypeVar

__all__ = ["Closable", "Opening"]

_log = logging.getLogger(__name__)


class Closable(Protocol):
    """What can be opened here."""

    def close(self) -> None:
        """Idempotent, never raises."""
        ...


_T = TypeVar("_T", bound=Closable)


class Opening(Generic[_T]):
    """Begins to open on construction, one thread for all in the order given, or one for each.

    Whoever makes one calls `take` once or `close`: what was opened and not taken is closed there.
    """

    def __init__(
        self,
        openers: Mapping[str, Callable[[], _T]],
        *,
        here: Collection[str] = (),
        at_once: bool = False,
    ) -> None:
        """`here`: names to be opened by `take`, in its thread. `at_once`: a thread for each of the others."""
        self._openers = dict(openers)
        self._lock = threading.Lock()
        self._opened: dict[str, _T] = {}
        self._errors: dict[str, BaseException] = {}
        self._abandoned = False
        self._taken = False
        beside = [name for name in self._openers if name not in here]
        self._here = [name for name in self._openers if name in here]
        shares = [[name] for name in beside] if at_once else [beside]
        self._threads = [
            threading.Thread(target=self._open_each, args=(share,), name="opening", daemon=True)
            for share in shares
        ]
        for thread in self._threads:
            thread.start()

    @property
    def errors(self) -> Mapping[str, BaseException]:
        """What has failed so far, by name."""
        with self._lock:
            return dict(self._errors)

    def take(self) -> dict[str, _T]:
        """Everything by name, in the order given; the caller closes it. Waits for what is still opening.

        When something fails, the rest is closed and its error raised; of several that of the first in order,
        the others are in `errors` and in the log. May be called once.
        """
        assert not self._taken, "what was opened has one owner"
        self._taken = True
        self._open_each(self._here)
        for thread in self._threads:
            thread.join()
        with self._lock:
            failed = [name for name in self._openers if name in self._errors]
            if not failed and not self._abandoned:
                return {name: self._opened.pop(name) for name in self._openers}
        self.close()
        assert failed, "closed before it was taken"
        for name in failed[1:]:
            _log.warning("%s cannot be opened either: %s", name, self._errors[name])
        raise self._errors[failed[0]]

    def close(self) -> None:
        """Close what was opened and not taken; what is still opening is closed when it is. Idempotent."""
        with self._lock:
            self._abandoned = True
            left, self._opened = list(self._opened.values()), {}
        for each in left:
            each.close()

    def _open_each(self, names: Collection[str]) -> None:
        for name in names:
            with self._lock:
                if self._abandoned or self._errors:
                    return
            try:
                opened = self._openers[name]()
            except BaseException as error:  # raised again by `take`, in the thread that wants it
                with self._lock:
                    self._errors[name] = error
                continue
            with self._lock:
                kept = not self._abandoned
                if kept:
                    self._opened[name] = opened
            if not kept:
                opened.close()
