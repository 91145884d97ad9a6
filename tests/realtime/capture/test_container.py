from pathlib import Path

import av
import pytest

from realtime.capture.container import open_clip


def test_a_title_that_is_no_utf_8_does_not_keep_a_clip_shut(tmp_path: Path) -> None:
    """Written by hand into the file: PyAV itself writes only UTF-8."""
    path = tmp_path / "clip.mkv"
    with av.open(str(path), "w") as container:
        container.metadata["title"] = "titletitle"
        stream = container.add_stream("libx264", rate=30)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        container.mux(stream.encode(av.VideoFrame(64, 64, "yuv420p")))
        container.mux(stream.encode(None))
    whole = path.read_bytes()
    assert b"titletitle" in whole
    path.write_bytes(whole.replace(b"titletitle", b"t\xfft\xfet\xe9t\xe8ti"))
    with open_clip(path) as container:
        assert len(list(container.decode(video=0))) == 1


def test_what_is_no_clip_raises_what_pyav_raises(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        open_clip(tmp_path / "none.mp4")
