"""Small clips, made when a test needs them."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

__all__ = ["gradient", "make_clip", "make_sound"]


def gradient(index: int, size: tuple[int, int] = (64, 48)) -> NDArray[np.uint8]:
    """(H, W, 3) BGR: dark at the left, bright at the right, brighter with each index."""
    width, height = size
    ramp = np.linspace(40, 160, width)[None, :, None] + 3.0 * (index % 20)
    return np.ascontiguousarray(np.broadcast_to(ramp, (height, width, 3)).astype(np.uint8))


def make_clip(
    path: Path,
    count: int = 12,
    *,
    size: tuple[int, int] = (64, 48),
    fps: int = 25,
    pts: list[int] | None = None,
    turned: int = 0,
    sound_s: float = 0.0,
    codec: str = "libx264",
    options: dict[str, str] | None = None,
) -> Path:
    """Write `gradient` pictures; `pts` in ms overrules `fps`; `turned` is the display matrix's angle.

    `sound_s` seconds of AAC silence come beside them.
    """
    with av.open(str(path), "w", options=options or {}) as container:
        stream = container.add_stream(codec, rate=fps)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = stream.time_base = Fraction(1, 1000)
        if turned:
            stream.set_display_rotation(turned)
        voice = container.add_stream("aac", rate=48000) if sound_s else None
        for index in range(count):
            frame = av.VideoFrame.from_ndarray(gradient(index, size), format="bgr24")
            frame.pts = pts[index] if pts else round(index * 1000 / fps)
            frame.time_base = Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if voice is not None:
            silence = av.AudioFrame.from_ndarray(
                np.zeros((1, round(48000 * sound_s)), np.float32), format="fltp", layout="mono"
            )
            silence.sample_rate, silence.pts = 48000, 0
            container.mux(voice.encode(silence))
            container.mux(voice.encode(None))
    return path


def make_sound(path: Path, seconds: float = 0.5) -> Path:
    """Write a file that has sound only."""
    with av.open(str(path), "w") as container:
        voice = container.add_stream("pcm_s16le", rate=48000)
        silence = av.AudioFrame.from_ndarray(
            np.zeros((1, round(48000 * seconds)), np.int16), format="s16", layout="mono"
        )
        silence.sample_rate, silence.pts = 48000, 0
        container.mux(voice.encode(silence))
        container.mux(voice.encode(None))
    return path
