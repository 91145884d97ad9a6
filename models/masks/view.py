"""What a mask may look at: one aligned face, and the frame round it where there is one."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.geometry import Matrix, apply, invert
from models.neural.align import Alignment

__all__ = ["InFrame", "View"]


@dataclass(frozen=True, slots=True)
class InFrame:
    """Where the crop was cut out: masks that look farther than it reaches need the frame."""

    bgr: NDArray[np.uint8]
    """(H, W, 3): the frame, read only."""
    where: Alignment
    """From the frame to the crop."""
    captured_ns: int = 0
    """Does not go back within a track; what is smoothed in time goes by it."""


@dataclass(frozen=True, slots=True)
class View:
    """One face as a mask sees it."""

    crop: NDArray[np.uint8]
    """(S, S, 3) uint8 BGR; the wearer's face where there is no `frame`; else only its size matters."""
    points: NDArray[np.float32]
    """(468, 2), pixels of the crop, all finite."""
    unit: float
    """The eye distance, pixels of the crop."""
    edge: float
    """How wide soft edges are to be, in eye distances."""
    key: int
    """Whose face it is, from frame to frame."""
    frame: InFrame | None = None

    @property
    def size(self) -> int:
        """Side of the crop, pixels."""
        return int(self.crop.shape[0])

    @property
    def picture(self) -> NDArray[np.uint8]:
        """(H, W, 3): the most that is to be seen of the face: the frame, or else the crop."""
        return self.crop if self.frame is None else self.frame.bgr

    @property
    def captured_ns(self) -> int:
        return 0 if self.frame is None else self.frame.captured_ns

    @property
    def to_crop(self) -> Matrix:
        """From pixels of `picture` to pixels of the crop."""
        return np.eye(2, 3) if self.frame is None else self.frame.where.matrix

    @property
    def points_in_picture(self) -> NDArray[np.float32]:
        """(468, 2), pixels of `picture`."""
        if self.frame is None:
            return self.points
        return apply(invert(self.frame.where.matrix), self.points).astype(np.float32)
