"""All masks of one swapped face, in the square of its crop, and their minimum.

What depends on the landmarks alone is drawn anew when they moved within the crop: a head that moves in the
frame stands still in its crop.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from models.errors import SettingError
from models.masks.box import box_mask
from models.masks.edges import FINEST_PX, Mask, eye_distance, to_size
from models.masks.hull import draw_hull, outline
from models.masks.mouth import draw_mouth
from models.masks.network import CropMask
from models.masks.settings import BOX, BUILT_IN, HULL, OWN, MaskSettings
from models.masks.view import InFrame, View
from models.scratch import Scratch

__all__ = ["Masker"]

STILL_SHARE = 1 / 1000
"""Landmarks that moved less, in sides of the crop, have not moved: a quarter of a pixel of 256."""
FACES_KEPT = 16
_LEAST_UNIT = 1 / 64
"""Eyes nearer to each other, in sides of the crop, are no face that could be outlined."""


@dataclass(slots=True)
class _Face:
    """What is kept of one face, in its crop."""

    size: int
    alpha: Mask
    """(S, S): the answer; the caller holds it until the next call."""
    still: Mask
    """(S, S): the least of what depends on the landmarks alone."""
    points: NDArray[np.float32] | None = None
    """The landmarks that `still` was drawn of; None: no face to outline."""
    drawn: bool = False
    looked: dict[str, Mask] = field(default_factory=dict)
    calls: int = 0


class Masker:
    """Belongs to one thread. Its answers are its own arrays, one a face."""

    def __init__(self, settings: MaskSettings, networks: Mapping[str, CropMask]) -> None:
        """`networks`: BUILT_IN and the masks of the catalogue that `settings` names, opened."""
        self._settings = settings
        self._networks = dict(networks)
        self._boxes: dict[int, Mask] = {}
        self._faces: dict[int, _Face] = {}
        self._scratch = Scratch()

    @property
    def settings(self) -> MaskSettings:
        """Those in force."""
        return self._settings

    def mask(
        self,
        crop: NDArray[np.uint8],
        points: NDArray[np.float32],
        own: Mask | None = None,
        *,
        key: int = 0,
        frame: InFrame | None = None,
    ) -> Mask:
        """(S, S) uint8: 255 where the new face counts, 0 where the frame stays; valid until this key's next.

        `crop`: (S, S, 3) uint8 BGR; with a `frame`, which is what masks then look at, only its size matters,
        and without one it is the wearer's face, bare; `points`: (468, 2) the landmarks in pixels of the crop;
        `own`: (S, S) or any other square, the swapper's own mask; `key`: whose face it is, from frame to
        frame. Landmarks that are no numbers, or no face, leave the box alone: it covers more than any
        outline. Raises BackendError when a network fails.
        """
        size = crop.shape[0]
        face = self._face(key, size)
        unit = eye_distance(points) if bool(np.isfinite(points).all()) else 0.0
        view = None
        if unit >= _LEAST_UNIT * size:
            view = View(
                crop, np.ascontiguousarray(points[:, :2], np.float32), unit, self._settings.edge, key, frame
            )
        self._draw_still(face, view)
        np.copyto(face.alpha, face.still)
        if view is not None:
            for name, network in self._networks.items():
                if name not in self._settings.masks:
                    continue
                cv2.min(face.alpha, self._looked(face, name, network, view), dst=face.alpha)
            face.calls += 1
        if own is not None and OWN in self._settings.masks:
            cv2.min(face.alpha, to_size(own, size, self._scratch.u8("own", size, size)), dst=face.alpha)
        return face.alpha

    def adjust(self, settings: MaskSettings) -> None:
        """Other edges, paddings and so on from the next mask on.

        Raises SettingError, and goes on as before, when they need networks that are not open.
        """
        if settings == self._settings:
            return
        needed = {name for name in settings.masks if name not in (BOX, HULL, OWN)}
        if not needed <= set(self._networks) or settings.regions != self._settings.regions:
            raise SettingError(
                "the networks of these masks are not open", "choose the masks before the faces are put on"
            )
        self._settings = settings
        self._boxes.clear()
        for face in self._faces.values():
            face.drawn = False

    def forget(self, key: int) -> None:
        """The track has ended. An unknown one is no error."""
        self._faces.pop(key, None)

    def close(self) -> None:
        """Free the networks. Idempotent, never raises."""
        self._faces.clear()
        for network in self._networks.values():
            network.close()

    def _face(self, key: int, size: int) -> _Face:
        face = self._faces.pop(key, None)
        if face is None or face.size != size:
            face = _Face(size, np.empty((size, size), np.uint8), np.empty((size, size), np.uint8))
        while len(self._faces) >= FACES_KEPT:
            del self._faces[next(iter(self._faces))]
        self._faces[key] = face
        return face

    def _draw_still(self, face: _Face, view: View | None) -> None:
        points = None if view is None else view.points
        if face.drawn and _stands_still(face.points, points, face.size):
            return
        np.copyto(face.still, self._box(face.size))
        if view is not None:
            settings = self._settings
            drawn_px = min(face.size, FINEST_PX)
            factor = drawn_px / face.size
            inside = (view.points + 0.5) * np.float32(factor) - np.float32(0.5)
            unit = view.unit * factor
            small = self._scratch.u8("small", drawn_px, drawn_px)
            whole = self._scratch.u8("whole", face.size, face.size)
            if HULL in settings.masks:
                hull = outline(inside, settings.forehead, unit)
                draw_hull(hull, settings.edge * unit, small, self._scratch)
                cv2.min(face.still, to_size(small, face.size, whole), dst=face.still)
            if settings.keep_mouth and draw_mouth(inside, unit, settings.edge * unit, small, self._scratch):
                cv2.min(face.still, to_size(small, face.size, whole), dst=face.still)
        face.points = None if points is None else points.copy()
        face.drawn = True

    def _looked(self, face: _Face, name: str, network: CropMask, view: View) -> Mask:
        kept = face.looked.get(name)
        # The program's own network is quick, and smooths what it sees in time.
        turn = name == BUILT_IN or (face.calls + view.key) % self._settings.every == 0
        if kept is None or turn:
            kept = face.looked.setdefault(name, np.empty((face.size, face.size), np.uint8))
            try:
                network.look(view, kept)
            except BaseException:
                del face.looked[name]
                raise
        return kept

    def _box(self, size: int) -> Mask:
        held = self._boxes.get(size)
        if held is None:
            held = self._boxes[size] = box_mask(size, self._settings.blur, self._settings.padding)
        return held


def _stands_still(before: NDArray[np.float32] | None, now: NDArray[np.float32] | None, size: int) -> bool:
    if before is None or now is None:
        return before is now
    return float(np.abs(before - now).max()) < STILL_SHARE * size
