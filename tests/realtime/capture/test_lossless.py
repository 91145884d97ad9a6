from itertools import pairwise

import numpy as np
import pytest

from realtime.capture.lossless import lossless_frames
from realtime.errors import DeviceError
from tests.fakes.scripted_source import Loss, ScriptedSource, Shot, shots


def test_every_picture_comes_in_order_with_its_media_time() -> None:
    script = shots(40)
    source = ScriptedSource(script, live=False)
    source.open()
    frames = list(lossless_frames(source))
    assert [frame.seq for frame in frames] == list(range(40))
    assert [frame.captured_ns for frame in frames] == [shot.media_ns for shot in script]
    assert [int(frame.bgr[0, 0, 0]) for frame in frames] == list(range(40))


def test_frames_keep_their_pixels_and_their_epoch() -> None:
    source = ScriptedSource([Shot(0, 1), Shot(1, 2, epoch=1), Shot(2, 3, epoch=1)], live=False)
    source.open()
    frames = list(lossless_frames(source))
    assert [frame.epoch for frame in frames] == [0, 1, 1]
    assert not any(np.shares_memory(a.bgr, b.bgr) for a, b in pairwise(frames))


def test_a_lost_source_is_an_error() -> None:
    source = ScriptedSource([Shot(), Loss()], live=False)
    source.open()
    frames = lossless_frames(source)
    next(frames)
    with pytest.raises(DeviceError):
        next(frames)
