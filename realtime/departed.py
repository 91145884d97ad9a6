"""Faces that were followed a moment ago: faded out, covered while they are behind another, known again."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from realtime.boxes import Box, covered_share
from realtime.clock import NS_PER_S
from realtime.motion import Motion
from realtime.track import Track

__all__ = ["Departed", "Departures", "Fading"]

REMEMBERED_NS = NS_PER_S
"""Who comes back later is somebody new."""
HIDDEN_NS = NS_PER_S // 3
"""How long somebody is taken to be behind another face after that face has left the place."""
HIDDEN_AT_MOST_NS = 3 * NS_PER_S
BEHIND_SHARE = 0.15

Fading = tuple[Box, float]
"""A box, pixels of the frame, and how much of the cover over it still shows: (0, 1]."""


@dataclass(slots=True)
class Departed:
    """One face."""

    id: int | None
    """None when it is not certain who it was."""
    motion: Motion
    shape: NDArray[np.float32] | None
    left_ns: int
    hidden_until_ns: int = 0
    """While it is taken to be behind another face; it may look out from there at any moment."""


class Departures:
    """Pure: told of the time by each call."""

    def __init__(self, fade_ns: int) -> None:
        self._fade_ns = fade_ns
        self._gone: list[Departed] = []

    def clear(self) -> None:
        self._gone.clear()

    def leave(self, track: Track, now_ns: int) -> None:
        """Its face has been found gone."""
        if track.motion is not None:
            track.motion.halt()
            self._gone.append(Departed(track.id, track.motion, track.shape, now_ns))

    def hide(self, track: Track, told: bool, now_ns: int) -> None:
        """Its face is behind another one. `told`: that it is this one's is certain."""
        if track.motion is not None:
            number = track.id if told else None
            gone = Departed(number, track.motion, track.shape, now_ns, now_ns + HIDDEN_NS)
            self._gone.append(gone)

    def pass_time(self, seen: Sequence[Box], now_ns: int) -> None:
        """`seen`: faces in this frame. Who was behind them stays hidden; who left long ago is forgotten."""
        for gone in self._gone:
            if now_ns < gone.hidden_until_ns and now_ns - gone.left_ns < HIDDEN_AT_MOST_NS:
                box = gone.motion.expected(now_ns)
                if any(covered_share(box, other) > BEHIND_SHARE for other in seen):
                    gone.hidden_until_ns = now_ns + HIDDEN_NS
        self._gone = [
            gone for gone in self._gone if now_ns - max(gone.left_ns, gone.hidden_until_ns) < REMEMBERED_NS
        ]

    def hidden(self, now_ns: int) -> tuple[Box, ...]:
        """Where faces may look out from behind others: to be covered."""
        return tuple(gone.motion.expected(now_ns) for gone in self.behind(now_ns))

    def behind(self, now_ns: int) -> tuple[Departed, ...]:
        """Those whom `hidden` tells the places of."""
        return tuple(gone for gone in self._gone if now_ns < gone.hidden_until_ns)

    def fading(self, now_ns: int) -> tuple[Fading, ...]:
        """Covers on their way out, where a face has been found gone."""
        found = []
        for gone in self._gone:
            since_ns = now_ns - max(gone.left_ns, gone.hidden_until_ns)
            if 0 <= since_ns < self._fade_ns:
                found.append((gone.motion.expected(now_ns), 1 - since_ns / self._fade_ns))
        return tuple(found)

    def candidates(self) -> tuple[Departed, ...]:
        """Who may come back."""
        return tuple(gone for gone in self._gone if gone.id is not None)

    def came_back(self, gone: Departed) -> None:
        self._gone.remove(gone)
