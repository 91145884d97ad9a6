import logging
import os
import shutil
import subprocess
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from realtime.capture.file import FileSource
from realtime.capture.lossless import lossless_frames
from realtime.clock import NS_PER_MS, NS_PER_S
from realtime.errors import ConfigError, DeviceError
from realtime.frame import Frame, Picture, PictureKind
from realtime.sinks.base import StreamInfo
from realtime.sinks.file import KINDS, FileSink
from tests.fakes.clips import gradient, make_clip
from tests.fakes.pictures import picture
from tests.realtime.sinks.contract import SinkContract

STREAM = StreamInfo(64, 48, 25.0)


class TestFileSink(SinkContract):
    def make(self, folder: Path) -> FileSink:
        return FileSink(folder / "out.mp4")

    def make_broken(self, folder: Path) -> FileSink:
        return FileSink(folder / "missing" / "out.mp4")


def shot(index: int, captured_ns: int) -> Picture:
    bgr = gradient(index)
    bgr.flags.writeable = False
    return Picture(index, captured_ns, bgr, PictureKind.SWAPPED)


def record(path: Path, stamps_ns: list[int]) -> None:
    sink = FileSink(path)
    sink.open(STREAM)
    for index, stamp_ns in enumerate(stamps_ns):
        sink.publish(shot(index, stamp_ns))
    sink.close()


def read_all(path: Path) -> list[Frame]:
    source = FileSource(path)
    source.open()
    try:
        return list(lossless_frames(source))
    finally:
        source.close()


