"""The painter of neural swappers: networks in a thread of their own, their faces put where the faces are now.

A frame waits for its own faces when the networks are quick enough. Otherwise it takes the last that were
made and lays them on its own landmarks: the expression is some frames old, the place never is.
"""

import logging
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.geometry import apply
from models.landmarker import five_points
from models.masks.settings import MaskSettings
from models.masks.view import InFrame
from models.neural.align import Alignment, align
from models.neural.cutter import Cutter
from models.neural.face import Crop, GivenFace, MadeFace, MadeFaces, Template, follow
from models.neural.settings import ChainSettings
from models.paste_back import PasteBack, aligned_face
from models.scratch import Scratch
from realtime.boxes import Box, iou
from realtime.clock import Clock
from realtime.cover import cover, uncover
from realtime.frame import Face, Frame
from realtime.swap.base import Sliders, Times, Wearer
from realtime.swap.heavy import HeavyThread
from realtime.swap.patience import Patience

__all__ = ["Chain", "Masks", "NeuralPainter"]

_log = logging.getLogger(__name__)


class Masks(Protocol):
    """Tells where a face counts, by its landmarks and by what stands before it now: `models.masks.Masker`."""

    def mask(
        self,
        crop: NDArray[np.uint8],
        points: NDArray[np.float32],
        own: NDArray[np.uint8] | None = None,
        *,
        key: int = 0,
        frame: InFrame | None = None,
    ) -> NDArray[np.uint8]: ...

    def adjust(self, settings: MaskSettings) -> None: ...

    def forget(self, key: int) -> None: ...

    def close(self) -> None: ...


class Chain(Protocol):
    """What the networks' thread runs, as far as another thread may look at it: `models.neural.chain`."""

    settings: ChainSettings
    """Read anew for each frame."""

    @property
    def templates(self) -> tuple[Template, ...]:
        """The squares that it is given of each face."""
        ...


Networks = HeavyThread[Sequence[GivenFace], MadeFaces]


class NeuralPainter:
    """Belongs to one thread. Owns the networks' thread, which is to be started already."""

    def __init__(
        self,
        networks: Networks,
        chain: Chain,
        masks: Masks,
        patience: Patience,
        clock: Clock,
    ) -> None:
        """`chain`: what the networks' thread runs."""
        self._networks = networks
        self._chain = chain
        self._masks = masks
        self._patience = patience
        self._clock = clock
        self._paster = PasteBack()
        self._cutter = Cutter()
        self._scratch = Scratch()
        self._made: dict[int, MadeFace] = {}
        self._aside: tuple[Box, ...] = ()
        self._refused = ""

    @property
    def in_step(self) -> bool:
        """Whether frames wait for their own faces."""
        return self._patience.in_step

    def begin(
        self,
        frame: Frame,
        wearers: Sequence[Wearer],
        times: Times,
        *,
        wait: bool = True,
        aside: Sequence[Box] = (),
    ) -> bool:
        self._aside = tuple(aside)
        now_ns = self._clock.now_ns()
        wait_ns = self._patience.wait_ns(frame.seq, frame.captured_ns, now_ns)
        self._collect(0, times)
        began = False
        if wearers and not self._networks.busy:
            given = self._job(frame, wearers, times, awaited=bool(wait and wait_ns))
            began = self._networks.submit(given)
        if began and wait and wait_ns:
            self._collect(self._clock.now_ns() + wait_ns, times)
        self._forget(frame.captured_ns)
        return all(wearer.face.id in self._made for wearer in wearers)

    def paint(self, picture: NDArray[np.uint8], frame: Frame, wearer: Wearer, times: Times) -> bool:
        face = wearer.face
        made = self._made.get(face.id)
        if made is None:
            return False
        began_ns = self._clock.now_ns()
        where = follow(made, face.points)
        alpha = self._alpha(frame, face, where, made.bgr, made.alpha)
        began_ns = times.lap("mask", began_ns, self._clock)
        self._paster.paste(picture, aligned_face(made.bgr, alpha, self._scratch), where)
        times.lap("compose", began_ns, self._clock)
        return True

    def adjust(self, sliders: Sliders) -> None:
        self._patience.late = sliders.late
        self._chain.settings = sliders.chain
        self._masks.adjust(sliders.masks)

    def close(self) -> None:
        self._networks.close()
        self._masks.close()

    def _job(
        self, frame: Frame, wearers: Sequence[Wearer], times: Times, *, awaited: bool
    ) -> tuple[GivenFace, ...]:
        """What the networks are given of a frame; `awaited`: it waits for its faces. They run nothing now."""
        return tuple(self._given(frame, wearer, wearers, self._chain.templates) for wearer in wearers)

    def _given(
        self, frame: Frame, wearer: Wearer, wearers: Sequence[Wearer], templates: Sequence[Template]
    ) -> GivenFace:
        """The squares are cut here: by the time slow networks look, the frame's memory is another frame's."""
        face = wearer.face
        five = five_points(face.points)
        places = [align(five, template, size) for template, size in templates]
        cut = self._cutter.cut(self._alone(frame, face, wearers), places)
        crops = {
            template: Crop(*one)
            for template, one in zip(templates, zip(places, cut, strict=True), strict=True)
        }
        return GivenFace(face.id, frame.captured_ns, face.points, wearer.source, crops)

    def _alpha(
        self,
        frame: Frame,
        face: Face,
        where: Alignment,
        square: NDArray[np.uint8],
        own: NDArray[np.uint8] | None = None,
    ) -> NDArray[np.uint8]:
        """(S, S): where the face counts, valid until asked for again. Of `square` only the size matters."""
        inside = np.asarray(apply(where.matrix, face.points[:, :2]), np.float32)
        seen = InFrame(frame.bgr, where, frame.captured_ns)
        return self._masks.mask(square, inside, own, key=face.id, frame=seen)

    def _alone(self, frame: Frame, face: Face, wearers: Sequence[Wearer]) -> NDArray[np.uint8]:
        """The frame without the bare faces of others that touch this one: they would be pasted with it."""
        others = self._touching(face, wearers)
        if not others:
            return frame.bgr
        picture = self._scratch.u8("alone", *frame.bgr.shape)
        np.copyto(picture, frame.bgr)
        for box in others:
            cover(picture, box, margin=0.0)
        uncover(picture, frame.bgr, face.points)
        return picture

    def _touching(self, face: Face, wearers: Sequence[Wearer]) -> list[Box]:
        """Where bare faces of others lie that reach into this one's."""
        boxes = [other.face.box for other in wearers if other.face.id != face.id]
        return [box for box in (*boxes, *self._aside) if iou(box, face.box) > 0]

    def _collect(self, deadline_ns: int, times: Times) -> None:
        ended = self._networks.collect(deadline_ns)
        if ended is None:
            return
        self._patience.took(ended.took_ns)
        for made in ended.value.faces:
            if made.error is None:
                self._made[made.given.id] = made
            else:  # what was made before is shown until it is too old, as a picture is held
                self._tell(made.error.message)
        for stage, spent_ns in ended.value.spent_ns.items():
            times.add(stage, spent_ns)

    def _forget(self, captured_ns: int) -> None:
        """A face that is too old is shown no more; its track may have ended, too."""
        oldest_ns = captured_ns - self._patience.shown_ns()
        for key in [key for key, made in self._made.items() if made.given.captured_ns < oldest_ns]:
            del self._made[key]
            self._masks.forget(key)

    def _tell(self, message: str) -> None:
        """Once, not in every frame."""
        if message != self._refused:
            self._refused = message
            _log.warning("a face is covered: %s", message)
