"""Frames in flight on a GPU: upload, compute and download, each on a stream of its own.

A frame has a slot: pinned host memory, device memory and, once it is warm, a graph. The stages of one frame
follow each other by events. With two slots the copy engines move the frame after into its slot while the
frame before is computed. A slot is filled again only after its frame was collected, so no stage ever meets
memory that another still uses.

Not run on a GPU: the order is proven against a stand-in that does each copy as late as CUDA may.
"""

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.cuda.base import Cuda, CudaError, DeviceLostError, Event, Graph

__all__ = ["Collected", "Lanes", "Spans"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Collected:
    """A frame that is through."""

    sequence: int
    slot: int


@dataclass(frozen=True, slots=True)
class Spans:
    """When the stages of a slot's last frame began and ended, in ms after `Lanes.origin`."""

    upload: tuple[float, float]
    compute: tuple[float, float]
    download: tuple[float, float]


@dataclass(slots=True)
class _Slot:
    inputs: dict[str, tuple[NDArray[np.uint8], int]]
    """Name to pinned host memory and device address."""
    outputs: dict[str, tuple[NDArray[np.uint8], int]]
    used: dict[str, int]
    """Bytes of each that the shapes of now fill."""
    marks: list[Event]
    """Uploaded, computed, downloaded; where stages are timed, then their beginnings in that order."""
    warm: bool = False
    graph: Graph | None = None


@dataclass(slots=True)
class _Counts:
    submitted: int = 0
    collected: int = 0


@dataclass(slots=True)
class _Closing:
    drained: bool = False
    closed: bool = False


class Lanes:
    """Belongs to one thread at a time. All methods raise CudaError or DeviceLostError."""

    def __init__(
        self,
        cuda: Cuda,
        inputs: Mapping[str, int],
        outputs: Mapping[str, int],
        *,
        depth: int = 1,
        graphs: bool = True,
        timed: bool = False,
    ) -> None:
        """`inputs` and `outputs`: name to the most bytes it can have. `depth`: frames in flight."""
        self._cuda = cuda
        self._graphs = graphs
        self._timed = timed
        self._counts = _Counts()
        self._closing = _Closing()
        self._slots: list[_Slot] = []
        self._addresses: list[int] = []
        self._events: list[Event] = []
        self._streams = [cuda.stream() for _ in range(3)]
        try:
            for _ in range(depth):
                self._slots.append(self._slot(inputs, outputs))
            self.origin = self._event()
            self._streams[0].record(self.origin)
        except CudaError:
            self.close()
            raise

    def _slot(self, inputs: Mapping[str, int], outputs: Mapping[str, int]) -> _Slot:
        return _Slot(
            {name: self._memory(size) for name, size in inputs.items()},
            {name: self._memory(size) for name, size in outputs.items()},
            {**inputs, **outputs},
            [self._event() for _ in range(6 if self._timed else 3)],
        )

    def _memory(self, size_bytes: int) -> tuple[NDArray[np.uint8], int]:
        address = self._cuda.allocate(max(1, size_bytes))
        self._addresses.append(address)
        return self._cuda.pinned(max(1, size_bytes)), address

    def _event(self) -> Event:
        self._events.append(self._cuda.event(timed=self._timed))
        return self._events[-1]

    @property
    def depth(self) -> int:
        return len(self._slots)

    @property
    def in_flight(self) -> int:
        """Frames that were submitted and not collected."""
        return self._counts.submitted - self._counts.collected

    @property
    def uses_graphs(self) -> bool:
        """Whether captured graphs are launched, or will be once slots are warm."""
        return self._graphs

    def next_slot(self) -> int:
        """The slot that the next frame will have; its host memory may be written.

        Raises RuntimeError while as many frames are in flight as there are slots.
        """
        if self.in_flight >= self.depth:
            raise RuntimeError(f"{self.in_flight} frames are in flight: collect one first")
        return self._counts.submitted % self.depth

    def address(self, slot: int, name: str) -> int:
        """Where the input or output lies on the device; it never moves."""
        return (self._slots[slot].inputs | self._slots[slot].outputs)[name][1]

    def host(self, slot: int, name: str) -> NDArray[np.uint8]:
        """The pinned memory of the input or output, as many bytes as its shape of now fills."""
        memory = self._slots[slot].inputs | self._slots[slot].outputs
        return memory[name][0][: self._slots[slot].used[name]]

    def resize(self, slot: int, sizes: Mapping[str, int]) -> None:
        """Other shapes from the next frame on, in bytes; a graph holds for the shapes of its capture."""
        held = self._slots[slot]
        held.used.update(sizes)
        held.warm = False
        if held.graph is not None:
            graph, held.graph = held.graph, None
            graph.close()

    def submit(self, enqueue: Callable[[int], None]) -> int:
        """Send the next slot's frame on its way; returns its sequence number at once.

        `enqueue` puts the computation into the stream whose handle it is given, from the slot's input
        addresses to its output addresses. It is called again whenever there is no graph to launch.
        """
        number = self.next_slot()
        slot = self._slots[number]
        upload, compute, download = self._streams
        try:
            self._mark_begin(slot, 0)
            for name, (host, address) in slot.inputs.items():
                upload.upload(address, host[: slot.used[name]])
            upload.record(slot.marks[0])
            compute.wait(slot.marks[0])
            self._mark_begin(slot, 1)
            self._compute(slot, enqueue)
            compute.record(slot.marks[1])
            download.wait(slot.marks[1])
            self._mark_begin(slot, 2)
            for name, (host, address) in slot.outputs.items():
                download.download(host[: slot.used[name]], address)
            download.record(slot.marks[2])
        except DeviceLostError:
            raise
        except Exception as error:
            # The slot will be filled again, and what was sent on its way still reads it.
            for stream in self._streams:
                try:
                    stream.synchronise()
                except DeviceLostError as lost:
                    raise lost from error
                except CudaError as also:
                    _log.debug("while waiting after a failed frame: %s", also)
            raise
        self._counts.submitted += 1
        return self._counts.submitted - 1

    def collect(self) -> Collected:
        """Wait for the oldest frame in flight; its outputs stand until its slot is submitted again.

        Raises RuntimeError when none is in flight.
        """
        if self.in_flight == 0:
            raise RuntimeError("no frame is in flight: submit one first")
        sequence = self._counts.collected
        slot = sequence % self.depth
        # Also when it fails: the frame is lost then, and must not stand in the way of those after it.
        self._counts.collected += 1
        self._slots[slot].marks[2].synchronise()
        return Collected(sequence, slot)

    def spans(self, slot: int) -> Spans:
        """The stages of a slot's collected frame. Only where they are timed."""
        marks = self._slots[slot].marks

        def span(stage: int) -> tuple[float, float]:
            return marks[3 + stage].elapsed_ms(self.origin), marks[stage].elapsed_ms(self.origin)

        return Spans(span(0), span(1), span(2))

    def _mark_begin(self, slot: _Slot, stage: int) -> None:
        if self._timed:
            self._streams[stage].record(slot.marks[3 + stage])

    def _compute(self, slot: _Slot, enqueue: Callable[[int], None]) -> None:
        stream = self._streams[1]
        if self._graphs and slot.warm and slot.graph is None:
            slot.graph = self._captured(enqueue)
        if slot.graph is not None:
            slot.graph.launch(stream)
            return
        # The first run of a shape allocates and loads kernels, which a capture does not allow.
        enqueue(stream.handle)
        slot.warm = True

    def _captured(self, enqueue: Callable[[int], None]) -> Graph | None:
        stream = self._streams[1]
        try:
            stream.begin_capture()
            try:
                enqueue(stream.handle)
            except Exception:
                # Leaves capture mode; what was captured so far is of no use.
                with suppress(CudaError):
                    stream.end_capture().close()
                raise
            return stream.end_capture()
        except DeviceLostError:
            raise
        except Exception as error:
            self._graphs = False
            _log.warning("no CUDA graph: %s; each frame is enqueued by itself", error)
            return None

    def drain(self) -> None:
        """Wait for all that is in flight and let the graphs go. Idempotent, never raises.

        Before what `enqueue` works with is taken away.
        """
        if self._closing.drained:
            return
        self._closing.drained = True
        for stream in self._streams:
            self._quietly(stream.synchronise)
        for slot in self._slots:
            if slot.graph is not None:
                self._quietly(slot.graph.close)
                slot.graph = None
        self._counts.collected = self._counts.submitted

    def close(self) -> None:
        """Free everything. Idempotent, never raises. Arrays that look into host memory stay readable."""
        self.drain()
        if self._closing.closed:
            return
        self._closing.closed = True
        for event in self._events:
            self._quietly(event.close)
        for stream in self._streams:
            self._quietly(stream.close)
        for address in self._addresses:
            self._quietly(self._cuda.free, address)
        self._slots.clear()

    def _quietly(self, step: Callable[..., None], *arguments: Any) -> None:
        try:
            step(*arguments)
        except CudaError as error:  # of a lost device everything fails; its memory goes with the process
            _log.debug("while closing: %s", error)
