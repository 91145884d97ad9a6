"""A frame's faces through the neural chain on one thread, with the time of each step."""

from collections.abc import Callable, Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from models.geometry import apply
from models.landmarker import five_points
from models.masks.masker import Masker
from models.masks.view import InFrame
from models.neural.align import align
from models.neural.chain import FaceChain
from models.neural.crop_enhancer import CropEnhancer
from models.neural.cutter import Cutter
from models.neural.face import Crop, GivenFace, MadeFace, follow
from models.neural.source_feed import SourceFeed
from models.neural.swapper import NeuralSwapper
from models.paste_back import PasteBack, aligned_face
from models.scratch import Scratch
from realtime.bench.chain_scene import Scene

__all__ = ["STEPS", "ChainRun"]

STEPS = ("align", "cut out", "swap", "colour", "enhance", "network masks", "outline masks", "paste")
"""In their order; "swap" and "enhance" are a network's preparation and what becomes of its answer."""

_FEED = SourceFeed(MappingProxyType({"embedding": np.full((1, 512), 0.01, np.float32)}))


class ChainRun:
    """As `realtime.swap.neural` does it, but for its threads. Belongs to one thread."""

    def __init__(
        self,
        now_ns: Callable[[], int],
        swapper: NeuralSwapper,
        enhancer: CropEnhancer | None,
        network_masks: Masker | None,
        outline_masks: Masker,
    ) -> None:
        self._now_ns = now_ns
        self._chain = FaceChain(swapper, now_ns, enhancer, network_masks)
        self._outlines = outline_masks
        self._paster = PasteBack()
        self._cutter = Cutter()
        self._scratch = Scratch()
        self._spent: dict[str, int] = {}

    def frame(self, picture: NDArray[np.uint8], scene: Scene, captured_ns: int) -> dict[str, int]:
        """Replace the faces of `scene` in `picture`, a copy of it; nanoseconds of each of STEPS."""
        self._spent = dict.fromkeys(STEPS, 0)
        given = [
            self._given(scene.bgr, points, number, captured_ns)
            for number, points in enumerate(scene.faces, 1)
        ]
        made = self._chain.run(given)
        for stage, step in (
            *((same, same) for same in ("swap", "colour", "enhance")),
            ("mask", "network masks"),
        ):
            self._spent[step] += made.spent_ns.get(stage, 0)
        for face in made.faces:
            self._paste(picture, scene.bgr, face)
        return self._spent

    def close(self) -> None:
        self._chain.close()
        self._outlines.close()

    def finished(self, scene: Scene) -> Sequence[MadeFace]:
        """The faces as they are before they are pasted."""
        return self._chain.run(
            [self._given(scene.bgr, points, number, 0) for number, points in enumerate(scene.faces, 1)]
        ).faces

    def _given(
        self, bgr: NDArray[np.uint8], points: NDArray[np.float32], number: int, captured_ns: int
    ) -> GivenFace:
        began_ns = self._now_ns()
        five = five_points(points)
        squares = {each: align(five, *each) for each in self._chain.templates}
        began_ns = self._lap("align", began_ns)
        cut = self._cutter.cut(bgr, tuple(squares.values()))
        crops = {each: Crop(squares[each], one) for each, one in zip(squares, cut, strict=True)}
        self._lap("cut out", began_ns)
        return GivenFace(number, captured_ns, points, _FEED, crops)

    def _paste(self, picture: NDArray[np.uint8], bgr: NDArray[np.uint8], face: MadeFace) -> None:
        began_ns = self._now_ns()
        given = face.given
        where = follow(face, given.points)
        inside = np.asarray(apply(where.matrix, given.points[:, :2]), np.float32)
        frame = InFrame(bgr, where, given.captured_ns)
        alpha = self._outlines.mask(face.bgr, inside, face.alpha, key=given.id, frame=frame)
        began_ns = self._lap("outline masks", began_ns)
        self._paster.paste(picture, aligned_face(face.bgr, alpha, self._scratch), where)
        self._lap("paste", began_ns)

    def _lap(self, step: str, began_ns: int) -> int:
        now_ns = self._now_ns()
        self._spent[step] = self._spent.get(step, 0) + now_ns - began_ns
        return now_ns
