import logging
from itertools import islice, pairwise
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from realtime.capture.file import FileSource
from realtime.capture.lossless import lossless_frames
from realtime.clock import NS_PER_MS
from realtime.errors import DeviceError
from realtime.frame import Frame
from tests.data import clip
from tests.fakes.clips import gradient, make_clip, make_sound
from tests.realtime.capture.contract import SourceContract


def read_all(source: FileSource) -> list[Frame]:
    source.open()
    try:
        return list(lossless_frames(source))
    finally:
        source.close()


class TestFileSource(SourceContract):
    @pytest.fixture(autouse=True)
    def written(self, tmp_path: Path) -> None:
        self.path = make_clip(tmp_path / "clip.mp4", 12)

    def make(self) -> FileSource:
        return FileSource(self.path)


class TestLoopedFileSource(SourceContract):
    endless = True

    @pytest.fixture(autouse=True)
    def written(self, tmp_path: Path) -> None:
        self.path = make_clip(tmp_path / "clip.mp4", 4)

    def make(self) -> FileSource:
        return FileSource(self.path, loop=True)


def test_every_picture_comes_with_its_time(tmp_path: Path) -> None:
    frames = read_all(FileSource(make_clip(tmp_path / "clip.mp4", 30, fps=25)))
    assert [frame.captured_ns for frame in frames] == [i * 40 * NS_PER_MS for i in range(30)]


def test_the_pixels_are_the_clips(tmp_path: Path) -> None:
    frames = read_all(FileSource(make_clip(tmp_path / "clip.mp4", 10)))
    for index, frame in enumerate(frames):
        assert cv2.PSNR(frame.bgr, gradient(index)) > 30


def test_it_says_what_the_clip_is(tmp_path: Path) -> None:
    source = FileSource(make_clip(tmp_path / "clip.mp4", 50, size=(66, 34), fps=25))
    info = source.open()
    source.close()
    assert (info.width, info.height, info.live) == (66, 34, False)
    assert info.fps == pytest.approx(25.0, rel=0.01)
    assert info.duration_s == pytest.approx(2.0, abs=0.05)
    assert "clip.mp4" in info.description


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(gaps_ms=st.lists(st.integers(1, 3000), min_size=3, max_size=12))
def test_a_variable_rate_is_kept(tmp_path: Path, gaps_ms: list[int]) -> None:
    pts = [0]
    for gap_ms in gaps_ms:
        pts.append(pts[-1] + gap_ms)
    frames = read_all(FileSource(make_clip(tmp_path / "clip.mkv", len(pts), pts=pts)))
    assert [frame.captured_ns for frame in frames] == [stamp * NS_PER_MS for stamp in pts]


def test_time_starts_at_zero_where_the_clips_does_not(tmp_path: Path) -> None:
    frames = read_all(FileSource(make_clip(tmp_path / "clip.mkv", 3, pts=[5000, 5040, 5080])))
    assert [frame.captured_ns for frame in frames] == [0, 40 * NS_PER_MS, 80 * NS_PER_MS]


def test_missing_timestamps_are_filled_in(tmp_path: Path) -> None:
    """A bare H.264 stream has none."""
    with av.open(str(tmp_path / "bare.h264"), "w", format="h264") as container:
        stream = container.add_stream("libx264", rate=25, options={"tune": "zerolatency"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for index in range(8):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(gradient(index), format="bgr24")))
        container.mux(stream.encode(None))
    stamps = [frame.captured_ns for frame in read_all(FileSource(tmp_path / "bare.h264"))]
    assert len(stamps) == 8
    assert stamps[0] == 0
    assert {later - earlier for earlier, later in pairwise(stamps)} == {40 * NS_PER_MS}


def test_a_loop_begins_an_epoch_and_time_goes_on(tmp_path: Path) -> None:
    source = FileSource(make_clip(tmp_path / "clip.mp4", 4, fps=25), loop=True)
    info = source.open()
    frames = list(islice(lossless_frames(source), 10))
    source.close()
    assert info.duration_s is None
    assert [frame.epoch for frame in frames] == [0] * 4 + [1] * 4 + [2] * 2
    assert [frame.captured_ns for frame in frames] == [i * 40 * NS_PER_MS for i in range(10)]
    assert np.array_equal(frames[1].bgr, frames[5].bgr)


def test_a_loop_keeps_a_variable_rate(tmp_path: Path) -> None:
    source = FileSource(make_clip(tmp_path / "clip.mkv", 4, pts=[0, 40, 400, 440]), loop=True)
    source.open()
    stamps = [frame.captured_ns for frame in islice(lossless_frames(source), 8)]
    source.close()
    gaps = [later - earlier for earlier, later in pairwise(stamps)]
    assert gaps[:3] == gaps[4:] == [40 * NS_PER_MS, 360 * NS_PER_MS, 40 * NS_PER_MS]
    assert gaps[3] > 0


