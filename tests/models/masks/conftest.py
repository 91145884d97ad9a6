"""A face in a frame and in its crop."""

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from models.geometry import apply
from models.landmarker import five_points
from models.masks.edges import eye_distance
from models.masks.view import InFrame, View
from models.neural.align import Alignment, align, crop
from tests.fakes.head import posed

SIZE = 192
EDGE = 0.1


@dataclass(frozen=True)
class Scene:
    bgr: NDArray[np.uint8]
    points: NDArray[np.float32]
    where: Alignment

    def view(self, *, framed: bool = True, key: int = 1, captured_ns: int = 0) -> View:
        inside = apply(self.where.matrix, self.points[:, :2]).astype(np.float32)
        frame = InFrame(self.bgr, self.where, captured_ns) if framed else None
        return View(crop(self.bgr, self.where), inside, eye_distance(inside), EDGE, key, frame)


@pytest.fixture
def scene():
    """A frame of one colour with a face's landmarks in it, turned by 30 degrees; the crop is arcface's."""

    def made(colour=(0, 200, 0), **pose):
        points = posed(**({"centre": (400, 300), "eyes_px": 110, "roll": 30.0} | pose))
        bgr = np.full((600, 800, 3), colour, np.uint8)
        return Scene(bgr, points, align(five_points(points), "arcface_128", SIZE))

    return made
