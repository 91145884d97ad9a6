"""Reads picture files as people have them: turned by EXIF, transparent, grey, CMYK, huge, or broken."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.errors import ConfigError

__all__ = ["LONGEST_SIDE_PX", "SUFFIXES", "read_picture"]

LONGEST_SIDE_PX = 1600
"""Larger pictures are scaled down to this: the texture has 512 texels across."""
SUFFIXES = frozenset(
    {".avif", ".bmp", ".gif", ".heic", ".heif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}
)
"""What counts as a picture in a folder."""
_BACKGROUND = 128
_JPEG, _JPEG_SCAN, _JPEG_END = b"\xff\xd8\xff", b"\xff\xda", b"\xff\xd9"
_PNG, _PNG_END = b"\x89PNG\r\n\x1a\n", b"IEND"
_HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_USUAL = "save it as JPEG, PNG or WebP"


def read_picture(path: Path) -> NDArray[np.uint8]:
    """A picture as (H, W, 3) uint8 BGR, turned as its EXIF says, transparent parts on grey, scaled down.

    Of an animation, the first picture. Raises ConfigError when there is no such file or it is no picture.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise ConfigError(
            f"there is no picture {str(path)!r}", "check the path, or take a persona: realtime faces list"
        ) from error
    except IsADirectoryError as error:
        raise ConfigError(f"{path} is a folder, not a picture", "name a picture in it") from error
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read: {error.strerror}", "check that it is a picture file that you may read"
        ) from error
    _refuse(path, data)
    upright = _decoded(path, data, cv2.IMREAD_COLOR)
    if not data.startswith(_JPEG):
        whole = _decoded(path, data, cv2.IMREAD_UNCHANGED)
        if whole.ndim == 3 and whole.shape[2] == 4 and whole.shape[:2] == upright.shape[:2]:
            alpha = whole[:, :, 3:].astype(np.float32) / float(np.iinfo(whole.dtype.name).max)
            upright = np.round(upright * alpha + _BACKGROUND * (1 - alpha)).astype(np.uint8)
    scale = LONGEST_SIDE_PX / max(upright.shape[:2])
    if scale < 1:
        size = [max(1, round(side * scale)) for side in upright.shape[1::-1]]
        upright = np.asarray(cv2.resize(upright, size, interpolation=cv2.INTER_AREA), np.uint8)
    return np.ascontiguousarray(upright)


def _decoded(path: Path, data: bytes, flags: int) -> NDArray[np.uint8]:
    try:
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        raise ConfigError(f"{path} is not a picture that can be read", _USUAL) from error
    if picture is None:
        raise ConfigError(f"{path} is not a picture that can be read", _USUAL)
    return np.asarray(picture)


def _refuse(path: Path, data: bytes) -> None:
    """Raise ConfigError for what is known to be no whole picture: decoders say less, or fill it with grey."""
    if not data:
        raise ConfigError(f"{path} is empty", "copy or download the picture again")
    cut_off = False
    if data.startswith(_JPEG):
        cut_off = data.rfind(_JPEG_END) < data.rfind(_JPEG_SCAN)
    elif data.startswith(_PNG):
        cut_off = _PNG_END not in data
    if cut_off:
        raise ConfigError(
            f"{path} is cut off: its end is missing", "copy or download it again, or choose another picture"
        )
    brand = data[8:12] if data[4:8] == b"ftyp" else b""
    if brand in _HEIF_BRANDS:
        raise ConfigError(
            f"{path} is a HEIC picture, which cannot be read",
            "export it as JPEG (a telephone's camera can be set to the most compatible format)",
        )
    if data.startswith((b"%PDF", b"8BPS", b"<svg", b"<?xml")):
        raise ConfigError(f"{path} is a document, not a photograph", "export the picture as JPEG or PNG")
    matroska, avi = data.startswith(b"\x1a\x45\xdf\xa3"), data[:4] == b"RIFF" and data[8:11] == b"AVI"
    if matroska or avi or (brand and brand not in _AVIF_BRANDS):
        raise ConfigError(
            f"{path} is a video, not a picture",
            f"save frames of it that show the face: ffmpeg -i {path.name} -vf fps=1 face-%02d.png",
        )
