"""A look at a picture that knows nothing of the frames before it: what tracked points are compared with."""

from contextlib import ExitStack
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.detector import Detector, open_detector
from models.landmarker import FaceMesh, Landmarks, open_landmarker
from realtime.analyser import analyse
from realtime.config import Config
from realtime.places import LANDMARKER, wanted

__all__ = ["FreshLook", "open_fresh_look"]


@dataclass(frozen=True, slots=True)
class FreshLook:
    """The pipeline's detector and landmarker, in sessions of their own. Belongs to one thread."""

    detector: Detector
    landmarker: FaceMesh

    def faces(self, bgr: NDArray[np.uint8]) -> tuple[Landmarks, ...]:
        """Every face of a picture, detected, then its landmarks twice, the second time from the first."""
        return analyse(bgr, self.detector, self.landmarker)

    def close(self) -> None:
        self.landmarker.close()
        self.detector.close()


def open_fresh_look(config: Config, folder: Path) -> FreshLook:
    """On the places where the configuration wants the pipeline's own. Raises ModelError and BackendError."""
    with ExitStack() as opened:
        detector = open_detector(config.pipeline.detector, folder, *astuple(wanted(config, "detect")))
        opened.callback(detector.close)
        landmarker = open_landmarker(LANDMARKER, folder, *astuple(wanted(config, "landmarks")))
        opened.pop_all()
    return FreshLook(detector, landmarker)
