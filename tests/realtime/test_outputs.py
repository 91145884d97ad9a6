import threading

import numpy as np
import pytest

from realtime.clock import MonotonicClock
from realtime.errors import DeviceError
from realtime.frame import Picture, PictureKind
from realtime.outputs import FILE_QUEUE, OutputSet
from realtime.sinks.base import StreamInfo
from tests.fakes.recording_sink import RecordingSink

STREAM = StreamInfo(64, 48, 30)
WAIT_S = 10.0


def picture(number: int) -> Picture:
    return Picture(number, MonotonicClock().now_ns(), np.zeros((48, 64, 3), np.uint8), PictureKind.SWAPPED)


async def test_a_stuck_sink_loses_its_own_pictures_and_nobody_else_s() -> None:
    release, arrived, seen = threading.Event(), threading.Semaphore(0), []
    stuck = RecordingSink("stuck", on_publish=lambda _: release.wait(WAIT_S))
    prompt = RecordingSink("prompt", on_publish=lambda shown: (seen.append(shown.number), arrived.release()))
    outputs = OutputSet(MonotonicClock())
    await outputs.add(stuck, STREAM)
    await outputs.add(prompt, STREAM)
    for number in range(1, 21):
        outputs.offer(picture(number))
        assert arrived.acquire(timeout=WAIT_S)
    dropped = {figures.name: figures.dropped for figures, _ in outputs.figures()}
    release.set()
    await outputs.close()
    assert seen == list(range(1, 21))
    assert dropped["prompt"] == 0
    assert dropped["stuck"] >= 18
    assert [shown.number for shown in stuck.pictures][-1] == 20


async def test_a_recording_begins_with_the_first_live_picture_and_keeps_their_order() -> None:
    recording = RecordingSink("file")
    outputs = OutputSet(MonotonicClock())
    await outputs.add(recording, STREAM)
    outputs.offer(picture(1))
    outputs.record()
    for number in range(2, 2 + FILE_QUEUE):
        outputs.offer(picture(number))
    await outputs.close()
    assert [shown.number for shown in recording.pictures] == list(range(2, 2 + FILE_QUEUE))


async def test_a_sink_that_does_not_open_says_why_and_the_others_are_closed() -> None:
    good = RecordingSink("good")
    outputs = OutputSet(MonotonicClock())
    await outputs.add(good, STREAM)
    with pytest.raises(DeviceError, match="does not open"):
        await outputs.add(RecordingSink("bad", failed_openings=99), STREAM)
    await outputs.close()
    assert good.closings >= 1


async def test_two_of_a_kind_have_names_of_their_own() -> None:
    outputs = OutputSet(MonotonicClock())
    for _ in range(3):
        await outputs.add(RecordingSink("null"), STREAM)
    assert [figures.name for figures, _ in outputs.figures()] == ["null", "null#2", "null#3"]
    await outputs.close()
    await outputs.close()


async def test_ages_are_counted_for_each_output() -> None:
    sink = RecordingSink("null")
    outputs = OutputSet(MonotonicClock())
    await outputs.add(sink, STREAM)
    outputs.offer(picture(1))
    await outputs.close()
    ((figures, ages),) = outputs.figures()
    assert figures.published == ages.count == 1
    assert figures.age.max > 0
