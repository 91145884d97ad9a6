"""Finds the faces of still pictures: the pictures of faces to put on, of people to be told apart."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.detector import Detector, open_detector
from models.landmarker import (
    FaceMesh,
    Landmarks,
    open_landmarker,
    region_from_detection,
    region_from_points,
)
from models.runtime.place import Place

__all__ = ["Analyser", "analyse"]


def analyse(bgr: NDArray[np.uint8], detector: Detector, landmarker: FaceMesh) -> tuple[Landmarks, ...]:
    """Every face of a still picture: detected, then its landmarks twice, the second time from the first."""
    found = []
    for detection in detector.detect(bgr):
        rough = landmarker.landmarks(bgr, region_from_detection(detection))
        found.append(landmarker.landmarks(bgr, region_from_points(rough.points)))
    return tuple(found)


class Analyser:
    """Networks of its own, opened when the first picture comes: used beside the live ones. For one thread."""

    def __init__(self, detector: str, landmarker: str, folder: Path, detect: Place, landmarks: Place) -> None:
        """`detector`, `landmarker`: names of the catalogue, their files in `folder`; then where each runs."""
        self._names = detector, landmarker
        self._folder = folder
        self._places = detect, landmarks
        self._opened: tuple[Detector, FaceMesh] | None = None

    def __call__(self, bgr: NDArray[np.uint8]) -> tuple[Landmarks, ...]:
        """The faces of (H, W, 3) uint8 BGR. Raises ModelError and BackendError."""
        if self._opened is None:
            detect, landmarks = self._places
            detector = open_detector(self._names[0], self._folder, detect.backend, detect.device)
            try:
                landmarker = open_landmarker(
                    self._names[1], self._folder, landmarks.backend, landmarks.device
                )
            except BaseException:
                detector.close()
                raise
            self._opened = detector, landmarker
        return analyse(bgr, *self._opened)

    def close(self) -> None:
        """Idempotent, never raises."""
        opened, self._opened = self._opened, None
        for network in opened or ():
            network.close()
