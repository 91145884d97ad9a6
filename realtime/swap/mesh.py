"""The painter of the mesh swapper: drawn at once, in the thread that asks."""

from collections.abc import Sequence
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from models.enhancer import Enhancer
from models.occlusion import VisibleFace
from models.patch import Patch
from models.source_face import SourceFace
from realtime.boxes import Box
from realtime.clock import Clock
from realtime.compose import Paster
from realtime.frame import Face, Frame
from realtime.swap.base import Sliders, Times, Wearer

__all__ = ["MeshPainter", "Occlusion", "Swapper"]

MANY_FACES = 3
"""From so many on, what stands before each is looked at in every second frame only."""


class Swapper(Protocol):
    """Draws one face's replacement: `models.mesh.MeshSwapper`."""

    def swap(
        self, bgr: NDArray[np.uint8], points: NDArray[np.float32], source: SourceFace, track_id: int = 0
    ) -> Patch:
        """`bgr`: (H, W, 3), read only; `points`: (468, 3), pixels of the frame."""
        ...


class Occlusion(Protocol):
    """Tells what stands before a face: `models.occlusion.FaceOcclusion`."""

    def visible(
        self, bgr: NDArray[np.uint8], points: NDArray[np.float32], track_id: int, captured_ns: int
    ) -> VisibleFace: ...

    def again(self, points: NDArray[np.float32], track_id: int, captured_ns: int) -> VisibleFace | None: ...

    def onto(self, visible: VisibleFace, x: int, y: int, width: int, height: int) -> NDArray[np.uint8]: ...

    def close(self) -> None: ...


class MeshPainter:
    """Draws each face anew in each frame. Belongs to one thread."""

    def __init__(
        self,
        swapper: Swapper,
        clock: Clock,
        occlusion: Occlusion | None = None,
        enhancer: Enhancer | None = None,
    ) -> None:
        self._swapper = swapper
        self._clock = clock
        self._occlusion = occlusion
        self._enhancer = enhancer
        self._paster = Paster()
        self._sparing = False

    def begin(
        self,
        frame: Frame,
        wearers: Sequence[Wearer],
        times: Times,
        *,
        wait: bool = True,
        aside: Sequence[Box] = (),
    ) -> bool:
        self._sparing = len(wearers) >= MANY_FACES
        return True

    def paint(self, picture: NDArray[np.uint8], frame: Frame, wearer: Wearer, times: Times) -> bool:
        face, clock = wearer.face, self._clock
        began_ns = clock.now_ns()
        patch = self._swapper.swap(picture, face.points, wearer.source, face.id)
        began_ns = times.lap("swap", began_ns, clock)
        if self._enhancer is not None:
            self._enhancer.enhance(patch, face.points, picture)
            began_ns = times.lap("enhance", began_ns, clock)
        if self._occlusion is not None and patch.alpha.size:
            visible = self._look(self._occlusion, frame, face)
            began_ns = times.lap("mask", began_ns, clock)
            height, width = patch.alpha.shape
            seen = self._occlusion.onto(visible, patch.x, patch.y, width, height)
            cv2.min(patch.alpha, seen, dst=patch.alpha)
        self._paster.paste(picture, patch)
        times.lap("compose", began_ns, clock)
        return True

    def adjust(self, sliders: Sliders) -> None:
        """Nothing: what a mesh is drawn by is its own."""

    def close(self) -> None:
        for part in (self._enhancer, self._occlusion):
            if part is not None:
                part.close()

    def _look(self, occlusion: Occlusion, frame: Frame, face: Face) -> VisibleFace:
        if self._sparing and (frame.seq + face.id) % 2:
            before = occlusion.again(face.points, face.id, frame.captured_ns)
            if before is not None:
                return before
        return occlusion.visible(frame.bgr, face.points, face.id, frame.captured_ns)
