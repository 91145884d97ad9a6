"""What every mask that a network draws goes through: no shadow taken for an occluder, a soft edge."""

import math
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from models.errors import SwapError
from models.geometry import Matrix, apply
from models.intrusion import keep_intruders
from models.masks.edges import CENTRED, Mask, soften
from models.masks.view import View
from models.scratch import Scratch
from models.topology import OVAL

__all__ = ["LOOKED_AT_PX", "CropMask", "check_finite", "settle"]

LOOKED_AT_PX = 128
"""Side of the square in which a network's answer is judged: its edges are made soft anyway."""


class CropMask(Protocol):
    """One mask that looks at the picture. Belongs to one thread."""

    def look(self, view: View, out: Mask) -> None:
        """Write (S, S) uint8 into `out`: 255 takes the new face. Raises BackendError."""
        ...

    def close(self) -> None:
        """Idempotent, never raises."""
        ...


def check_finite(values: NDArray[np.floating[Any]], name: str) -> None:
    """Raises SwapError when any of a network's answer is no number: it would let the bare face out."""
    if not math.isfinite(float(np.sum(values))):
        raise SwapError(
            f"the mask network {name} gave values that are no numbers",
            "build it in fp32, or choose another mask",
        )


def settle(seen: Mask, view: View, from_crop: Matrix, scratch: Scratch) -> None:
    """Make an answer fit to be used, in place.

    `seen`: (H, H) uint8, 255 where the face is seen; `from_crop`: from pixels of the crop to pixels of it.
    What lies in the middle of the face, cut off from its outline, is no occluder (`models.intrusion`).
    """
    keep_intruders(seen, apply(from_crop, view.points[OVAL]))
    scale = float(np.hypot(from_crop[0, 0], from_crop[1, 0]))
    soften(seen, view.edge * view.unit * scale, CENTRED, scratch)
