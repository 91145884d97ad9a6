"""People before the camera as the casting sees them: numbers, boxes, and directions of their embeddings."""

import numpy as np
from numpy.typing import NDArray

from realtime.casting.parts import Sighting

__all__ = ["WIDTH", "looks_like", "sighting"]

WIDTH = 64
"""Numbers of an embedding."""


def sighting(number: int, x: float = 100.0, side: float = 100.0) -> Sighting:
    """The face `number`, its middle at `x`."""
    return Sighting(number, (x - side / 2, 100.0, x + side / 2, 100.0 + side))


def looks_like(person: int, likeness: float = 1.0, noise: int = 1) -> NDArray[np.float32]:
    """(WIDTH,) of length 1: its cosine to `looks_like(person)` is `likeness`; to other people's, 0."""
    vector = np.zeros(WIDTH, np.float32)
    vector[person] = likeness
    vector[-noise] = np.sqrt(1 - likeness**2)
    return vector
