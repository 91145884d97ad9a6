"""A still picture as a source: moved along a known path, the ground truth for tracking."""

import math
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.capture.base import Grab, Pixels, SourceInfo
from realtime.capture.portrait import draw_portrait
from realtime.clock import NS_PER_MS, NS_PER_S
from realtime.errors import DeviceError

__all__ = ["LIDS", "StillSource", "lids_at"]

Matrix = NDArray[np.float64]

WAVES: dict[str, tuple[tuple[float, float], ...]] = {
    "x": ((0.050, 7.3), (0.018, 2.9)),
    "y": ((0.022, 5.9), (0.010, 2.3)),
    "turn": ((0.110, 8.9), (0.045, 3.7)),
    "scale": ((0.080, 10.7), (0.025, 4.3)),
}
"""Sums of sines as (amplitude, period in seconds). x and y are shares of the frame's width and height,
turn is in radians, scale is the natural logarithm of the magnification."""
LIDS = (1.0, 0.5, 0.0)
"""How far the built-in portrait's eyes are open, in the states that are drawn."""
BLINK_EVERY_S = 3.7
BLINK_MS = ((1900, 0), (1950, 1), (2050, 2), (2110, 1))
"""The blink inside that time, as (until, index into LIDS)."""
PLATE_SHARE = 1.6
"""Size of the ground a picture file is laid on, in frames: no motion of WAVES shows its edge."""
BELOW_SHARE = 0.3
"""What is drawn of the built-in portrait below the frame, in frames: it comes into view as the head moves."""
FEATHER_SHARE = 0.04
"""Width of the soft edge of a picture file on its ground, as a share of the picture's shorter side."""


class StillSource:
    """The built-in portrait, or a picture file, in gentle motion. Endless; as fast as it is read."""

    def __init__(self, path: Path | None, width: int, height: int, fps: float) -> None:
        self._path = path
        self._width = width
        self._height = height
        self._fps = fps
        self._number = 0
        self._plates: tuple[NDArray[np.uint8], ...] = ()
        self._on_plate: Matrix = np.eye(2, 3)

    def open(self) -> SourceInfo:
        """Draw or read the picture. Raises DeviceError when the file is missing or is no picture."""
        self._number = 0
        if self._path is None:
            self._plates = tuple(
                draw_portrait((self._width, self._height), lids, round(self._height * BELOW_SHARE))
                for lids in LIDS
            )
            self._on_plate = np.eye(2, 3)
            uri, description = "still:", "built-in animated still"
        else:
            picture = _read_picture(self._path)
            plate, self._on_plate = _lay_on_ground(picture, self._width, self._height)
            self._plates = (plate,)
            uri, description = f"still:{self._path}", f"still {self._path.name}"
        return SourceInfo(
            uri, f"{description}, {self._width}x{self._height}", self._width, self._height, self._fps, False
        )

    def read(self, pixels: Pixels) -> Grab:
        """The next picture; it never ends. Raises DeviceError when not open."""
        plates = self._plates
        if not plates:
            raise DeviceError("the still is not open", "open the source before reading it")
        media_ns = round(self._number * NS_PER_S / self._fps)
        bgr = pixels((self._height, self._width, 3))
        plate = plates[lids_at(media_ns) if len(plates) > 1 else 0]
        size = (self._width, self._height)
        cv2.warpAffine(plate, self._motion(media_ns), size, dst=bgr, borderMode=cv2.BORDER_REPLICATE)
        self._number += 1
        return Grab(bgr, media_ns)

    def truth(self, media_ns: int) -> Matrix:
        """From pixels of the picture to pixels of the frame at `media_ns`: (2, 3) float64, exact."""
        motion = self._motion(media_ns)
        linear = motion[:, :2] @ self._on_plate[:, :2]
        return np.column_stack([linear, motion[:, :2] @ self._on_plate[:, 2] + motion[:, 2]])

    def close(self) -> None:
        self._plates = ()

    def _motion(self, media_ns: int) -> Matrix:
        """From pixels of the plate to pixels of the frame."""
        seconds = media_ns / NS_PER_S
        x, y, turn, scale = (_wave(WAVES[name], seconds) for name in ("x", "y", "turn", "scale"))
        plate_width, plate_height = self._plate_size()
        cosine = math.cos(turn) * math.exp(scale)
        sine = math.sin(turn) * math.exp(scale)
        linear = np.array([[cosine, -sine], [sine, cosine]])
        centre = np.array([(plate_width - 1) / 2, (plate_height - 1) / 2])
        target = np.array(
            [(self._width - 1) / 2 + x * self._width, (self._height - 1) / 2 + y * self._height]
        )
        return np.column_stack([linear, target - linear @ centre])

    def _plate_size(self) -> tuple[int, int]:
        """Width and height of the upper left part of the plate whose middle is the frame's at rest."""
        if self._path is None:
            return self._width, self._height
        return round(self._width * PLATE_SHARE), round(self._height * PLATE_SHARE)


