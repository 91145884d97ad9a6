"""Two networks called in turn, as a chain does it, and each of them alone: what they lose to each other.

A network called alone finds its weights in the caches and its threads awake. After another one it may find
neither; what the other's threads still do costs more. Each is timed alone, alone with the caches full of
something else, and in turn, in rounds, so that a busy moment hits all of them.
"""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.build.rounds import Side
from models.errors import RealtimeError
from models.runtime.base import Session
from models.runtime.registry import open_session

__all__ = ["Contender", "Pair", "Turn", "measure_pair"]

RUNS_A_ROUND = 4
"""Of each network, each way."""
MIN_ROUNDS, MAX_ROUNDS = 5, 20
BUDGET_S = 25.0
"""For a pair, when the number of rounds is not given."""
TOUCHED_BYTES = 64 * 1024 * 1024
"""Written between two runs to leave nothing else in the caches: more than a usual processor has."""
_WARM_UP_RUNS = 3

Feeds = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Contender:
    """One network on one backend; `feeds` are in the order of its inputs."""

    side: Side
    feeds: Feeds


@dataclass(frozen=True, slots=True)
class Turn:
    """What one network of a pair did. Medians over the rounds."""

    side: Side
    alone_ms: float
    in_turn_ms: float
    loss: float
    """In turn against alone, round by round: 0.1 is a tenth more time."""
    cold_loss: float
    """Alone, but with the caches emptied before each run, against alone: what the caches can cost at most."""
    busy_loss: float
    """As `loss`, but of processor time: without what is lost by waiting, for threads that have gone to sleep
    or for other programs."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two networks in one process. Without turns there is a reason instead."""

    sides: tuple[Side, Side]
    turns: tuple[Turn, ...] = ()
    rounds: int = 0
    reason: str = ""

    @property
    def loss(self) -> float:
        """Of the time that both take together."""
        return sum(turn.in_turn_ms for turn in self.turns) / sum(turn.alone_ms for turn in self.turns) - 1


def measure_pair(
    first: Contender,
    second: Contender,
    *,
    rounds: int | None = None,
    clock_s: Callable[[], float] = time.perf_counter,
    busy_s: Callable[[], float] = time.process_time,
    displace: Callable[[], None] | None = None,
) -> Pair:
    """Time two networks, both open at once. A pair of which one does not run has the reason.

    `displace` is what fills the caches with something else; by itself it writes to `TOUCHED_BYTES`.
    """
    empty = displace or _displacer()
    both = (first, second)
    sides = (first.side, second.side)
    sessions: list[Session] = []
    try:
        for each in both:
            sessions.append(open_session(each.side.file, each.side.backend, device=each.side.device or ""))
        stands = [
            _Stand(session, each.feeds, clock_s, busy_s) for session, each in zip(sessions, both, strict=True)
        ]
        began_s = clock_s()
        for _ in range(_WARM_UP_RUNS):
            for stand in stands:
                stand.run()
        warm_s = (clock_s() - began_s) / _WARM_UP_RUNS
        count = rounds or _affordable(warm_s)
        taken = [_round(stands if number % 2 == 0 else stands[::-1], empty) for number in range(count)]
    except RealtimeError as error:
        return Pair(sides, reason=error.message)
    finally:
        for session in sessions:
            session.close()
    turns = tuple(
        _turn(each.side, [found[stand] for found in taken]) for each, stand in zip(both, stands, strict=True)
    )
    return Pair(sides, turns, count)


@dataclass(frozen=True, slots=True)
class _Run:
    """Of one run, in ms."""

    wall: float
    busy: float


@dataclass(frozen=True, slots=True)
class _Times:
    """Medians of one round."""

    alone: _Run
    cold: _Run
    in_turn: _Run


class _Stand:
    """A session that is fed and timed."""

    def __init__(
        self, session: Session, feeds: Feeds, clock_s: Callable[[], float], busy_s: Callable[[], float]
    ) -> None:
        self._session = session
        self._clock_s = clock_s
        self._busy_s = busy_s
        self._feeds = dict(zip((spec.name for spec in session.inputs), feeds.values(), strict=True))

    def run(self) -> _Run:
        """Run the network once."""
        busy_s, began_s = self._busy_s(), self._clock_s()
        self._session.run(self._feeds)
        return _Run((self._clock_s() - began_s) * 1e3, (self._busy_s() - busy_s) * 1e3)


def _round(stands: Sequence[_Stand], displace: Callable[[], None]) -> dict[_Stand, _Times]:
    alone, cold = {}, {}
    for stand in stands:
        stand.run()  # after something else, as the runs in turn are
        alone[stand] = _middle([stand.run() for _ in range(RUNS_A_ROUND)])
        cold[stand] = _middle([_after(displace, stand) for _ in range(RUNS_A_ROUND)])
    in_turn: dict[_Stand, list[_Run]] = {stand: [] for stand in stands}
    stands[-1].run()
    for _ in range(RUNS_A_ROUND):
        for stand in stands:
            in_turn[stand].append(stand.run())
    return {stand: _Times(alone[stand], cold[stand], _middle(in_turn[stand])) for stand in stands}


def _middle(runs: Sequence[_Run]) -> _Run:
    return _Run(statistics.median(run.wall for run in runs), statistics.median(run.busy for run in runs))


def _after(displace: Callable[[], None], stand: _Stand) -> _Run:
    displace()
    return stand.run()


def _displacer() -> Callable[[], None]:
    memory = np.zeros(TOUCHED_BYTES // 8, np.uint64)

    def displace() -> None:
        np.add(memory, 1, out=memory)

    return displace


def _affordable(round_s: float) -> int:
    """`round_s`: of both networks once. A round has them run alone, cold and in turn, and once to settle."""
    runs = 3 * RUNS_A_ROUND + 2
    return max(MIN_ROUNDS, min(MAX_ROUNDS, int(BUDGET_S / max(runs * round_s, 1e-6))))


def _turn(side: Side, taken: Sequence[_Times]) -> Turn:
    return Turn(
        side,
        statistics.median(each.alone.wall for each in taken),
        statistics.median(each.in_turn.wall for each in taken),
        statistics.median(each.in_turn.wall / each.alone.wall for each in taken) - 1,
        statistics.median(each.cold.wall / each.alone.wall for each in taken) - 1,
        statistics.median(each.in_turn.busy / max(each.alone.busy, 1e-6) for each in taken) - 1,
    )
