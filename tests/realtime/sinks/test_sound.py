import logging
from pathlib import Path

import av
import pytest

from realtime.sinks.sound import SoundCopy
from tests.fakes.clips import make_clip


def copied_s(clip: Path, path: Path, *ends_s: float) -> list[float]:
    """Where packets begin in the copy, in seconds, after copying up to each of `ends_s` in turn."""
    with av.open(str(path), "w") as output:
        sound = SoundCopy.between(clip, output)
        assert sound is not None
        output.start_encoding()
        for end_s in ends_s:
            sound.copy_until(end_s)
        sound.close()
        sound.close()
    with av.open(str(path)) as container:
        return [
            float(packet.pts * packet.time_base) for packet in container.demux() if packet.pts is not None
        ]


def test_only_what_begins_in_time_is_copied(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "in.mp4", 50, sound_s=2.0)
    begins_s = copied_s(clip, tmp_path / "out.mkv", 0.5, 1.0)
    assert begins_s[0] == pytest.approx(0.0, abs=0.03)
    assert begins_s[-1] == pytest.approx(1.0, abs=0.03)
    assert begins_s == sorted(begins_s)


def test_copying_in_steps_or_at_once_is_the_same(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "in.mp4", 50, sound_s=2.0)
    at_once = copied_s(clip, tmp_path / "once.mkv", 1.5)
    in_steps = copied_s(clip, tmp_path / "steps.mkv", *(step * 0.1 for step in range(16)))
    assert at_once == in_steps


def test_sound_is_timed_from_the_first_picture(tmp_path: Path) -> None:
    """Pictures that begin half a second into the clip take that much of its sound away."""
    clip = make_clip(tmp_path / "in.mkv", 26, pts=[500 + 40 * index for index in range(26)], sound_s=2.0)
    begins_s = copied_s(clip, tmp_path / "out.mkv", 10.0)
    assert begins_s[0] == pytest.approx(0.0, abs=0.03)
    assert begins_s[-1] == pytest.approx(1.5, abs=0.05)


def test_a_clip_that_cannot_be_read_has_no_sound(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    with av.open(str(tmp_path / "out.mp4"), "w") as output:
        assert SoundCopy.between(tmp_path / "nowhere.mp4", output) is None
    assert "cannot be read" in caplog.text
