"""Words in a picture, in the sans-serif face that OpenCV carries."""

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["blend", "centred", "text_mask", "wrap"]


def text_mask(text: str, size_px: int, weight: int = 400) -> NDArray[np.uint8]:
    """`text` on one line as coverage, (height, width) uint8: 255 where the ink is.

    `size_px` is the height of the type (1.3 lines tall in all, so that descenders fit); `weight` runs from
    100 (thin) over 400 (regular) to 800 (bold). Characters that the face lacks become question marks.
    """
    face = cv2.FontFace("sans")
    _, _, width, _ = cv2.getTextSize((1 << 14, 1 << 12), text, (0, 0), face, size_px, weight)
    mask = np.zeros((round(size_px * 1.3) + 2, max(1, width + 4)), np.uint8)
    cv2.putText(mask, text, (2, size_px), (255,), face, size_px, weight)
    return mask


def wrap(text: str, size_px: int, weight: int, width_px: int) -> list[str]:
    """`text` broken at its spaces into lines at most `width_px` wide; a single longer word stands alone."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_mask(longer, size_px, weight).shape[1] <= width_px:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def blend(
    bgr: NDArray[np.uint8], mask: NDArray[np.uint8], x: int, y: int, colour: tuple[int, int, int]
) -> None:
    """Lay `colour` (BGR) over `bgr` in place through `mask`, its corner at (x, y), clipped at the edges."""
    x0, y0 = max(0, x), max(0, y)
    x1, y1 = min(bgr.shape[1], x + mask.shape[1]), min(bgr.shape[0], y + mask.shape[0])
    if x1 <= x0 or y1 <= y0:
        return
    alpha = mask[y0 - y : y1 - y, x0 - x : x1 - x, None].astype(np.float32) / 255
    region = bgr[y0:y1, x0:x1]
    region[:] = np.rint(region + (np.array(colour, np.float32) - region) * alpha)


def centred(bgr: NDArray[np.uint8], mask: NDArray[np.uint8], y: int, colour: tuple[int, int, int]) -> None:
    """`blend` with `mask` in the middle of the picture's width and its top at `y`."""
    blend(bgr, mask, (bgr.shape[1] - mask.shape[1]) // 2, y, colour)
