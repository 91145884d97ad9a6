"""Where the faces are: detectors behind one Protocol."""

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.blazeface import BlazeFace
from models.catalog import Model, lookup
from models.detection import Detection
from models.errors import ModelError
from models.loading import open_model
from models.runtime.base import Session
from models.yunet import YuNet

__all__ = ["BlazeFace", "Detection", "Detector", "YuNet", "open_detector"]


class Detector(Protocol):
    """Finds every face in a frame."""

    def detect(self, bgr: NDArray[np.uint8]) -> tuple[Detection, ...]:
        """The faces in an (H, W, 3) uint8 frame, the surest first. Raises BackendError."""
        ...

    def close(self) -> None:
        """Idempotent, never raises."""
        ...


def open_detector(
    name: str, folder: Path, backend: str = "openvino", device: str = "CPU", precision: str = "fp32"
) -> Detector:
    """The detector `name` of the catalogue, its file in `folder`; `precision`: see `models.precision`.

    Raises ModelError and BackendError.
    """
    model = lookup([name])[0]
    if model.role != "detector":
        raise ModelError(f"{name} is a {model.role}, not a detector", "choose one by: realtime models list")
    session = open_model(model, folder, backend, device=device, precision=precision).session
    try:
        return _detector(model, session)
    except BaseException:
        session.close()
        raise


def _detector(model: Model, session: Session) -> Detector:
    if model.family == "blazeface":
        return BlazeFace(session, model.contract, model.anchors)
    if model.family == "yunet":
        return YuNet(session, model.contract)
    raise ModelError(f"no detector is of the family {model.family!r}", "correct models/catalogue")
