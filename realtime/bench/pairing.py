"""Which tracked face is which detected one, frame after frame: runs, losses, wrong swaps. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from realtime.assignment import assign
from realtime.bench.trajectories import Run, eye_distance
from realtime.frame import Face

__all__ = ["Pairing", "Seen"]

_Points = NDArray[np.float32]

NEAR = 1.0
"""Distances of the eyes between the middles of two faces up to which they may be one."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One frame."""

    captured_ns: int
    tracked: tuple[Face, ...]
    fresh: tuple[NDArray[np.float32], ...]
    """(468, 3) points each, of faces found anew in this frame."""


@dataclass(slots=True)
class Pairing:
    """Told of each frame in order."""

    lost: int = 0
    """Frames in which a face that a fresh look finds was not tracked."""
    unfounded: int = 0
    """Frames with a tracked face where a fresh look finds none."""
    jumps: int = 0
    """Frames in which an id went from one fresh face to another."""
    ids: set[int] = field(default_factory=set)
    _paths: dict[int, list[tuple[int, _Points, _Points]]] = field(default_factory=dict)
    _done: list[Run] = field(default_factory=list)
    _before: tuple[NDArray[np.float32], ...] = ()
    _owners: Mapping[int, int] = field(default_factory=dict)
    """Id to index into `_before`."""

    def add(self, seen: Seen) -> None:
        tracked = [face.points for face in seen.tracked]
        pairs = _near(tracked, seen.fresh)
        owners = {seen.tracked[row].id: column for row, column in pairs}
        links = dict(_near(self._before, seen.fresh))
        self.lost += len(pairs) < len(seen.fresh)
        self.unfounded += len(pairs) < len(tracked)
        self.jumps += any(
            number in self._owners and links.get(self._owners[number], index) != index
            for number, index in owners.items()
        )
        self.ids.update(face.id for face in seen.tracked)
        for gone in self._paths.keys() - owners.keys():
            self._end(gone)
        for row, column in pairs:
            face = seen.tracked[row]
            path = self._paths.setdefault(face.id, [])
            path.append((seen.captured_ns, face.points[:, :2], seen.fresh[column][:, :2]))
        self._before, self._owners = seen.fresh, owners

    def runs(self) -> tuple[Run, ...]:
        """Of all faces; nothing may be added after."""
        for number in tuple(self._paths):
            self._end(number)
        return tuple(self._done)

    def _end(self, number: int) -> None:
        times, tracked, fresh = zip(*self._paths.pop(number), strict=True)
        self._done.append(Run(np.array(times, np.int64), np.stack(tracked), np.stack(fresh)))


def _near(
    faces: Sequence[NDArray[np.float32]], others: Sequence[NDArray[np.float32]]
) -> tuple[tuple[int, int], ...]:
    """Pairs of faces that may be one, the nearest together."""
    return assign([[_distance(face[:, :2], other[:, :2]) for other in others] for face in faces], NEAR)


def _distance(face: _Points, other: _Points) -> float:
    apart = np.linalg.norm(face.mean(axis=0) - other.mean(axis=0))
    return float(apart) / max(float(eye_distance(other)), 1.0)
