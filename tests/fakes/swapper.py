"""A swapper that paints each face's box flat, and a source face to go with it."""

import numpy as np

from models.patch import Patch
from models.source_face import SourceFace

__all__ = ["PAINT", "PaintingSwapper", "blank_source"]

PAINT = 200


class PaintingSwapper:
    """Paints `PAINT` over the box of the points; `fail` makes it raise."""

    def __init__(self) -> None:
        self.fail: Exception | None = None
        self.sources: list[str] = []

    def swap(self, bgr: np.ndarray, points: np.ndarray, source: SourceFace) -> Patch:
        if self.fail is not None:
            raise self.fail
        self.sources.append(source.name)
        low = np.maximum(points[:, :2].min(axis=0).astype(int), 0)
        high = np.minimum(points[:, :2].max(axis=0).astype(int), [bgr.shape[1], bgr.shape[0]])
        height, width = max(0, high[1] - low[1]), max(0, high[0] - low[0])
        painted = np.full((height, width, 3), PAINT, np.uint8)
        return Patch(int(low[0]), int(low[1]), painted, np.full((height, width), 255, np.uint8))


def blank_source(name: str) -> SourceFace:
    return SourceFace(name, np.zeros((8, 8, 3), np.uint8), np.full((8, 8), 255, np.uint8), "persona")