def lids_at(media_ns: int) -> int:
    """Which of LIDS the portrait shows: it blinks once in BLINK_EVERY_S."""
    into_ms = media_ns / NS_PER_MS % (BLINK_EVERY_S * 1000)
    for until_ms, lids in BLINK_MS:
        if into_ms < until_ms:
            return lids
    return 0


def _wave(parts: tuple[tuple[float, float], ...], seconds: float) -> float:
    return sum(amplitude * math.sin(math.tau * seconds / period) for amplitude, period in parts)


def _read_picture(path: Path) -> NDArray[np.uint8]:
    """The picture file as (H, W, 3) uint8 BGR. Raises DeviceError."""
    try:
        data = np.fromfile(path, np.uint8)
    except OSError as error:
        raise DeviceError(
            f"the picture {path} cannot be read: {error.strerror or error}",
            "give the path of a picture file, or still: alone for the built-in portrait",
        ) from error
    try:
        picture = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    except cv2.error as error:
        raise _undecodable(path) from error
    if picture is None:
        raise _undecodable(path)
    return np.asarray(picture, np.uint8)


def _undecodable(path: Path) -> DeviceError:
    return DeviceError(
        f"{path} is not a picture that can be decoded",
        "give a JPEG, PNG or WebP file that opens elsewhere",
    )


def _lay_on_ground(picture: NDArray[np.uint8], width: int, height: int) -> tuple[NDArray[np.uint8], Matrix]:
    """The picture whole, in the middle of a plate, as large as a frame can show it, soft at the edges.

    The ground is the picture itself, stretched over the plate and blurred. Also returns the matrix from
    pixels of the picture to pixels of the plate.
    """
    plate_width, plate_height = round(width * PLATE_SHARE), round(height * PLATE_SHARE)
    tall, wide = picture.shape[:2]
    scale = min(width / wide, height / tall)
    shown_width, shown_height = max(1, round(wide * scale)), max(1, round(tall * scale))
    shown = cv2.resize(picture, (shown_width, shown_height), interpolation=_interpolation(scale))

    small = cv2.resize(picture, (48, 48), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), 3)
    plate = cv2.resize(small, (plate_width, plate_height), interpolation=cv2.INTER_CUBIC)

    x, y = (plate_width - shown_width) // 2, (plate_height - shown_height) // 2
    feather = max(1.0, min(shown_width, shown_height) * FEATHER_SHARE)
    fade_x = np.minimum(np.arange(shown_width) + 1, shown_width - np.arange(shown_width)) / feather
    fade_y = np.minimum(np.arange(shown_height) + 1, shown_height - np.arange(shown_height)) / feather
    share = np.clip(fade_y[:, None], 0, 1) * np.clip(fade_x[None, :], 0, 1)
    share = (share * share * (3 - 2 * share)).astype(np.float32)[..., None]
    region = plate[y : y + shown_height, x : x + shown_width]
    region[:] = np.rint(region + (shown.astype(np.float32) - region) * share)

    ratio_x, ratio_y = shown_width / wide, shown_height / tall
    matrix = np.array([[ratio_x, 0, x + (ratio_x - 1) / 2], [0, ratio_y, y + (ratio_y - 1) / 2]])
    return np.asarray(plate, np.uint8), matrix


def _interpolation(scale: float) -> int:
    return cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
