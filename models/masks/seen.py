"""The program's own occlusion network (`models.occlusion`), its answer brought into a swapper's crop."""

import numpy as np

from models.geometry import compose
from models.masks.edges import Mask
from models.masks.view import View
from models.occlusion import FaceOcclusion, VisibleFace

__all__ = ["SeenMask"]


class SeenMask:
    """Belongs to one thread. Its network smooths in time by the track's id and the frame's time."""

    def __init__(self, occlusion: FaceOcclusion) -> None:
        self._occlusion = occlusion

    def look(self, view: View, out: Mask) -> None:
        """Write (S, S) uint8 into `out`: 255 where nothing stands before the face. Raises BackendError."""
        if view.frame is None:
            # Without a time there is nothing to smooth by.
            self._occlusion.forget(view.key)
        points = view.points_in_picture
        visible = self._occlusion.visible(view.picture, points, view.key, view.captured_ns)
        there = VisibleFace(visible.mask, compose(view.to_crop, visible.to_frame))
        np.copyto(out, self._occlusion.onto(there, 0, 0, view.size, view.size))

    def close(self) -> None:
        """Idempotent, never raises."""
        self._occlusion.close()
