"""One tracked face of one frame replaced: drawn or hidden, what stands before it kept, pasted."""

from dataclasses import dataclass, field
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from models.enhancer import Enhancer
from models.hidden import FaceHider, HiddenFace, WornFace
from models.occlusion import VisibleFace
from models.patch import Patch
from models.source_face import SourceFace
from realtime.clock import Clock
from realtime.compose import Paster
from realtime.frame import Face, Frame

__all__ = ["Occlusion", "Replacement", "Swapper", "Times"]


class Swapper(Protocol):
    """Draws one face's replacement."""

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


@dataclass(slots=True)
class Times:
    """Nanoseconds that the faces of one frame took, by stage."""

    spent_ns: dict[str, int] = field(default_factory=dict)

    def add(self, stage: str, duration_ns: int) -> None:
        self.spent_ns[stage] = self.spent_ns.get(stage, 0) + duration_ns


class Replacement:
    """Belongs to one thread."""

    def __init__(
        self,
        swapper: Swapper,
        worn: tuple[WornFace, ...],
        clock: Clock,
        occlusion: Occlusion | None = None,
        enhancer: Enhancer | None = None,
    ) -> None:
        """`worn`: faces to put on, given to tracked faces by their ids, in turn."""
        self._swapper = swapper
        self._hider = FaceHider()
        self._paster = Paster()
        self._worn = worn
        self._clock = clock
        self._occlusion = occlusion
        self._enhancer = enhancer

    def replace(
        self, picture: NDArray[np.uint8], frame: Frame, face: Face, times: Times, sparing: bool = False
    ) -> None:
        """Paint the face's replacement over `picture`, (H, W, 3) uint8, in place. Raises BackendError.

        It is made of the picture so far: a patch carries some of what is round the face, and that is not to
        be somebody's bare one. A hidden face is hidden whatever stands before it. `sparing`: what stands
        before the face is looked at in every second frame only.
        """
        worn = self._worn[(face.id - 1) % len(self._worn)]
        began_ns = self._clock.now_ns()
        if isinstance(worn, HiddenFace):
            patch = self._hider.hide(picture, face.points, worn)
            began_ns = self._lap(times, "swap", began_ns)
        else:
            patch = self._swapper.swap(picture, face.points, worn, face.id)
            began_ns = self._lap(times, "swap", began_ns)
            if self._enhancer is not None:
                self._enhancer.enhance(patch)
                began_ns = self._lap(times, "enhance", began_ns)
            if self._occlusion is not None and patch.alpha.size:
                visible = self._look(self._occlusion, frame, face, sparing)
                began_ns = self._lap(times, "mask", began_ns)
                height, width = patch.alpha.shape
                seen = self._occlusion.onto(visible, patch.x, patch.y, width, height)
                cv2.min(patch.alpha, seen, dst=patch.alpha)
        self._paster.paste(picture, patch)
        self._lap(times, "compose", began_ns)

    @staticmethod
    def _look(occlusion: Occlusion, frame: Frame, face: Face, sparing: bool) -> VisibleFace:
        if sparing and (frame.seq + face.id) % 2:
            before = occlusion.again(face.points, face.id, frame.captured_ns)
            if before is not None:
                return before
        return occlusion.visible(frame.bgr, face.points, face.id, frame.captured_ns)

    def close(self) -> None:
        """Free the inference contexts. Idempotent, never raises."""
        if self._occlusion is not None:
            self._occlusion.close()
        if self._enhancer is not None:
            self._enhancer.close()

    def _lap(self, times: Times, stage: str, began_ns: int) -> int:
        now_ns = self._clock.now_ns()
        times.add(stage, now_ns - began_ns)
        return now_ns
