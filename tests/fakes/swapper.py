"""A swapper that paints each face's box flat, and a source face to go with it."""

import numpy as np

from models.patch import Patch
from models.source_face import SourceFace

__all__ = ["PAINT", "PaintingSwapper", "blank_source"]

PAINT = 200


class PaintingSwapper:
    """Paints `colour` over the box of the points; `fail` makes it raise.

    `frame_px`: so much of the picture round the box is part of the patch, too. `alpha`: of the patch.
    """

    def __init__(self, colour: int | tuple[int, int, int] = PAINT) -> None:
        self.colour = colour
        self.fail: Exception | None = None
        self.sources: list[str] = []
        self.frame_px = 0
        self.alpha = 255

    def swap(self, bgr: np.ndarray, points: np.ndarray, source: SourceFace, track_id: int = 0) -> Patch:
        if self.fail is not None:
            raise self.fail
        self.sources.append(source.name)
        size = np.array([bgr.shape[1], bgr.shape[0]])
        face_low, face_high = points[:, :2].min(axis=0).astype(int), points[:, :2].max(axis=0).astype(int)
        low = np.clip(face_low - self.frame_px, 0, size)
        high = np.maximum(np.clip(face_high + self.frame_px, 0, size), low)
        painted = bgr[low[1] : high[1], low[0] : high[0]].copy()
        inner = np.maximum(face_low - low, 0), np.maximum(face_high - low, 0)
        painted[inner[0][1] : inner[1][1], inner[0][0] : inner[1][0]] = self.colour
        return Patch(int(low[0]), int(low[1]), painted, np.full(painted.shape[:2], self.alpha, np.uint8))


def blank_source(name: str) -> SourceFace:
    return SourceFace(name, np.zeros((8, 8, 3), np.uint8), np.full((8, 8), 255, np.uint8), "persona")
