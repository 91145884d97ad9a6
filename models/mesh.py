"""The built-in swapper: the source's texture drawn on the target's mesh, in the target's light.

It needs landmarks only, no weights. Eyes and the inside of the mouth stay the target's where the source says so.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from models.patch import Patch
from models.rasterise import MeshRasteriser
from models.relight import relight, shade
from models.source_face import SourceFace
from models.topology import UV

__all__ = ["MeshSwapper"]

_RIM_PX = 3
"""Width at which the drawing's own edge is cut and softened, in pixels per 256 of the face's longer side."""
_LEAST_SIDE_PX = 8


class MeshSwapper:
    """Belongs to one thread. `swap` reuses its buffers: a patch is valid until the next call."""

    def __init__(self) -> None:
        self._rasteriser = MeshRasteriser(UV)
        self._layers: dict[int, tuple[SourceFace, NDArray[np.uint8]]] = {}

    def swap(self, bgr: NDArray[np.uint8], points: NDArray[np.float32], source: SourceFace) -> Patch:
        """The patch that replaces one face.

        `bgr`: (H, W, 3) uint8, the frame, read only; `points`: (468, 3) float32, pixels of the frame.
        """
        frame_height, frame_width = bgr.shape[:2]
        low = np.floor(points[:, :2].min(axis=0)).astype(int) - 1
        high = np.ceil(points[:, :2].max(axis=0)).astype(int) + 2
        x0, y0 = max(0, int(low[0])), max(0, int(low[1]))
        x1, y1 = min(frame_width, int(high[0])), min(frame_height, int(high[1]))
        if x1 - x0 < _LEAST_SIDE_PX or y1 - y0 < _LEAST_SIDE_PX:
            return Patch(x0, y0, bgr[:0, :0], bgr[:0, :0, 0])
        drawn, alpha = self._draw(points - np.array([x0, y0, 0], np.float32), x1 - x0, y1 - y0, source)
        target = bgr[y0:y1, x0:x1]
        lit = relight(drawn, target, alpha) if source.kind == "picture" else shade(drawn, target, alpha)
        return Patch(x0, y0, lit, alpha)

    def _draw(
        self, points: NDArray[np.float32], width: int, height: int, source: SourceFace
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        maps = self._rasteriser.draw(points, width, height)
        layer = self._layer(source)
        side = np.float32(layer.shape[0])
        x, y = maps.across * side - np.float32(0.5), maps.down * side - np.float32(0.5)
        shown = cv2.remap(layer, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        blue, green, red, faded = cv2.split(shown)
        alpha = cv2.min(faded, _rim(maps.cover, max(width, height)))
        return cv2.merge([blue, green, red]).astype(np.uint8, copy=False), alpha.astype(np.uint8, copy=False)

    def _layer(self, source: SourceFace) -> NDArray[np.uint8]:
        """Texture and coverage as one BGRA picture; kept, since a run has few sources."""
        found = self._layers.get(id(source))
        if found is None:
            found = source, np.dstack([source.texture, source.coverage])
            self._layers[id(source)] = found
        return found[1]


def _rim(cover: NDArray[np.float32], side_px: int) -> NDArray[np.uint8]:
    """(h, w) uint8: 255 inside the drawing, falling to 0 at its edge, which may lie inside the texture
    where the head turns away."""
    size = max(3, round(_RIM_PX * side_px / 256)) | 1
    solid = cv2.threshold(cover, 0.99, 255.0, cv2.THRESH_BINARY)[1].astype(np.uint8)
    return cv2.blur(cv2.erode(solid, np.ones((size, size), np.uint8)), (size, size)).astype(np.uint8, copy=False)
