"""Something that stands before a face, and an enhancer that cannot be overlooked, each at a known cost."""

import numpy as np
from numpy.typing import NDArray

from models.occlusion import MASK_PX, VisibleFace
from models.patch import Patch
from tests.fakes.clock import FakeClock

__all__ = ["HandBefore", "InvertingEnhancer"]


class HandBefore:
    """Occlusion by a hand with a straight edge: columns of the frame left of `edge_px` are covered.

    `said` lists what was called, in order; `seen` keeps what the finder was shown.
    """

    def __init__(
        self, edge_px: int, clock: FakeClock | None = None, cost_ns: int = 0, said: list[str] | None = None
    ) -> None:
        self.edge_px = edge_px
        self.said = [] if said is None else said
        self.seen: list[tuple[np.ndarray, np.ndarray, int, int]] = []
        self.closed = 0
        self._clock, self._cost_ns = clock, cost_ns

    def visible(self, bgr: np.ndarray, points: np.ndarray, track_id: int, captured_ns: int) -> VisibleFace:
        self.said.append("visible")
        self.seen.append((bgr.copy(), points, track_id, captured_ns))
        if self._clock is not None:
            self._clock.advance(self._cost_ns)
        return VisibleFace(np.full((MASK_PX, MASK_PX), 255, np.uint8), np.eye(2, 3))

    def again(self, points: np.ndarray, track_id: int, captured_ns: int) -> VisibleFace | None:
        self.said.append("again")
        if not any(known == track_id for _, _, known, _ in self.seen):
            return None
        return VisibleFace(np.full((MASK_PX, MASK_PX), 255, np.uint8), np.eye(2, 3))

    def onto(self, visible: VisibleFace, x: int, y: int, width: int, height: int) -> np.ndarray:
        self.said.append("onto")
        seen = np.full((height, width), 255, np.uint8)
        seen[:, : max(0, self.edge_px - x)] = 0
        return seen

    def close(self) -> None:
        self.closed += 1


class InvertingEnhancer:
    """Turns a patch into its negative."""

    def __init__(
        self, clock: FakeClock | None = None, cost_ns: int = 0, said: list[str] | None = None
    ) -> None:
        self.said = [] if said is None else said
        self.closed = 0
        self._clock, self._cost_ns = clock, cost_ns

    def enhance(
        self,
        patch: Patch,
        points: NDArray[np.float32] | None = None,
        picture: NDArray[np.uint8] | None = None,
    ) -> None:
        self.said.append("enhance")
        if self._clock is not None:
            self._clock.advance(self._cost_ns)
        np.subtract(255, patch.bgr, out=patch.bgr)

    def close(self) -> None:
        self.closed += 1
