"""What an enhancer of aligned crops is, and what all of them have: a strength, a look at the answer."""

from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from models.errors import SettingError, SwapError
from models.neural.align import Alignment

__all__ = ["DEFAULT_STRENGTH", "CropEnhancer", "blend", "check_pictures", "share", "shown_px"]

DEFAULT_STRENGTH = 0.8
"""As the peers'."""

Pictures = NDArray[np.uint8]


class CropEnhancer(Protocol):
    """Makes the pixels of aligned faces better. Belongs to one thread."""

    @property
    def template(self) -> str:
        """Of `models.geometry.TEMPLATES`: how its crops lie."""
        ...

    @property
    def size(self) -> int:
        """Side of its crops, pixels."""
        ...

    @property
    def strength(self) -> float:
        """0 leaves a crop as it is, 1 takes the network's whole answer; may be set between calls."""
        ...

    @strength.setter
    def strength(self, value: float) -> None: ...

    def enhance(self, crops: Pictures, shown_px: float = 0.0) -> Pictures:
        """(N, S, S, 3) uint8 BGR, overwritten by the next call; `crops` are the same and are not changed.

        `shown_px`: the side that the squares have in the frame, in its pixels; 0 if as many as in the crop.
        Raises SwapError, which says of which crops, when the network's answer is no picture of a face, and
        BackendError when it fails.
        """
        ...

    def close(self) -> None:
        """Idempotent, never raises."""
        ...


def shown_px(where: Alignment) -> float:
    """The side that a crop's square has in the frame, in its pixels."""
    return where.size / where.scale


def share(name: str, value: float) -> float:
    """`value` if it is one of 0 to 1. Raises SettingError."""
    if not 0 <= value <= 1:
        raise SettingError(f"the {name} of the enhancer is {value:g}", "choose 0 to 1")
    return float(value)


def blend(enhanced: Pictures, crops: Pictures, strength: float, out: Pictures) -> None:
    """`out` = strength * enhanced + (1 - strength) * crops; all (N, S, S, 3) and C-contiguous."""
    count, height, width, channels = crops.shape
    flat = (count * height, width * channels)
    if strength >= 1:
        np.copyto(out, enhanced)
        return
    cv2.addWeighted(
        enhanced.reshape(flat), strength, crops.reshape(flat), 1 - strength, 0.0, dst=out.reshape(flat)
    )


def check_pictures(enhanced: Pictures, crops: Pictures, name: str) -> None:
    """Raises SwapError for the pictures that have one grey value, though what they were made of has not."""
    faces = tuple(
        index for index in range(len(crops)) if _plain(enhanced[index]) and not _plain(crops[index])
    )
    if faces:
        raise SwapError(
            f"{name} makes a plain area of a face",
            "build it in fp32, or choose another enhancer",
            faces,
        )


def _plain(bgr: Pictures) -> bool:
    least, most, _, _ = cv2.minMaxLoc(bgr.reshape(bgr.shape[0], -1))
    return bool(least == most)
