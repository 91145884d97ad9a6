"""The painter of neural swappers whose pictures stay on the GPU: a frame goes up, comes down with its faces.

A frame that waits for its own faces gets them pasted on the GPU. In all other cases a face is a square as any
other and is put where the face is by the CPU: when it comes late, when it meets another one, when something
was painted before where it lies. What is shown and what is covered is decided as for all neural swappers.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.landmarker import five_points
from models.neural.align import align
from models.neural.face import GivenFace, MadeFace, Template, Uncut
from realtime.clock import Clock
from realtime.frame import Face, Frame
from realtime.swap.base import Times, Wearer
from realtime.swap.neural import Chain, Masks, Networks, NeuralPainter
from realtime.swap.patience import Patience

__all__ = ["DevicePainter", "WholeChain"]


class WholeChain(Chain, Protocol):
    """A chain that is given whole frames: `models.neural.device_faces`."""

    @property
    def template(self) -> Template:
        """The square that its network takes."""
        ...

    def room(self, height: int, width: int) -> NDArray[np.uint8]:
        """(H, W, 3), for the next frame; to be asked for while it runs nothing."""
        ...


class DevicePainter(NeuralPainter):
    """Belongs to one thread. Owns the networks' thread, which is to be started already."""

    def __init__(
        self, networks: Networks, chain: WholeChain, masks: Masks, patience: Patience, clock: Clock
    ) -> None:
        """`chain`: what the networks' thread runs."""
        super().__init__(networks, chain, masks, patience, clock)
        self._whole = chain
        self._asked: tuple[Frame, tuple[GivenFace, ...]] | None = None
        """The job begun last: what an earlier one has pasted was written over by its frame, bare."""

    def paint(self, picture: NDArray[np.uint8], frame: Frame, wearer: Wearer, times: Times) -> bool:
        made = self._made.get(wearer.face.id)
        if made is None or not self._lay(made, picture, frame, wearer.face, times):
            return super().paint(picture, frame, wearer, times)
        return True

    def _lay(
        self, made: MadeFace, picture: NDArray[np.uint8], frame: Frame, face: Face, times: Times
    ) -> bool:
        """Show what the GPU has pasted, if that is this frame; whether it was."""
        pasted = made.pasted
        if pasted is None or self._asked is None:
            return False
        asked_of, asked = self._asked
        if asked_of is not frame or not any(made.given is each for each in asked):
            return False
        if not np.array_equal(made.given.points, face.points):
            return False
        began_ns = self._clock.now_ns()
        height, width = pasted.bgr.shape[:2]
        part = np.s_[pasted.y : pasted.y + height, pasted.x : pasted.x + width]
        # What others were made into or covered with since must not be undone, nor shine through.
        if not np.array_equal(picture[part], frame.bgr[part]):
            return False
        np.copyto(picture[part], pasted.bgr)
        times.lap("compose", began_ns, self._clock)
        return True

    def _job(
        self, frame: Frame, wearers: Sequence[Wearer], times: Times, *, awaited: bool
    ) -> tuple[GivenFace, ...]:
        height, width = frame.bgr.shape[:2]
        # A copy: by the time slow networks look, the frame's memory is another frame's.
        whole = self._whole.room(height, width)
        np.copyto(whole, frame.bgr)
        began_ns = self._clock.now_ns()
        given = tuple(self._uncut(frame, whole, wearer, wearers, awaited) for wearer in wearers)
        if awaited:
            times.lap("mask", began_ns, self._clock)
        self._asked = frame, given
        return given

    def _uncut(
        self,
        frame: Frame,
        whole: NDArray[np.uint8],
        wearer: Wearer,
        wearers: Sequence[Wearer],
        awaited: bool,
    ) -> GivenFace:
        face, template = wearer.face, self._whole.template
        touched = bool(self._touching(face, wearers))
        # Cut without the bare faces of the others, which the whole frame has.
        more = (template,) if touched else ()
        given = self._given(frame, wearer, wearers, (*self._whole.templates, *more))
        where = align(five_points(face.points), *template)
        alpha = None
        if awaited and not touched:
            empty = self._scratch.u8("size", where.size, where.size, 3)
            # A copy: a frame that waits in vain draws the mask again, for another place.
            alpha = self._alpha(frame, face, where, empty).copy()
        return replace(given, uncut=Uncut(whole, where, alpha))
