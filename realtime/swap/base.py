"""What draws the faces of a frame, whether it does so at once or in a thread of its own."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from models.masks.settings import MaskSettings
from models.neural.settings import ChainSettings
from realtime.boxes import Box
from realtime.clock import Now
from realtime.frame import Face, Frame
from realtime.swap.patience import Late

__all__ = ["Painter", "Sliders", "Source", "Times", "Wearer"]

Source = Any
"""What a face is drawn from: each painter has its own kind. A `HiddenFace` needs no painter."""


@dataclass(frozen=True, slots=True)
class Wearer:
    """A face of the frame, and the face that it is to wear."""

    face: Face
    source: Source


@dataclass(frozen=True, slots=True)
class Sliders:
    """What a painter may be told between two frames."""

    late: Late = Late.AUTO
    chain: ChainSettings = field(default_factory=ChainSettings)
    masks: MaskSettings = field(default_factory=MaskSettings)


@dataclass(slots=True)
class Times:
    """Nanoseconds that the faces of one frame took, by stage."""

    spent_ns: dict[str, int] = field(default_factory=dict)

    def add(self, stage: str, duration_ns: int) -> None:
        self.spent_ns[stage] = self.spent_ns.get(stage, 0) + duration_ns

    def lap(self, stage: str, began_ns: int, clock: Now) -> int:
        """Add what has passed since `began_ns`; the time now."""
        now_ns = clock.now_ns()
        self.add(stage, now_ns - began_ns)
        return now_ns


class Painter(Protocol):
    """Draws the replacements of faces. Belongs to one thread."""

    def begin(
        self,
        frame: Frame,
        wearers: Sequence[Wearer],
        times: Times,
        *,
        wait: bool = True,
        aside: Sequence[Box] = (),
    ) -> bool:
        """Look at a frame, once, before its faces are painted; with `wait` it may wait for them.

        `aside`: where people are who wear nothing and are not to be seen, pixels of the frame.
        Whether `paint` has something to show for each of them. Raises BackendError when drawing fails.
        """
        ...

    def paint(self, picture: NDArray[np.uint8], frame: Frame, wearer: Wearer, times: Times) -> bool:
        """Paint the replacement of one face where the face is in this frame; False when there is none.

        `picture`: (H, W, 3) uint8, the frame with what was painted so far; changed in place. It, and not the
        frame, is what a replacement is made of: it carries some of what is round the face, and that is not
        to be somebody's bare one. Raises BackendError.
        """
        ...

    def adjust(self, sliders: Sliders) -> None:
        """Paint otherwise from the next frame on."""
        ...

    def close(self) -> None:
        """Free what it holds. Idempotent, bounded, never raises."""
        ...
