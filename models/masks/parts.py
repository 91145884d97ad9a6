"""Parts of a head by a BiSeNet network: what is face, and which of its parts are replaced.

The network was trained on whole heads: it is given the ffhq crop of the frame, not a swapper's tight one.
"""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.entries import Model
from models.geometry import compose, invert
from models.landmarker import five_points
from models.loading import OpenModel, open_model
from models.masks.edges import CENTRED, Mask, soften
from models.masks.network import LOOKED_AT_PX, check_finite, settle
from models.masks.regions import REGIONS
from models.masks.view import View
from models.neural.align import align, crop
from models.precision import FP32
from models.scratch import Scratch

__all__ = ["PartsMask", "open_parts"]

_TEMPLATE = "ffhq_512"
_PER_LOGIT = 64.0
"""Grey levels for a difference of 1 between two classes."""


class PartsMask:
    """Belongs to one thread; its buffers are reused."""

    def __init__(
        self, network: OpenModel, name: str, side: int, template: str, regions: tuple[str, ...]
    ) -> None:
        """`side`: of the network's picture, pixels; `regions`: what is replaced."""
        self._session = network.session
        self._input, self._output = network.names["picture"], network.names["output:parts"]
        self._name, self._template = name, template
        self._picture = np.zeros((1, side, side, 3), np.uint8)
        face = {part for ids in REGIONS.values() for part in ids}
        kept = {part for name, ids in REGIONS.items() if name not in regions for part in ids}
        self._face, self._kept = sorted(face), sorted(kept)
        self._scratch = Scratch()

    def look(self, view: View, out: Mask) -> None:
        """Write (S, S) uint8 into `out`: 255 on the parts that are replaced. Raises BackendError."""
        side = self._picture.shape[1]
        there = align(five_points(view.points_in_picture), self._template, side)
        crop(view.picture, there, self._picture[0])
        given = self._session.run({self._input: self._picture})[self._output][0]
        step = max(1, side // LOOKED_AT_PX)
        sampled = given[:, step // 2 :: step, step // 2 :: step]
        logits = self._scratch.f32("logits", *sampled.shape)
        np.copyto(logits, sampled)
        check_finite(logits, self._name)
        small = there.resized(logits.shape[1])
        from_crop = compose(small.matrix, invert(view.to_crop))
        seen = self._wins(logits, self._face, "seen")
        settle(seen, view, from_crop, self._scratch)
        if self._kept:
            kept = self._wins(logits, self._kept, "kept")
            scale = float(np.hypot(from_crop[0, 0], from_crop[1, 0]))
            soften(kept, view.edge * view.unit * scale, CENTRED, self._scratch)
            cv2.min(seen, cv2.bitwise_not(kept, dst=kept), dst=seen)
        cv2.warpAffine(
            seen,
            from_crop,
            (view.size, view.size),
            dst=out,
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=255,
        )

    def _wins(self, logits: NDArray[np.float32], parts: list[int], name: str) -> Mask:
        """(h, w) uint8: 128 and more where one of `parts` is likelier than every other class."""
        others = [index for index in range(len(logits)) if index not in parts]
        margin = self._greatest(logits, parts, "ours")
        np.subtract(margin, self._greatest(logits, others, "theirs"), out=margin)
        out = self._scratch.u8(name, *margin.shape)
        cv2.addWeighted(margin, _PER_LOGIT, margin, 0.0, 128.0, dst=out, dtype=cv2.CV_8U)
        return out

    def _greatest(self, logits: NDArray[np.float32], parts: list[int], name: str) -> NDArray[np.float32]:
        greatest = self._scratch.f32(name, *logits.shape[1:])
        np.copyto(greatest, logits[parts[0]])
        for part in parts[1:]:
            cv2.max(greatest, logits[part], dst=greatest)
        return greatest

    def close(self) -> None:
        """Idempotent, never raises."""
        self._session.close()


def open_parts(
    model: Model, folder: Path, backend: str, device: str, regions: tuple[str, ...], precision: str = FP32
) -> PartsMask:
    """The network `model` of the catalogue's family bisenet. Raises ModelError and BackendError."""
    network = open_model(model, folder, backend, device=device, precision=precision)
    try:
        spec = model.contract.picture
        return PartsMask(network, model.name, spec.height, model.contract.template or _TEMPLATE, regions)
    except BaseException:
        network.session.close()
        raise