@pytest.mark.parametrize("suffix", KINDS)
def test_what_is_written_can_be_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out{suffix}"
    record(path, [5 * NS_PER_S + i * 40 * NS_PER_MS for i in range(20)])
    frames = read_all(path)
    assert [frame.captured_ns for frame in frames] == pytest.approx(
        [i * 40 * NS_PER_MS for i in range(20)], abs=NS_PER_MS
    )
    for index, frame in enumerate(frames):
        assert cv2.PSNR(frame.bgr, gradient(index)) > 25
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(-NS_PER_S, 3 * NS_PER_S), min_size=2, max_size=20))
def test_timestamps_follow_the_capture_and_always_rise(tmp_path: Path, gaps_ns: list[int]) -> None:
    stamps_ns = [0]
    for gap_ns in gaps_ns:
        stamps_ns.append(stamps_ns[-1] + gap_ns)
    path = tmp_path / "out.mp4"
    record(path, stamps_ns)
    with av.open(str(path)) as container:
        written = sorted(packet.pts for packet in container.demux(video=0) if packet.pts is not None)
        tick = container.streams.video[0].time_base
    assert len(set(written)) == len(stamps_ns)
    highest, expected = -1, []
    for stamp_ns in stamps_ns:
        highest = max(stamp_ns * 90_000 // NS_PER_S, highest + 1)
        expected.append(highest)
    seconds = [float((pts - written[0]) * tick) for pts in written]
    assert seconds == pytest.approx([ticks / 90_000 for ticks in expected], abs=1e-4)


def test_the_colours_survive_another_decoder(tmp_path: Path) -> None:
    sink = FileSink(tmp_path / "out.mp4")
    sink.open(StreamInfo(64, 48, 25.0))
    for number in range(5):
        sink.publish(picture(number, captured_ns=number * 40 * NS_PER_MS, colour=(30, 60, 220)))
    sink.close()
    frame = read_all(tmp_path / "out.mp4")[2].bgr
    assert np.abs(frame[24, 32].astype(int) - (30, 60, 220)).max() <= 6


@pytest.mark.skipif(shutil.which("ffprobe") is None, reason="ffprobe is not installed")
def test_ffprobe_finds_nothing_wrong(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    record(path, [i * 40 * NS_PER_MS for i in range(25)])
    entries = "stream=codec_name,pix_fmt,width,height,nb_frames,color_range"
    probed = subprocess.run(
        ["ffprobe", "-v", "error", "-show_entries", entries, "-of", "default=nw=1", str(path)],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert probed.stderr == ""
    found = dict(line.split("=") for line in probed.stdout.splitlines())
    assert found == {
        "codec_name": "h264",
        "width": "64",
        "height": "48",
        "pix_fmt": "yuv420p",
        "color_range": "tv",
        "nb_frames": "25",
    }


def test_the_file_has_its_name_only_when_it_is_whole(tmp_path: Path) -> None:
    sink = FileSink(tmp_path / "out.mp4")
    sink.open(STREAM)
    sink.publish(shot(0, 0))
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.mp4.part"]
    sink.close()
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.mp4"]


def test_without_a_picture_nothing_stays(tmp_path: Path) -> None:
    sink = FileSink(tmp_path / "out.mp4")
    sink.open(STREAM)
    sink.close()
    assert list(tmp_path.iterdir()) == []


def test_an_older_file_is_replaced_only_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    path.write_bytes(b"older")
    sink = FileSink(path)
    sink.open(STREAM)
    sink.publish(shot(0, 0))
    assert path.read_bytes() == b"older"
    sink.close()
    assert len(read_all(path)) == 1


def test_opened_again_it_keeps_what_it_wrote(tmp_path: Path) -> None:
    sink = FileSink(tmp_path / "out.mp4")
    for _ in range(3):
        sink.open(STREAM)
        sink.publish(shot(0, 0))
        sink.close()
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["out-2.mp4", "out-3.mp4", "out.mp4"]


def test_a_failed_end_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    sink = FileSink(tmp_path / "out.mp4")
    sink.open(STREAM)
    sink.publish(shot(0, 0))

    class FullDisk:
        def __init__(self, container):
            self.container = container

        def mux(self, packets):
            raise OSError(28, "No space left on device")

        def close(self):
            self.container.close()

    assert sink._recording is not None
    monkeypatch.setattr(sink._recording, "container", FullDisk(sink._recording.container))
    with pytest.raises(DeviceError, match="No space left"):
        sink.publish(shot(1, 40 * NS_PER_MS))
    sink.close()
    assert list(tmp_path.iterdir()) == []
    assert "could not be ended" in caplog.text


def test_a_missing_folder_is_named_with_its_cure(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="there is no folder") as caught:
        FileSink(tmp_path / "missing" / "out.mp4").open(STREAM)
    assert "mkdir" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_may_not_be_written_to(tmp_path: Path) -> None:
    folder = tmp_path / "locked"
    folder.mkdir()
    folder.chmod(0o555)
    if os.access(folder, os.W_OK):
        folder = Path("/proc")
        if not folder.is_dir():
            pytest.skip("this user may write everywhere, and there is no /proc")
    with pytest.raises(DeviceError, match="cannot be written"):
        FileSink(folder / "out.mp4").open(STREAM)


def test_a_folder_in_the_files_place(tmp_path: Path) -> None:
    (tmp_path / "out.mp4").mkdir()
    with pytest.raises(DeviceError, match="is a folder"):
        FileSink(tmp_path / "out.mp4").open(STREAM)


def test_an_unknown_suffix_is_a_usage_error() -> None:
    with pytest.raises(ConfigError) as caught:
        FileSink(Path("out.gif"))
    assert ".mp4" in caught.value.hint


def sounds(path: Path) -> list[float]:
    """Begin and end of the first sound track, in seconds; empty when there is none."""
    with av.open(str(path)) as container:
        if not container.streams.audio:
            return []
        track = container.streams.audio[0]
        packets = [packet for packet in container.demux(track) if packet.pts is not None]
        return [
            float(packets[0].pts * track.time_base),
            float((packets[-1].pts + packets[-1].duration) * track.time_base),
        ]


def convert(clip: Path, path: Path, count: int | None = None) -> None:
    sink = FileSink(path, audio_from=clip)
    sink.open(STREAM)
    for frame in read_all(clip)[:count]:
        sink.publish(Picture(frame.seq, frame.captured_ns, frame.bgr, PictureKind.SWAPPED))
    sink.close()


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
def test_the_sound_is_copied(tmp_path: Path, suffix: str) -> None:
    clip = make_clip(tmp_path / "in.mp4", 50, fps=25, sound_s=2.0)
    convert(clip, tmp_path / f"out{suffix}")
    begin_s, end_s = sounds(tmp_path / f"out{suffix}")
    assert begin_s == pytest.approx(0.0, abs=0.05)
    assert end_s == pytest.approx(2.0, abs=0.05)
    assert len(read_all(tmp_path / f"out{suffix}")) == 50


def test_the_sound_ends_with_the_pictures(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "in.mp4", 50, fps=25, sound_s=2.0)
    convert(clip, tmp_path / "out.mp4", count=25)
    assert sounds(tmp_path / "out.mp4")[1] == pytest.approx(1.0, abs=0.05)


def test_sound_that_the_file_cannot_hold_is_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    clip = make_clip(tmp_path / "in.mp4", 10, sound_s=0.4)
    convert(clip, tmp_path / "out.webm")
    assert sounds(tmp_path / "out.webm") == []
    assert "there will be none" in caplog.text
    assert len(read_all(tmp_path / "out.webm")) == 10


def test_a_silent_clip_makes_a_silent_file(tmp_path: Path) -> None:
    convert(make_clip(tmp_path / "in.mp4", 5), tmp_path / "out.mp4")
    assert sounds(tmp_path / "out.mp4") == []
