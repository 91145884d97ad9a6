from pathlib import Path

import numpy as np
import pytest

from realtime.bench import replay as module
from realtime.bench.replay import ENDLESS_S, replay
from realtime.clock import NS_PER_S
from realtime.errors import ConfigError, DeviceError
from tests.fakes.clips import make_clip
from tests.fakes.scripted_source import Loss, ScriptedSource, shots


@pytest.fixture
def clip(tmp_path: Path) -> str:
    return str(make_clip(tmp_path / "gradient.mp4", 12, fps=25))


def test_a_clip_is_whole_in_order_and_at_its_own_time(clip: str) -> None:
    frames = list(replay(clip, 1280, 720, 30))
    assert [frame.seq for frame in frames] == list(range(12))
    assert [frame.captured_ns for frame in frames] == [index * NS_PER_S // 25 for index in range(12)]
    assert {frame.bgr.shape for frame in frames} == {(48, 64, 3)}, "a clip has its own size"
    brightness = [float(frame.bgr.mean()) for frame in frames]
    assert brightness == sorted(brightness)
    assert not any(np.shares_memory(one.bgr, frames[0].bgr) for one in frames[1:])


@pytest.mark.parametrize(("seconds", "count"), [(0.2, 5), (0.21, 6), (0.001, 1), (60, 12)])
def test_frames_below_the_time_asked_for_are_given(clip: str, seconds: float, count: int) -> None:
    assert len(list(replay(clip, 1280, 720, 30, seconds))) == count


def test_the_same_clip_shows_the_same_again(clip: str) -> None:
    for one, other in zip(replay(clip, 64, 48, 30), replay(clip, 64, 48, 30), strict=True):
        assert one.captured_ns == other.captured_ns
        np.testing.assert_array_equal(one.bgr, other.bgr)


@pytest.mark.parametrize("uri", ["still:", "testcard:"])
def test_what_is_built_in_has_the_size_and_rate_asked_for_and_is_not_waited_for(uri: str) -> None:
    frames = list(replay(uri, 96, 64, 10, 0.5))
    assert [frame.captured_ns for frame in frames] == [index * NS_PER_S // 10 for index in range(5)]
    assert {frame.bgr.shape for frame in frames} == {(64, 96, 3)}


def test_of_what_has_no_end_a_bounded_time_is_taken() -> None:
    frames = list(replay("still:", 64, 48, 4))
    assert len(frames) == 4 * ENDLESS_S
    assert frames[-1].captured_ns < ENDLESS_S * NS_PER_S


@pytest.mark.parametrize("uri", ["camera:0", "/dev/video0"])
def test_a_camera_is_refused_before_it_is_opened(uri: str) -> None:
    with pytest.raises(ConfigError, match="never shows the same twice"):
        next(replay(uri, 64, 48, 30))


def test_a_clip_that_is_not_there_is_told() -> None:
    with pytest.raises(DeviceError, match=r"nothing\.mp4"):
        next(replay("nothing.mp4", 64, 48, 30))


@pytest.mark.parametrize("how", ["to the end", "to the time", "left early", "lost"])
def test_the_source_is_closed_however_it_ends(monkeypatch: pytest.MonkeyPatch, clip: str, how: str) -> None:
    source = ScriptedSource([*shots(6), *([Loss()] if how == "lost" else [])])
    monkeypatch.setattr(module, "open_source", lambda uri, **asked: source)
    frames = replay(clip, 64, 48, 30, 0.05 if how == "to the time" else None)
    if how == "left early":
        next(frames)
        assert not source.closed.is_set()
        frames.close()  # type: ignore[attr-defined]
    elif how == "lost":
        with pytest.raises(DeviceError):
            list(frames)
    else:
        assert len(list(frames)) == (2 if how == "to the time" else 6)
    assert source.closed.is_set()