def test_timestamps_that_stand_still_are_made_to_rise(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "clip.flv"), "w") as container:
        stream = container.add_stream("flv", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        packets = []
        for index in range(5):
            packets += stream.encode(av.VideoFrame.from_ndarray(gradient(index), format="bgr24"))
        packets += stream.encode(None)
        for packet, tick in zip(packets, (0, 1, 1, 1, 6), strict=True):
            packet.pts = packet.dts = tick
            container.mux(packet)
    frames = read_all(FileSource(tmp_path / "clip.flv"))
    stamps = [frame.captured_ns for frame in frames]
    assert len(stamps) == 5
    assert stamps == sorted(set(stamps))


@pytest.mark.parametrize(
    ("turned", "shape"), [(90, (64, 48)), (-90, (64, 48)), (180, (48, 64)), (0, (48, 64))]
)
def test_a_phone_held_upright_is_turned(tmp_path: Path, turned: int, shape: tuple[int, int]) -> None:
    source = FileSource(make_clip(tmp_path / "clip.mp4", 3, turned=turned))
    info = source.open()
    frame = next(lossless_frames(source))
    source.close()
    assert (info.height, info.width) == shape
    upright = np.rot90(gradient(0), turned // 90)
    assert cv2.PSNR(frame.bgr, np.ascontiguousarray(upright)) > 30


def test_the_colour_matrix_of_the_clip_is_honoured(tmp_path: Path) -> None:
    """The same YCbCr means another colour under BT.709 than under BT.601."""
    shown = []
    for matrix in (1, 6):
        path = tmp_path / f"{matrix}.mkv"
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=25)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            stream.codec_context.colorspace = matrix
            i420 = np.concatenate([np.full((48, 64), 120), np.full((12, 64), 90), np.full((12, 64), 190)])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(i420.astype(np.uint8), format="yuv420p")))
            container.mux(stream.encode(None))
        shown.append(read_all(FileSource(path))[0].bgr[24, 32].astype(int))
    red_709, red_601 = shown[0][2], shown[1][2]
    assert red_709 - red_601 == pytest.approx((1.793 - 1.596) * 62, abs=4)


def test_a_clip_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="no clip"):
        FileSource(tmp_path / "nowhere.mp4").open()


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("notes.mp4", b"not a clip at all\n" * 40, "no video file"),
        ("empty.mp4", b"", "no video file"),
        ("notes.txt", b"dear diary\n" * 40, "is a text"),
    ],
)
def test_a_file_that_is_no_clip(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DeviceError, match=reason) as caught:
        FileSource(tmp_path / name).open()
    assert caught.value.hint


def test_a_folder_is_no_clip(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="is no file"):
        FileSource(tmp_path).open()


def test_a_picture_is_sent_to_still(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "portrait.png"), gradient(0))
    with pytest.raises(DeviceError, match="is a picture") as caught:
        FileSource(tmp_path / "portrait.png").open()
    assert "still:" in caught.value.hint


def test_a_file_without_video(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="no video stream"):
        FileSource(make_sound(tmp_path / "sound.wav")).open()


def test_a_clip_without_its_end_is_no_clip(tmp_path: Path) -> None:
    """An mp4's index is at its end."""
    whole = make_clip(tmp_path / "clip.mp4", 30).read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DeviceError, match="cut off"):
        FileSource(tmp_path / "cut.mp4").open()


def test_a_clip_cut_in_the_middle_gives_what_is_there(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = make_clip(tmp_path / "clip.mp4", 100, options={"movflags": "faststart"})
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 2 // 3])
    frames = read_all(FileSource(path))
    assert 10 < len(frames) < 100
    assert "is cut off" in caplog.text


def test_a_damaged_clip_gives_what_can_be_decoded(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    path = make_clip(tmp_path / "clip.mkv", 60)
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2 : len(whole) // 2 + 200] = bytes(200)
    path.write_bytes(whole)
    frames = read_all(FileSource(path))
    assert len(frames) > 10
    assert [frame.seq for frame in frames] == list(range(len(frames)))


def test_a_real_clip() -> None:
    source = FileSource(clip("pexels_langer_640x360.mp4"))
    info = source.open()
    frames = list(islice(lossless_frames(source), 48))
    source.close()
    assert (info.width, info.height) == (640, 360)
    assert info.fps == pytest.approx(24000 / 1001, rel=1e-3)
    assert frames[24].captured_ns == pytest.approx(1.001e9, rel=1e-3)
    assert frames[0].bgr.std() > 10
