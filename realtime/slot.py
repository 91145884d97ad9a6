"""Where a picture waits for its reader: newest wins, and what was overwritten is counted.

`TripleBuffer` carries pixels from one writing thread to one reader without copying or waiting.
`Latest` carries a value to one reader; `Broadcast` gives each of several readers a `Latest`.
`Lossless` is the one queue: for files, which may hold the writer back.
"""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from realtime.frame import Frame

__all__ = ["Broadcast", "Latest", "Lossless", "Slot", "SlotStats", "TripleBuffer"]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
T_contra = TypeVar("T_contra", contravariant=True)


@dataclass(frozen=True, slots=True)
class SlotStats:
    """What passed through a slot; offered = taken + overwritten + those still waiting.

    `overwritten` counts what never reached the reader: replaced by newer, or refused for want of room.
    """

    offered: int
    taken: int
    overwritten: int


class TripleBuffer:
    """Frames from one writer to one reader through three buffers; neither ever waits.

    The writer fills `writable(shape)` and calls `publish`; `take` returns the newest whole frame,
    whose pixels stay untouched until the reader has taken `held` more frames.
    """

    def __init__(self, notify: Callable[[], None] | None = None, held: int = 1) -> None:
        """`notify` is called in the writer's thread after each publish and must not block.

        `held`: how many taken frames the reader keeps at a time; there are `held` + 2 buffers.
        """
        self._lock = threading.Lock()
        self._notify = notify
        self._held_at_most = held
        self._free: list[NDArray[np.uint8]] = []
        self._held: deque[NDArray[np.uint8]] = deque()
        self._waiting: Frame | None = None
        self._offered = 0
        self._taken = 0
        self._overwritten = 0

    def writable(self, shape: tuple[int, ...]) -> NDArray[np.uint8]:
        """A buffer for the writer, uint8 of `shape`, its own until it publishes it."""
        with self._lock:
            self._free = [buffer for buffer in self._free if buffer.shape == shape]
            if self._free:
                return self._free.pop()
        return np.empty(shape, np.uint8)

    def publish(self, bgr: NDArray[np.uint8], captured_ns: int, epoch: int = 0) -> Frame:
        """Make `bgr` the newest frame: the writer's buffer, or an array given away for good."""
        with self._lock:
            if self._waiting is not None:
                self._overwritten += 1
                self._release(self._waiting.bgr)
            self._waiting = frame = Frame(self._offered, captured_ns, bgr, epoch)
            self._offered += 1
        if self._notify is not None:
            self._notify()
        return frame

    def take(self) -> Frame | None:
        """The newest frame not yet taken, or None."""
        with self._lock:
            frame, self._waiting = self._waiting, None
            if frame is None:
                return None
            self._taken += 1
            self._held.append(frame.bgr)
            if len(self._held) > self._held_at_most:
                self._release(self._held.popleft())
            return frame

    def _release(self, buffer: NDArray[np.uint8]) -> None:
        if len(self._free) < 2:
            self._free.append(buffer)

    def stats(self) -> SlotStats:
        with self._lock:
            return SlotStats(self._offered, self._taken, self._overwritten)


class Slot(Protocol[T_co]):
    """The reader's end of `Latest` and of `Lossless`."""

    def take(self, timeout_s: float) -> T_co | None:
        """Block at most `timeout_s` for a value; None when none came or the slot was closed."""
        ...

    def stats(self) -> SlotStats: ...


class Latest(Generic[T]):
    """One value for one reader; a new value replaces an unread one. `offer` never blocks."""

    def __init__(self, notify: Callable[[], None] | None = None) -> None:
        """`notify` is called in the writer's thread after each offer and must not block."""
        self._condition = threading.Condition()
        self._notify = notify
        self._waiting: list[T] = []
        self._closed = False
        self._offered = 0
        self._taken = 0
        self._overwritten = 0

    def offer(self, value: T) -> None:
        """Put `value` in place of what waits. Ignored after `close`."""
        with self._condition:
            if self._closed:
                return
            self._offered += 1
            self._overwritten += len(self._waiting)
            self._waiting = [value]
            self._condition.notify()
        if self._notify is not None:
            self._notify()

    def take(self, timeout_s: float = 0.0) -> T | None:
        """The value, waiting at most `timeout_s` for one; None when none came or after `close`."""
        with self._condition:
            if not self._waiting and timeout_s > 0:
                self._condition.wait_for(lambda: bool(self._waiting) or self._closed, timeout_s)
            if not self._waiting:
                return None
            self._taken += 1
            return self._waiting.pop()

    def close(self) -> None:
        """Wake the reader and take no more; what waits can still be taken."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()

    def stats(self) -> SlotStats:
        with self._condition:
            return SlotStats(self._offered, self._taken, self._overwritten)


class Lossless(Generic[T]):
    """A short queue to one reader that makes its writer wait when it is full. For files."""

    def __init__(self, capacity: int = 4) -> None:
        self._condition = threading.Condition()
        self._capacity = capacity
        self._waiting: deque[T] = deque()
        self._closed = False
        self._offered = 0
        self._taken = 0
        self._refused = 0

    def offer(self, value: T, timeout_s: float = 0.0) -> bool:
        """Append `value`, waiting at most `timeout_s` for room; False, and counted, when there was none."""
        with self._condition:
            self._condition.wait_for(lambda: len(self._waiting) < self._capacity or self._closed, timeout_s)
            if self._closed:
                return False
            self._offered += 1
            if len(self._waiting) >= self._capacity:
                self._refused += 1
                return False
            self._waiting.append(value)
            self._condition.notify_all()
            return True

    def take(self, timeout_s: float = 0.0) -> T | None:
        """The oldest value, waiting at most `timeout_s` for one; None when none came."""
        with self._condition:
            self._condition.wait_for(lambda: bool(self._waiting) or self._closed, timeout_s)
            if not self._waiting:
                return None
            self._taken += 1
            value = self._waiting.popleft()
            self._condition.notify_all()
            return value

    def close(self) -> None:
        """Wake both ends and take no more; what waits can still be taken."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()

    def stats(self) -> SlotStats:
        with self._condition:
            return SlotStats(self._offered, self._taken, self._refused)


class Writable(Protocol[T_contra]):
    """The writer's end of `Latest` and of `Lossless`."""

    def offer(self, value: T_contra) -> object: ...

    def close(self) -> None: ...


class Broadcast(Generic[T]):
    """One writer, many readers, a slot for each: a slow reader costs the others nothing."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._slots: tuple[Writable[T], ...] = ()

    def subscribe(self, notify: Callable[[], None] | None = None) -> Latest[T]:
        """A new reader's slot; `notify` as in `Latest`."""
        slot: Latest[T] = Latest(notify)
        self.attach(slot)
        return slot

    def attach(self, slot: Writable[T]) -> None:
        """Offer to `slot` too. One that is full refuses, and counts what it refused."""
        with self._lock:
            self._slots = (*self._slots, slot)

    def unsubscribe(self, slot: Writable[T]) -> None:
        """Close `slot` and forget it; harmless when it is not there."""
        with self._lock:
            self._slots = tuple(other for other in self._slots if other is not slot)
        slot.close()

    def offer(self, value: T) -> None:
        """Give every reader `value`. Never blocks."""
        for slot in self._slots:
            slot.offer(value)

    def __len__(self) -> int:
        return len(self._slots)
