"""The visible mark: a badge in the picture that says that what you see was made by a machine."""

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.lettering import blend, text_mask

__all__ = ["Mark", "draw_badge"]

TEXTS = ("AI generated", "AI")
HEIGHT_SHARE = 1 / 25
"""Height of the badge, as a share of the picture's height."""
MIN_HEIGHT_PX = 18
MARGIN_SHARE = 0.5
"""Distance from the picture's edges, as a share of the badge's height."""
SUPERSAMPLING = 4

INK = (255, 255, 255)
PLATE = (40, 26, 22)
PLATE_OPACITY = 0.72
SPARK = (122, 205, 255)


class Mark:
    """Puts the badge on pictures. Made once per size of picture, then blended on its own few pixels."""

    def __init__(self, enabled: bool = True) -> None:
        self.enabled = enabled
        self._shape: tuple[int, ...] = ()
        self._ink: NDArray[np.uint8] = np.zeros((0, 0, 3), np.uint8)
        self._kept: NDArray[np.uint8] = self._ink
        self._origin = (0, 0)

    def apply(self, picture_bgr: NDArray[np.uint8]) -> None:
        """Blend the badge into the upper left corner of `picture_bgr`, (H, W, 3) uint8, in place.

        The upper left, because the lower edge is where conference programs write names and the test
        card its frame number, and the upper right where they put their buttons.
        """
        if not self.enabled:
            return
        if picture_bgr.shape != self._shape:
            self._prepare(picture_bgr.shape)
        x, y = self._origin
        height, width = self._ink.shape[:2]
        region = picture_bgr[y : y + height, x : x + width]
        cv2.multiply(region, self._kept, dst=region, scale=1 / 255)
        cv2.add(region, self._ink, dst=region)

    def _prepare(self, shape: tuple[int, ...]) -> None:
        """The badge that fits a picture of `shape`, as light to add and as share of the picture to keep."""
        height_px = max(MIN_HEIGHT_PX, round(shape[0] * HEIGHT_SHARE))
        margin_px = round(height_px * MARGIN_SHARE)
        for text in TEXTS:
            bgr, alpha = draw_badge(text, height_px)
            if alpha.shape[1] + 2 * margin_px <= shape[1]:
                break
        x = min(margin_px, max(0, shape[1] - alpha.shape[1]))
        y = min(margin_px, max(0, shape[0] - alpha.shape[0]))
        cut = np.s_[: shape[0] - y, : shape[1] - x]
        share = (alpha[cut].astype(np.float32) / 255)[..., None]
        self._ink = np.ascontiguousarray(np.rint(bgr[cut] * share).astype(np.uint8))
        self._kept = np.ascontiguousarray(np.repeat(255 - alpha[cut][..., None], 3, axis=2))
        self._origin = (x, y)
        self._shape = shape


def draw_badge(text: str, height_px: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """A rounded badge with a spark and `text`: its colours (H, W, 3) and its opacity (H, W), uint8."""
    tall = height_px * SUPERSAMPLING
    words = text_mask(text, round(tall * 0.60), 600)
    spark = _spark(round(tall * 0.62))
    gap = round(tall * 0.16)
    left, right = round(tall * 0.34), round(tall * 0.40)
    wide = left + spark.shape[1] + gap + words.shape[1] + right
    wide += -wide % SUPERSAMPLING

    plate = np.zeros((tall, wide), np.uint8)
    radius = tall // 2
    cv2.rectangle(plate, (radius, 0), (wide - 1 - radius, tall - 1), 255, cv2.FILLED)
    for x in (radius, wide - 1 - radius):
        cv2.circle(plate, (x, radius), radius - 1, 255, cv2.FILLED, cv2.LINE_AA)

    bgr = np.full((tall, wide, 3), PLATE, np.uint8)
    shown = np.zeros((tall, wide), np.uint8)
    blend(bgr, spark, left, (tall - spark.shape[0]) // 2, SPARK)
    _lighten(shown, spark, left, (tall - spark.shape[0]) // 2)
    x, y = left + spark.shape[1] + gap, round(tall * 0.125)
    blend(bgr, words, x, y, INK)
    _lighten(shown, words, x, y)

    alpha = np.maximum(np.rint(plate * PLATE_OPACITY).astype(np.uint8), cv2.min(shown, plate))
    size = (wide // SUPERSAMPLING, height_px)
    return (
        np.asarray(cv2.resize(bgr, size, interpolation=cv2.INTER_AREA), np.uint8),
        np.asarray(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA), np.uint8),
    )


def _lighten(shown: NDArray[np.uint8], mask: NDArray[np.uint8], x: int, y: int) -> None:
    """Raise `shown` to `mask` where that is higher."""
    region = shown[y : y + mask.shape[0], x : x + mask.shape[1]]
    np.maximum(region, mask[: region.shape[0], : region.shape[1]], out=region)


def _spark(size_px: int) -> NDArray[np.uint8]:
    """A four-pointed star with hollow sides, as coverage."""
    turn = np.linspace(0, 2 * np.pi, 129)[:-1]
    reach = 1 / (np.abs(np.cos(turn)) ** 0.62 + np.abs(np.sin(turn)) ** 0.62) ** (1 / 0.62)
    points = np.stack([np.cos(turn), np.sin(turn)], 1) * reach[:, None] * size_px * 0.5 + size_px * 0.5
    mask = np.zeros((size_px, size_px), np.uint8)
    cv2.fillPoly(mask, [np.rint(points * 16).astype(np.int32)], (255,), cv2.LINE_AA, 4)
    return mask
