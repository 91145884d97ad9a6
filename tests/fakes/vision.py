"""A detector and a landmarker that see faces where the test says they are."""

import numpy as np

from models.detector import Detection
from models.landmarker import CropRegion, Landmarks

__all__ = ["FakeDetector", "FakeLandmarker", "Stage", "detection", "mesh"]

Centre = tuple[float, float]

_SHAPE = np.random.default_rng(1).uniform(-0.5, 0.5, (468, 3)).astype(np.float32)
_SHAPE[33, :2], _SHAPE[133, :2] = (-0.3, -0.15), (-0.12, -0.15)
_SHAPE[362, :2], _SHAPE[263, :2] = (0.12, -0.15), (0.3, -0.15)
_SHAPE[10, :2], _SHAPE[152, :2] = (0.0, -0.5), (0.0, 0.5)
_SHAPE[234, :2], _SHAPE[454, :2] = (-0.5, 0.0), (0.5, 0.0)


def mesh(centre: Centre, side: float) -> np.ndarray:
    """468 points that fill the square of `side` round `centre`, pixels of the frame."""
    points = _SHAPE * np.float32(side)
    points[:, :2] += np.asarray(centre, np.float32)
    return points


def detection(centre: Centre, side: float, score: float = 0.9) -> Detection:
    """A detection whose box is the mesh's, eyes level."""
    x, y = centre
    half = side / 2
    points = np.array([[x - side / 5, y], [x + side / 5, y], [x, y], [x, y + side / 4]], np.float32)
    return Detection((x - half, y - half, x + half, y + half), points, score)


class Stage:
    """Who is before the camera: centre and side of each face, pixels of the frame."""

    def __init__(self, *faces: tuple[Centre, float]) -> None:
        self.faces = list(faces)
        self.hidden: set[int] = set()
        """Indexes of faces that no landmarks fit, though the detector sees them."""
        self.unseen: set[int] = set()
        """Indexes of faces that the detector does not see."""


class FakeDetector:
    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.calls = 0
        self.closed = False

    def detect(self, bgr: np.ndarray) -> tuple[Detection, ...]:
        self.calls += 1
        return tuple(
            detection(*face)
            for index, face in enumerate(self._stage.faces)
            if index not in self._stage.unseen
        )

    def close(self) -> None:
        self.closed = True


class FakeLandmarker:
    """Finds the face nearest to the middle of the region, if that lies inside the region."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.calls = 0
        self.score = 0.95

    def landmarks(self, bgr: np.ndarray, region: CropRegion) -> Landmarks:
        self.calls += 1
        near = [
            (abs(centre[0] - region.centre[0]) + abs(centre[1] - region.centre[1]), centre, side)
            for index, (centre, side) in enumerate(self._stage.faces)
            if index not in self._stage.hidden
        ]
        distance, centre, side = min(near, default=(np.inf, region.centre, region.side))
        found = distance < region.side / 2
        return Landmarks(mesh(centre, side), self.score if found else 0.05)

    def close(self) -> None:
        pass
