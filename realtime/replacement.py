"""One tracked face of one frame replaced: drawn or hidden, what stands before it kept, pasted."""

from collections.abc import Sequence
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from models.hidden import FaceHider, HiddenFace
from models.occlusion import VisibleFace
from realtime.clock import Clock
from realtime.compose import Paster
from realtime.frame import Face, Frame
from realtime.swap.base import Painter, Source, Times, Wearer

__all__ = ["Occlusion", "Replacement"]


class Occlusion(Protocol):
    """Tells what stands before a face: `models.occlusion.FaceOcclusion`."""

    def visible(
        self, bgr: NDArray[np.uint8], points: NDArray[np.float32], track_id: int, captured_ns: int
    ) -> VisibleFace: ...

    def again(self, points: NDArray[np.float32], track_id: int, captured_ns: int) -> VisibleFace | None: ...

    def onto(self, visible: VisibleFace, x: int, y: int, width: int, height: int) -> NDArray[np.uint8]: ...

    def close(self) -> None: ...


class Replacement:
    """Belongs to one thread."""

    def __init__(
        self, painter: Painter, worn: tuple[Source, ...], clock: Clock, occlusion: Occlusion | None = None
    ) -> None:
        """`worn`: faces to put on, given to tracked faces by their ids, in turn."""
        self._painter = painter
        self._hider = FaceHider()
        self._paster = Paster()
        self._worn = worn
        self._clock = clock
        self._occlusion = occlusion

    def wear(self, worn: tuple[Source, ...]) -> None:
        """Put on other faces from the next frame on, of the kind that the painter draws."""
        self._worn = worn

    def begin(self, frame: Frame, faces: Sequence[Face], times: Times, *, wait: bool = True) -> None:
        """Look at a frame, once, before its faces are replaced. Raises BackendError."""
        self._painter.begin(frame, self._wearers(faces), times, wait=wait)

    def ready(self, faces: Sequence[Face]) -> bool:
        """Whether each of them could be replaced now."""
        return self._painter.ready(self._wearers(faces))

    def replace(
        self, picture: NDArray[np.uint8], frame: Frame, face: Face, times: Times, sparing: bool = False
    ) -> bool:
        """Paint the face's replacement over `picture`, (H, W, 3) uint8, in place.

        False, and nothing is painted, when there is no replacement to show: the face is to be covered.
        A hidden face is hidden whatever stands before it. `sparing`: what stands before the face is looked
        at in every second frame only. Raises BackendError.
        """
        worn = self._of(face)
        if isinstance(worn, HiddenFace):
            began_ns = self._clock.now_ns()
            patch = self._hider.hide(picture, face.points, worn)
            self._lap(times, "swap", began_ns)
        else:
            drawn = self._painter.paint(picture, frame, Wearer(face, worn), times)
            if drawn is None:
                return False
            patch = drawn
            if self._occlusion is not None and patch.alpha.size:
                began_ns = self._clock.now_ns()
                visible = self._look(self._occlusion, frame, face, sparing)
                self._lap(times, "mask", began_ns)
                height, width = patch.alpha.shape
                seen = self._occlusion.onto(visible, patch.x, patch.y, width, height)
                cv2.min(patch.alpha, seen, dst=patch.alpha)
        began_ns = self._clock.now_ns()
        self._paster.paste(picture, patch)
        self._lap(times, "compose", began_ns)
        return True

    def close(self) -> None:
        """Free the inference contexts. Idempotent, never raises."""
        self._painter.close()
        if self._occlusion is not None:
            self._occlusion.close()

    def _of(self, face: Face) -> Source:
        return self._worn[(face.id - 1) % len(self._worn)]

    def _wearers(self, faces: Sequence[Face]) -> list[Wearer]:
        worn = [(face, self._of(face)) for face in faces]
        return [Wearer(face, source) for face, source in worn if not isinstance(source, HiddenFace)]

    @staticmethod
    def _look(occlusion: Occlusion, frame: Frame, face: Face, sparing: bool) -> VisibleFace:
        if sparing and (frame.seq + face.id) % 2:
            before = occlusion.again(face.points, face.id, frame.captured_ns)
            if before is not None:
                return before
        return occlusion.visible(frame.bgr, face.points, face.id, frame.captured_ns)

    def _lap(self, times: Times, stage: str, began_ns: int) -> None:
        times.add(stage, self._clock.now_ns() - began_ns)
