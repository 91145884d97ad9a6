"""The tracked faces of one frame, each made into what the casting says: painted, hidden, covered or left."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from models.hidden import FaceHider, HiddenFace
from realtime.boxes import Box
from realtime.casting.parts import COVERED, Hide, Leave, Part, Wear
from realtime.clock import Clock
from realtime.compose import Paster
from realtime.cover import cover
from realtime.frame import Face, Frame
from realtime.swap.base import Painter, Sliders, Source, Times, Wearer

__all__ = ["Replacement"]

_HIDDEN = {manner: HiddenFace(manner, manner) for manner in ("blur", "pixel")}


class Replacement:
    """Belongs to one thread."""

    def __init__(self, painter: Painter, worn: tuple[Source, ...], clock: Clock) -> None:
        """`worn`: the faces to put on, in the order that `Wear.index` counts."""
        self._painter = painter
        self._hider = FaceHider()
        self._paster = Paster()
        self._worn = worn
        self._clock = clock

    def wear(self, worn: tuple[Source, ...]) -> None:
        """Put on other faces from the next frame on, of the kind that the painter draws."""
        self._worn = worn

    def adjust(self, sliders: Sliders) -> None:
        """Paint otherwise from the next frame on."""
        self._painter.adjust(sliders)

    def begin(
        self,
        frame: Frame,
        faces: Sequence[Face],
        parts: Mapping[int, Part],
        times: Times,
        *,
        wait: bool = True,
        strangers: Sequence[Box] = (),
    ) -> bool:
        """Look at a frame, once, before its faces are replaced; whether each of them could be replaced now.

        `parts`: id of a face -> what becomes of it; `strangers`: where others are that are to be covered,
        pixels of the frame. Raises BackendError.
        """
        wearers, aside = [], list(strangers)
        for face in faces:
            part = parts.get(face.id, COVERED)
            source = self._source(part)
            if source is not None and not isinstance(source, HiddenFace):
                wearers.append(Wearer(face, source))
            elif not isinstance(part, Leave):
                aside.append(face.box)
        return self._painter.begin(frame, wearers, times, wait=wait, aside=aside)

    def replace(self, picture: NDArray[np.uint8], frame: Frame, face: Face, part: Part, times: Times) -> bool:
        """Make the face in `picture`, (H, W, 3) uint8, what its part says, in place.

        False, and nothing is painted, when there is no replacement to show: the face is to be covered.
        A hidden face is hidden whatever stands before it. Raises BackendError.
        """
        if isinstance(part, Leave):
            return True
        if isinstance(part, Hide) and part.manner == "cover":
            cover(picture, face.box)
            return True
        source = self._source(part)
        if not isinstance(source, HiddenFace):
            return self._painter.paint(picture, frame, Wearer(face, source), times)
        began_ns = self._clock.now_ns()
        patch = self._hider.hide(picture, face.points, source)
        began_ns = times.lap("swap", began_ns, self._clock)
        self._paster.paste(picture, patch)
        times.lap("compose", began_ns, self._clock)
        return True

    def close(self) -> None:
        """Free the inference contexts. Idempotent, never raises."""
        self._painter.close()

    def _source(self, part: Part) -> Source | None:
        """What the face of a part is drawn from; None for one that is drawn from nothing."""
        if isinstance(part, Wear):
            return self._worn[part.index % len(self._worn)]
        return _HIDDEN.get(part.manner) if isinstance(part, Hide) else None
