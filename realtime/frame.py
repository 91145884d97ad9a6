"""The values that travel: a frame comes in, a result is made of it, a picture goes out.

`Frame` and `Result` hold raw or half-finished pixels and stay inside the program.
`Picture` alone reaches the outputs; only `realtime.publisher` makes one.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from models.head_pose import HeadPose

__all__ = ["Face", "Frame", "Outcome", "Picture", "PictureKind", "Result"]


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture from the source."""

    seq: int
    """Number of the frame, from 0, rising by one for each frame captured (gaps are drops)."""
    captured_ns: int
    """Clock when the source handed the picture over."""
    bgr: NDArray[np.uint8]
    """(H, W, 3), C-contiguous. Never shown as it is."""
    epoch: int = 0
    """Changes when the picture does not follow from the last one: reopened, looped or seeked."""


@dataclass(frozen=True, slots=True)
class Face:
    """One tracked face, in pixels of the source frame."""

    id: int
    points: NDArray[np.float32]
    """(468, 3): x, y in pixels, z in the same unit, smaller is nearer."""
    score: float
    """Trust in the landmarks, 0 to 1."""
    shown: float = 1.0
    """How much of the replacement shows, (0, 1]; the rest is a cover, from which it fades in."""

    @property
    def pose(self) -> "HeadPose":
        """How the head is turned; fitted anew each time it is asked for."""
        from models.head_pose import head_pose

        return head_pose(self.points)

    @property
    def box(self) -> tuple[float, float, float, float]:
        """x0, y0, x1, y1 round the points."""
        low, high = self.points[:, :2].min(axis=0), self.points[:, :2].max(axis=0)
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])


class Outcome(StrEnum):
    """What became of a frame."""

    SWAPPED = "swapped"
    NO_FACE = "no_face"
    HELD = "held"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Result:
    """A processed frame, before it is decided what the outputs show."""

    frame: Frame
    bgr: NDArray[np.uint8]
    """(H, W, 3): the frame with every tracked face replaced. Publishable only when SWAPPED."""
    outcome: Outcome
    faces: tuple[Face, ...]
    refused: bool = False
    """There is a face, and no swapper made another of it."""


class PictureKind(StrEnum):
    """What a published picture is."""

    SWAPPED = "swapped"
    CARD = "card"
    BLUR = "blur"
    RAW = "raw"


@dataclass(frozen=True, slots=True)
class Picture:
    """What an output gets. Its pixels are shared by all outputs: read only."""

    number: int
    """Rises by one with each published picture."""
    captured_ns: int
    """Capture stamp of the frame it shows; for a card, when the card was made."""
    bgr: NDArray[np.uint8]
    """(H, W, 3), C-contiguous, marked, not writeable."""
    kind: PictureKind
