"""What draws the faces of a frame, whether it does so at once or in a thread of its own."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from models.patch import Patch
from realtime.frame import Face, Frame

__all__ = ["Painter", "Source", "Times", "Wearer"]

Source = Any
"""What a face is drawn from: each painter has its own kind. A `HiddenFace` needs no painter."""


@dataclass(frozen=True, slots=True)
class Wearer:
    """A face of the frame, and the face that it is to wear."""

    face: Face
    source: Source


@dataclass(slots=True)
class Times:
    """Nanoseconds that the faces of one frame took, by stage."""

    spent_ns: dict[str, int] = field(default_factory=dict)

    def add(self, stage: str, duration_ns: int) -> None:
        self.spent_ns[stage] = self.spent_ns.get(stage, 0) + duration_ns


class Painter(Protocol):
    """Draws the replacements of faces. Belongs to one thread."""

    def begin(self, frame: Frame, wearers: Sequence[Wearer], times: Times, *, wait: bool = True) -> None:
        """Look at a frame, once, before its faces are painted; with `wait` it may wait for them.

        Raises BackendError when drawing fails for good.
        """
        ...

    def ready(self, wearers: Sequence[Wearer]) -> bool:
        """Whether `paint` has something to show for each of them, and of this painter's own."""
        ...

    def paint(self, picture: NDArray[np.uint8], frame: Frame, wearer: Wearer, times: Times) -> Patch | None:
        """The replacement of one face, where the face is in this frame; None when there is none to show.

        `picture`: (H, W, 3) uint8, the frame with what was painted so far; read only. Raises BackendError.
        """
        ...

    def close(self) -> None:
        """Free what it holds. Idempotent, bounded, never raises."""
        ...
