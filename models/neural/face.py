"""A face on its way through the networks: what they are given, and what they have made of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from models.errors import RealtimeError
from models.geometry import affine_fit, compose, similarity_fit
from models.neural.align import Alignment
from models.neural.source_feed import SourceFeed

__all__ = ["Crop", "GivenFace", "MadeFace", "MadeFaces", "Pasted", "Template", "Uncut", "follow"]

Template: TypeAlias = tuple[str, int]
"""Name of a template, and the side of the square that is cut by it, pixels."""

LEAST_SQUEEZE = 0.6
"""A head that turns grows narrow; a fit that squeezes it further follows its expression, not its turn."""


@dataclass(frozen=True, slots=True)
class Crop:
    """A square cut out of the frame."""

    where: Alignment
    bgr: NDArray[np.uint8]
    """(S, S, 3)."""


@dataclass(frozen=True, slots=True)
class Uncut:
    """For a chain that cuts the squares itself, and pastes the face where it was."""

    frame: NDArray[np.uint8]
    """(H, W, 3): the whole frame, the same array for all its faces; the chain pastes into it."""
    where: Alignment
    """From the frame to the square that the swapper takes."""
    alpha: NDArray[np.uint8] | None = None
    """(S, S): where the face is to be pasted; None: it is not."""


@dataclass(frozen=True, slots=True)
class GivenFace:
    """One face of one frame, cut out."""

    id: int
    """Of its track."""
    captured_ns: int
    points: NDArray[np.float32]
    """(468, 3), pixels of the frame."""
    feed: SourceFeed
    """Whose face it is to wear."""
    crops: Mapping[Template, Crop]
    """The squares that are cut of it."""
    uncut: Uncut | None = None


@dataclass(frozen=True, slots=True)
class MadeFace:
    """What became of a given face."""

    given: GivenFace
    where: Alignment
    """From the frame it was made of to the square that it lies in."""
    bgr: NDArray[np.uint8]
    """(S, S, 3)."""
    alpha: NDArray[np.uint8]
    """(S, S): 255 where it counts as far as networks can tell; the outline is not in it."""
    error: RealtimeError | None = None
    """Why there is no face: it is to be covered."""
    pasted: "Pasted | None" = None
    """What the frame that it was made of looks like with it."""


@dataclass(frozen=True, slots=True)
class Pasted:
    """The part of a frame that a face touched, with the face in it."""

    x: int
    y: int
    bgr: NDArray[np.uint8]
    """(h, w, 3); stands until the next job is begun."""


@dataclass(frozen=True, slots=True)
class MadeFaces:
    """The faces of one frame."""

    faces: tuple[MadeFace, ...]
    spent_ns: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """Stage -> time that all of them took in it."""


def follow(made: MadeFace, points: NDArray[np.float32]) -> Alignment:
    """Where the square of a face lies now that its landmarks are `points`, (468, 3), pixels of a later frame.

    An affine fit of all landmarks, which narrows with a head that turns; a similarity where that would
    squeeze the face out of shape. Raises ValueError when the points all coincide.
    """
    now, then = points[:, :2], made.given.points[:, :2]
    if np.array_equal(now, then):
        return made.where
    try:
        back = affine_fit(now, then)
        widths = np.linalg.svd(back[:, :2], compute_uv=False)
        if widths[1] < LEAST_SQUEEZE * widths[0]:
            back = similarity_fit(now, then)
    except ValueError:
        back = similarity_fit(now, then)
    return Alignment(compose(made.where.matrix, back), made.where.size)
