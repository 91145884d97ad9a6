"""Where each network of this process runs, kept for whoever reports it."""

import threading
from dataclasses import dataclass
from pathlib import Path

from models.runtime.place import Place

__all__ = ["Asked", "Claim", "Outcome", "asked", "claim", "claimed", "forget", "settle", "settled"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where a network runs, and why on nothing better."""

    place: Place
    passed_over: tuple[str, ...] = ()
    """Of each better place that is there but does not run this network, or not yet: what it is, and why."""

    def __str__(self) -> str:
        return f"{self.place} ({'; '.join(self.passed_over)})" if self.passed_over else str(self.place)


Asked = tuple[Path, str]
"""A file and the device that was asked for."""


class Claim:
    """The right to change an outcome later; it ends when the same network is settled anew."""

    def __init__(self, of: Asked) -> None:
        self._of = of

    def settle(self, found: Outcome) -> bool:
        """From any thread; whether it is still ours to say."""
        with _lock:
            mine = _claims.get(self._of) is self
            if mine:
                _outcomes[self._of] = found
            return mine

    def end(self) -> None:
        with _lock:
            if _claims.get(self._of) is self:
                del _claims[self._of]


_lock = threading.Lock()
_outcomes: dict[Asked, Outcome] = {}
_claims: dict[Asked, Claim] = {}


def asked(path: Path, device: str) -> Asked:
    return path.resolve(), device.upper()


def settled(of: Asked) -> Outcome | None:
    """What was found for it in this process; None before it was."""
    with _lock:
        return _outcomes.get(of)


def settle(of: Asked, found: Outcome) -> None:
    with _lock:
        _claims.pop(of, None)
        _outcomes[of] = found


def claim(of: Asked, found: Outcome) -> Claim:
    """Settle it for now. Whoever claimed it before has no say any more."""
    with _lock:
        mine = _claims[of] = Claim(of)
        _outcomes[of] = found
        return mine


def claimed(of: Asked) -> bool:
    """Whether what was found holds only for now."""
    with _lock:
        return of in _claims


def forget() -> None:
    """Prove everything anew, after a driver or a device has come or gone."""
    with _lock:
        _claims.clear()
        _outcomes.clear()
