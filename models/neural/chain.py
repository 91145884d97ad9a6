"""All networks that a face goes through, and what lies between them: swap, enhance, colours, masks.

    given face -> swapped -> enhanced -> in the wearer's light -> alpha, as far as networks can tell it

The enhancer's square may lie otherwise than the swapper's: then the swapped face is laid into the enhancer's
view of the frame first, and the face that comes out lies in the enhancer's square.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import cv2
import numpy as np
from numpy.typing import NDArray

from models.colour_match import LOOK_PX, ColourMatch
from models.errors import RealtimeError, SwapError
from models.geometry import apply
from models.masks.box import box_mask
from models.masks.enough import require_shown
from models.masks.masker import Masker
from models.masks.view import InFrame
from models.neural.align import Alignment, between
from models.neural.crop_enhancer import CropEnhancer, shown_px
from models.neural.face import Crop, GivenFace, MadeFace, MadeFaces, Template
from models.neural.settings import ChainSettings
from models.neural.source_feed import SourceFeed
from models.neural.swapper import NeuralSwapper
from models.neural.wearer_feed import LOOK_AGAIN_NS, WEARER, WearerFeeds, WearerLook
from models.scratch import Scratch
from models.skin_weight import skin_weight

__all__ = ["HEAD", "LOOK_AGAIN_NS", "WEARER", "FaceChain", "WearerLook"]

SEAM_BLUR = 0.1
"""Of the rim by which a swapped face is laid into the enhancer's square: see `box_mask`."""
FACES_KEPT = 32
HEAD: Template = ("ffhq_512", 512)
"""What masks see that look round the face."""

Picture = NDArray[np.uint8]


@dataclass(slots=True)
class _Kept:
    """Of one track."""

    added: NDArray[np.int16] | None = None
    """(S, S, 3): what the enhancer last made more or less of each value."""
    runs: int = 0


@dataclass(slots=True)
class _Face:
    """A face on its way."""

    given: GivenFace
    bgr: Picture
    where: Alignment
    own: Picture | None
    error: RealtimeError | None = None


@dataclass(slots=True)
class _Spent:
    now_ns: Callable[[], int]
    by_stage: dict[str, int] = field(default_factory=dict)

    def lap(self, stage: str, began_ns: int) -> int:
        now_ns = self.now_ns()
        self.by_stage[stage] = self.by_stage.get(stage, 0) + now_ns - began_ns
        return now_ns


