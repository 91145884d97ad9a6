"""Light and tone of the target on the drawn face, from small pictures of both.

Everything is decided on pictures about 48 pixels wide; only the gain is scaled up to the face's size.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["relight", "shade"]

SMALL_PX = 48
_SOFTNESS = 0.16
"""Sigma of the low-pass, in widths of the face: shading passes, brows and mouth do not."""
_FLOOR = 6.0
"""Added to both sides of the ratio, in grey levels: keeps it calm in the dark."""
_GAIN = (0.35, 2.6)
_PERSONA_GAIN = (0.45, 1.5)
_PERSONA_LIGHT = 0.85
"""How much of the target's shading a persona takes on."""
_PERSONA_EXPOSURE = 0.5
"""How far a persona follows the target's brightness: 0 keeps its own, 1 takes the target's."""


def relight(
    drawn: NDArray[np.uint8], target: NDArray[np.uint8], alpha: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """`drawn` with the low frequencies of `target`, in place: its light and its tone of skin.

    Both (h, w, 3) uint8 BGR; `alpha` (h, w) uint8 says where both show skin.
    """
    small_drawn, small_target, weight = _small(drawn, target, alpha)
    base = _lowpass(small_drawn, weight)
    light = _lowpass(small_target, weight)
    gain = np.clip((light + _FLOOR) / (base + _FLOOR), *_GAIN)
    return _apply(drawn, gain)


def shade(drawn: NDArray[np.uint8], target: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """`drawn` with the shading of `target` but its own colours, in place. Arguments as in `relight`."""
    small_drawn, small_target, weight = _small(drawn, target, alpha)
    luma = cv2.cvtColor(small_target, cv2.COLOR_BGR2GRAY)[:, :, None]
    own = cv2.cvtColor(small_drawn, cv2.COLOR_BGR2GRAY)
    total = max(float(weight.sum()), 1e-6)
    light = _lowpass(luma, weight)
    mean = max(float((luma[:, :, 0] * weight).sum()) / total, 8.0)
    exposure = (mean / max(float((own * weight).sum()) / total, 8.0)) ** _PERSONA_EXPOSURE
    gain = (1 + _PERSONA_LIGHT * (light / mean - 1)) * exposure
    return _apply(drawn, np.repeat(np.clip(gain, *_PERSONA_GAIN), 3, axis=2))


def _small(
    drawn: NDArray[np.uint8], target: NDArray[np.uint8], alpha: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.float32]]:
    height, width = alpha.shape
    size = (min(SMALL_PX, width), max(1, round(min(SMALL_PX, width) * height / width)))
    parts = [cv2.resize(part, size, interpolation=cv2.INTER_AREA) for part in (drawn, target, alpha)]
    weight = parts[2].astype(np.float32) / np.float32(255)
    return parts[0].astype(np.uint8, copy=False), parts[1].astype(np.uint8, copy=False), weight


def _lowpass(small: NDArray[np.uint8], weight: NDArray[np.float32]) -> NDArray[np.float32]:
    """Means over a neighbourhood, of the pixels that have weight: normalised convolution (Knutsson 1993)."""
    sigma = _SOFTNESS * small.shape[1]
    weighted = cv2.GaussianBlur(small.reshape(*weight.shape, -1) * weight[:, :, None], (0, 0), sigma)
    total = cv2.GaussianBlur(weight, (0, 0), sigma)
    low: NDArray[np.float32] = weighted.reshape(*weight.shape, -1) / np.maximum(total, 1e-3)[:, :, None]
    return low


def _apply(drawn: NDArray[np.uint8], gain: NDArray[np.float32]) -> NDArray[np.uint8]:
    height, width = drawn.shape[:2]
    whole = cv2.resize(gain.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    cv2.multiply(drawn, whole, dst=drawn, dtype=cv2.CV_8U)
    return drawn
