"""All outputs of a run: a slot, a thread and a histogram of ages for each."""

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from realtime.blocking import in_thread, post
from realtime.clock import Clock
from realtime.errors import DeviceError
from realtime.frame import Picture
from realtime.sinks.base import Sink, StreamInfo
from realtime.sinks.runner import SinkRunner
from realtime.slot import Broadcast, Latest, Lossless
from realtime.telemetry.histogram import Histogram
from realtime.telemetry.snapshot import SinkFigures

__all__ = ["OutputSet"]

FILE_QUEUE = 16
"""Pictures that wait for a file's encoder before any is refused: half a second at 30 fps."""
OPEN_TIMEOUT_S = 5.0
CLOSE_TIMEOUT_S = 3.0
RECORDING = "file"
"""The name of sinks that want every picture, and none before the first live one."""


@dataclass(frozen=True, slots=True)
class _Output:
    name: str
    runner: SinkRunner
    slot: Latest[Picture] | Lossless[Picture]
    ages: Histogram


class OutputSet:
    """Fans pictures out. `add` and `close` belong to one thread, `offer` may be called from any."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._broadcast: Broadcast[Picture] = Broadcast()
        self._outputs: list[_Output] = []

    async def add(self, sink: Sink, stream: StreamInfo) -> None:
        """Start a thread that opens and feeds `sink`; its name is made unique among the outputs.

        A recording gets no picture before `record`, so that it begins with the first live one.
        Raises the sink's own error when it does not open; once open, it is opened again when it is lost.
        """
        taken = {output.name for output in self._outputs}
        number = sum(name.split("#")[0] == sink.name for name in taken) + 1
        name = sink.name if number == 1 else f"{sink.name}#{number}"
        slot: Latest[Picture] | Lossless[Picture]
        slot = Lossless(FILE_QUEUE) if sink.name == RECORDING else Latest()
        ages = Histogram()
        runner = SinkRunner(sink, slot, stream, self._clock, ages.add)
        self._outputs.append(_Output(name, runner, slot, ages))
        if sink.name != RECORDING:
            self._broadcast.attach(slot)
        runner.start()
        if not await in_thread(lambda: runner.wait_open(OPEN_TIMEOUT_S)):
            raise runner.status.error or DeviceError(
                f"{name} did not open within {OPEN_TIMEOUT_S:.0f} s", "close the programs that use it"
            )

    def record(self) -> None:
        """Let the recordings begin."""
        for output in self._outputs:
            if isinstance(output.slot, Lossless):
                self._broadcast.attach(output.slot)

    def offer(self, picture: Picture) -> None:
        """Give every output `picture`. Never blocks."""
        self._broadcast.offer(picture)

    def figures(self) -> Sequence[tuple[SinkFigures, Histogram]]:
        """Each output as it is now."""
        return [(self._figures(output), output.ages) for output in self._outputs]

    async def close(self) -> None:
        """End every output at the same time, 3 s at most. Idempotent, never raises."""
        loop = asyncio.get_running_loop()
        done = [asyncio.Event() for _ in self._outputs]
        for output, event in zip(self._outputs, done, strict=True):
            threading.Thread(
                target=_close_one, args=(output, loop, event), name=f"close-{output.name}", daemon=True
            ).start()
        await asyncio.gather(*(event.wait() for event in done))

    def _figures(self, output: _Output) -> SinkFigures:
        status = output.runner.status
        return SinkFigures(
            name=output.name,
            description=status.description,
            state=status.state.value,
            published=status.published,
            repeated=status.repeated,
            dropped=status.dropped,
            fps=status.fps,
            age=output.ages.percentiles(),
            error=str(status.error) if status.error is not None else "",
        )


def _close_one(output: _Output, loop: asyncio.AbstractEventLoop, done: asyncio.Event) -> None:
    output.slot.close()
    output.runner.close(CLOSE_TIMEOUT_S)
    post(loop, done.set)