class FaceChain:
    """Belongs to one thread; `settings` alone may be set by another one."""

    def __init__(
        self,
        swapper: NeuralSwapper,
        now_ns: Callable[[], int],
        enhancer: CropEnhancer | None = None,
        masks: Masker | None = None,
        wearer: WearerLook | None = None,
        settings: ChainSettings | None = None,
        *,
        own: bool = True,
    ) -> None:
        """`masks`: those of networks, in the last square; `wearer`: needed for a fidelity other than 0.5;
        `own`: whether what the swapper says itself counts."""
        self.settings = settings or ChainSettings()
        self._own = own
        self._swapper = swapper
        self._enhancer = enhancer
        self._masks = masks
        self._feeds = WearerFeeds(wearer)
        self._now_ns = now_ns
        self._colours = ColourMatch()
        self._scratch = Scratch()
        self._kept: dict[int, _Kept] = {}
        self._seams: dict[int, Picture] = {}

    @property
    def templates(self) -> tuple[Template, ...]:
        """The squares that each given face is to bring."""
        wanted: dict[Template, None] = {self._swap_template: None}
        if self._enhancer is not None and self._enhancer.template != self._swapper.template:
            wanted[(self._enhancer.template, self._enhancer.size)] = None
        if self._masks is not None:
            wanted[HEAD] = None
        wanted.update(dict.fromkeys(self._feeds.templates))
        return tuple(wanted)

    def run(self, job: Sequence[GivenFace]) -> MadeFaces:
        """The faces of one frame. A face that no network could make has an error, the others are made.

        Raises BackendError when a backend fails.
        """
        settings, spent = self.settings, _Spent(self._now_ns)
        began_ns = self._now_ns()
        faces = self._swap(job, settings)
        good = [face for face in faces if face.error is None]
        began_ns = spent.lap("swap", began_ns)
        if self._enhancer is not None and good:
            self._enhance(self._enhancer, good, settings)
            began_ns = spent.lap("enhance", began_ns)
        # Last, for enhancers change the tone, too.
        self._colours.strength = settings.colour
        for face in good:
            self._match(face)
        if good and settings.colour:
            began_ns = spent.lap("colour", began_ns)
        made = tuple(self._made(face) for face in faces)
        if self._masks is not None and good:
            spent.lap("mask", began_ns)
        self._forget({given.id for given in job})
        return MadeFaces(made, MappingProxyType(spent.by_stage))

    def close(self) -> None:
        """Free the networks. Idempotent, never raises."""
        for part in (self._swapper, self._enhancer, self._masks, self._feeds):
            if part is not None:
                part.close()

    @property
    def _swap_template(self) -> Template:
        return self._swapper.template, self._swapper.size

    def _swap(self, job: Sequence[GivenFace], settings: ChainSettings) -> list[_Face]:
        faces = []
        for given in job:
            crop = given.crops[self._swap_template]
            faces.append(_Face(given, crop.bgr, crop.where, None))
        feeds: list[SourceFeed] = []
        for face in faces:
            try:
                feeds.append(self._feeds.feed(face.given, settings))
            except SwapError as error:
                feeds.append(face.given.feed)
                face.error = error
        self._swap_those(
            [(face, feed) for face, feed in zip(faces, feeds, strict=True) if face.error is None]
        )
        return faces

    def _swap_those(self, wanted: list[tuple[_Face, SourceFeed]]) -> None:
        """Swap all at once; where that fails for some, those are left and the others swapped without them."""
        while wanted:
            size = self._swapper.size
            crops = self._scratch.u8("crops", len(wanted), size, size, 3)
            for at, (face, _) in enumerate(wanted):
                crops[at] = face.given.crops[self._swap_template].bgr
            try:
                swapped = self._swapper.swap(crops, [feed for _, feed in wanted])
            except SwapError as error:
                failed = set(error.faces) or set(range(len(wanted)))
                for at in failed:
                    wanted[at][0].error = error
                wanted = [one for at, one in enumerate(wanted) if at not in failed]
                continue
            for at, (face, _) in enumerate(wanted):
                # A copy: the face is shown while the next one is made.
                face.bgr = swapped.bgr[at].copy()
                if self._own and swapped.mask is not None:
                    face.own = swapped.mask[at].copy()
            return

    def _match(self, face: _Face) -> None:
        given = face.given

        def seen() -> tuple[Picture, Picture]:
            return self._target(face), skin_weight(given.points, face.where, LOOK_PX)

        self._colours.match(face.bgr, seen, given.id, given.captured_ns)

    def _enhance(self, enhancer: CropEnhancer, faces: list[_Face], settings: ChainSettings) -> None:
        if enhancer.strength != settings.blend:
            enhancer.strength = settings.blend
        if getattr(enhancer, "weight", settings.weight) != settings.weight:
            enhancer.weight = settings.weight  # type: ignore[attr-defined]
        for face in faces:
            self._into_square(face, enhancer)
        due = []
        for face in faces:
            kept = self._kept.setdefault(face.given.id, _Kept())
            same = kept.added is not None and kept.added.shape == face.bgr.shape
            if not same or kept.runs % settings.enhance_every == 0:
                due.append(face)
            else:
                assert kept.added is not None
                cv2.add(face.bgr, kept.added, dst=face.bgr, dtype=cv2.CV_8U)
            kept.runs += 1
        if due:
            self._enhance_now(enhancer, due, keep=settings.enhance_every > 1)

    def _enhance_now(self, enhancer: CropEnhancer, faces: list[_Face], keep: bool) -> None:
        size = faces[0].where.size
        crops = self._scratch.u8("to enhance", len(faces), size, size, 3)
        for at, face in enumerate(faces):
            crops[at] = face.bgr
        try:
            enhanced = enhancer.enhance(crops, max(shown_px(face.where) for face in faces))
        except SwapError as error:
            for at in error.faces or range(len(faces)):
                faces[at].error = error
            return
        for face, result in zip(faces, enhanced, strict=True):
            if keep:
                self._kept[face.given.id].added = np.asarray(
                    cv2.subtract(result, face.bgr, dtype=cv2.CV_16S), np.int16
                )
            np.copyto(face.bgr, result)

    def _into_square(self, face: _Face, enhancer: CropEnhancer) -> None:
        """The face, and what the swapper says of it, in the square of the enhancer.

        Beyond the swapper's square the enhancer sees the wearer. The line between them does not matter: well
        within it the face ceases to count.
        """
        size = enhancer.size
        if enhancer.template == self._swapper.template:
            if size != face.where.size:
                way = cv2.INTER_CUBIC if size > face.where.size else cv2.INTER_AREA
                face.bgr = np.asarray(cv2.resize(face.bgr, (size, size), interpolation=way), np.uint8)
                face.where = face.where.resized(size)
            return
        view = face.given.crops[(enhancer.template, size)]
        there = between(view.where, face.where)
        side = face.where.size
        counts = self._seam(side) if face.own is None else cv2.min(self._seam(side), face.own)
        # Four channels: OpenCV warps them in half the time of three, and what counts comes along, turned
        # round: 255, which the conversion sets, is what does not count.
        given = self._scratch.u8("swapped", side, side, 4)
        cv2.cvtColor(face.bgr, cv2.COLOR_BGR2BGRA, dst=given)
        cv2.insertChannel(cv2.bitwise_not(counts), given, 3)
        onto = self._scratch.u8("onto", size, size, 4)
        cv2.cvtColor(view.bgr, cv2.COLOR_BGR2BGRA, dst=onto)
        cv2.warpAffine(
            given,
            there,
            (size, size),
            dst=onto,
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_TRANSPARENT,
        )
        face.bgr = np.asarray(cv2.cvtColor(onto, cv2.COLOR_BGRA2BGR), np.uint8)
        face.own = np.asarray(cv2.bitwise_not(cv2.extractChannel(onto, 3)), np.uint8)
        face.where = view.where

    def _made(self, face: _Face) -> MadeFace:
        size = face.where.size
        alpha = None
        if face.error is None:
            try:
                alpha = self._alpha(face)
                if face.own is not None or self._masks is not None:
                    require_shown(alpha, self._inside(face))
            except SwapError as error:
                face.error = error
        if alpha is None:
            alpha = np.zeros((size, size), np.uint8)
        return MadeFace(face.given, face.where, face.bgr, alpha, face.error)

    def _alpha(self, face: _Face) -> Picture:
        """(S, S): where the face counts, as far as networks can tell. An array of its own."""
        size = face.where.size
        own = None if face.own is None else self._sized(face.own, size)
        if self._masks is None:
            return np.full((size, size), 255, np.uint8) if own is None else own
        head = face.given.crops[HEAD]
        alpha = self._masks.mask(
            self._target(face),
            self._inside(face),
            own,
            key=face.given.id,
            frame=InFrame(head.bgr, Alignment(between(head.where, face.where), size), face.given.captured_ns),
        )
        return alpha.copy()

    def _target(self, face: _Face) -> Picture:
        """The wearer's own face in the square that the new one lies in."""
        for crop in face.given.crops.values():
            if crop.where.matrix is face.where.matrix:
                return crop.bgr
        swapper: Crop = face.given.crops[self._swap_template]
        size = face.where.size
        return np.asarray(cv2.resize(swapper.bgr, (size, size), interpolation=cv2.INTER_LINEAR), np.uint8)

    def _seam(self, size: int) -> Picture:
        if size not in self._seams:
            self._seams[size] = box_mask(size, SEAM_BLUR, (0, 0, 0, 0))
        return self._seams[size]

    @staticmethod
    def _inside(face: _Face) -> NDArray[np.float32]:
        """(468, 2): the landmarks, in the square that the face lies in."""
        return np.asarray(apply(face.where.matrix, face.given.points[:, :2]), np.float32)

    @staticmethod
    def _sized(mask: Picture, size: int) -> Picture:
        if mask.shape[0] == size:
            return mask
        return np.asarray(cv2.resize(mask, (size, size), interpolation=cv2.INTER_LINEAR), np.uint8)

    def _forget(self, present: set[int]) -> None:
        """Tracks that have ended, the oldest first, once there are many."""
        gone = [key for key in self._kept if key not in present]
        for key in gone[: max(0, len(self._kept) - FACES_KEPT)]:
            del self._kept[key]
