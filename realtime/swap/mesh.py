"""The painter of the mesh swapper: drawn at once, in the thread that asks."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.enhancer import Enhancer
from models.patch import Patch
from models.source_face import SourceFace
from realtime.clock import Clock
from realtime.frame import Frame
from realtime.swap.base import Times, Wearer

__all__ = ["MeshPainter", "Swapper"]


class Swapper(Protocol):
    """Draws one face's replacement: `models.mesh.MeshSwapper`."""

    def swap(
        self, bgr: NDArray[np.uint8], points: NDArray[np.float32], source: SourceFace, track_id: int = 0
    ) -> Patch:
        """`bgr`: (H, W, 3), read only; `points`: (468, 3), pixels of the frame."""
        ...


class MeshPainter:
    """Draws each face anew in each frame. Belongs to one thread."""

    def __init__(self, swapper: Swapper, clock: Clock, enhancer: Enhancer | None = None) -> None:
        self._swapper = swapper
        self._clock = clock
        self._enhancer = enhancer

    def begin(self, frame: Frame, wearers: Sequence[Wearer], times: Times, *, wait: bool = True) -> None:
        """Nothing: a face is drawn when it is asked for."""

    def ready(self, wearers: Sequence[Wearer]) -> bool:
        return True

    def paint(self, picture: NDArray[np.uint8], frame: Frame, wearer: Wearer, times: Times) -> Patch | None:
        """Made of the picture so far: a patch carries some of what is round the face, and that is not to be
        somebody's bare one.
        """
        began_ns = self._clock.now_ns()
        patch = self._swapper.swap(picture, wearer.face.points, wearer.source, wearer.face.id)
        began_ns = self._lap(times, "swap", began_ns)
        if self._enhancer is not None:
            self._enhancer.enhance(patch)
            self._lap(times, "enhance", began_ns)
        return patch

    def close(self) -> None:
        if self._enhancer is not None:
            self._enhancer.close()

    def _lap(self, times: Times, stage: str, began_ns: int) -> int:
        now_ns = self._clock.now_ns()
        times.add(stage, now_ns - began_ns)
        return now_ns
