"""The dense landmarks of one face, from a crop that the last frame or a detection proposes."""

from dataclasses import dataclass
from math import atan2, isfinite
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.catalog import Contract, lookup
from models.detector import Detection
from models.errors import ModelError
from models.geometry import Matrix, crop_matrix, invert
from models.loading import open_model
from models.runtime.base import Session
from models.trust import SECOND_LOOK, trust_in

__all__ = [
    "POINT_COUNT",
    "CropRegion",
    "FaceMesh",
    "Landmarks",
    "five_points",
    "open_landmarker",
    "region_from_detection",
    "region_from_points",
]

POINT_COUNT = 468

CROP_MARGIN = 1.5  # the side of the crop over the face's, as the network was trained
MIN_SIDE_PX = 8.0  # below this there is nothing to see

# Indices of the canonical face mesh (MediaPipe's 468-point topology), left and right as seen in the picture.
LEFT_EYE_CORNERS = (33, 133)
RIGHT_EYE_CORNERS = (362, 263)
NOSE_TIP = 1
MOUTH_CORNERS = (61, 291)
_SEVEN = np.array([*LEFT_EYE_CORNERS, *RIGHT_EYE_CORNERS, NOSE_TIP, *MOUTH_CORNERS])


@dataclass(frozen=True, slots=True)
class CropRegion:
    """A tilted square of the source frame."""

    centre: tuple[float, float]
    """x, y in pixels of the source frame."""
    side: float
    """In pixels of the source frame."""
    angle: float
    """Radians from the frame's horizontal to the square's, clockwise as seen."""

    def matrix(self, size: int) -> Matrix:
        """(2, 3): from the source frame to this square drawn with `size` pixels a side."""
        return crop_matrix(self.centre, self.side, self.angle, size)


@dataclass(frozen=True, slots=True)
class Landmarks:
    """One face, point by point."""

    points: NDArray[np.float32]
    """(468, 3): x, y in pixels of the source frame, z in the same unit, smaller is nearer."""
    score: float
    """That there is a face in the crop at all: 0 to 1."""


class FaceMesh:
    """Y. Kartynnik et al., "Real-time facial surface geometry from monocular video on mobile GPUs", 2019."""

    def __init__(self, session: Session, contract: Contract) -> None:
        picture = contract.picture
        if picture.height != picture.width:
            raise ModelError("a face mesh network takes a square picture", "correct models/catalogue")
        self._session = session
        self._size = picture.width
        self._input = session.inputs[0].name
        self._points = _output(session, contract, "points", POINT_COUNT * 3)
        self._presence = _output(session, contract, "presence", 1) if "presence" in contract.outputs else None
        self._crop = np.zeros((1, self._size, self._size, 3), dtype=np.uint8)

    def landmarks(self, bgr: NDArray[np.uint8], region: CropRegion) -> Landmarks:
        """The landmarks of the face in `region` of an (H, W, 3) uint8 frame. Raises BackendError.

        A region that shows nothing of the frame, or is too small to show anything, scores 0. A network that
        does not say whether there is a face looks twice (`models.trust`).
        """
        if not _visible(region, bgr.shape[1], bgr.shape[0]):
            return Landmarks(np.zeros((POINT_COUNT, 3), dtype=np.float32), 0.0)
        points, score = self._look(bgr, region)
        if score is None:
            score = trust_in(points, self._look(bgr, second_look(region))[0])
        return Landmarks(points, score)

    def _look(self, bgr: NDArray[np.uint8], region: CropRegion) -> tuple[NDArray[np.float32], float | None]:
        matrix = region.matrix(self._size)
        cv2.warpAffine(
            bgr,
            matrix,
            (self._size, self._size),
            dst=self._crop[0],
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        outputs = self._session.run({self._input: self._crop})
        local = outputs[self._points].reshape(POINT_COUNT, 3)
        back = invert(matrix)
        points = np.empty((POINT_COUNT, 3), dtype=np.float32)
        points[:, :2] = local[:, :2] @ back[:, :2].T + back[:, 2]
        points[:, 2] = local[:, 2] * (region.side / self._size)
        if self._presence is None:
            return points, None
        logit = float(outputs[self._presence].reshape(-1)[0])
        return points, 1 / (1 + float(np.exp(-np.clip(logit, -80.0, 80.0))))

    def close(self) -> None:
        """Idempotent, never raises."""
        self._session.close()


def open_landmarker(
    name: str, folder: Path, backend: str = "openvino", device: str = "CPU", precision: str = "fp32"
) -> FaceMesh:
    """The landmarker `name` of the catalogue, its file in `folder`; `precision`: see `models.precision`.

    Raises ModelError and BackendError.
    """
    model = lookup([name])[0]
    if model.family != "facemesh":
        raise ModelError(f"{name} is a {model.role}, not a landmarker", "choose one by: realtime models list")
    session = open_model(model, folder, backend, device=device, precision=precision).session
    try:
        return FaceMesh(session, model.contract)
    except BaseException:
        session.close()
        raise


def region_from_detection(detection: Detection) -> CropRegion:
    """The square to look for landmarks in: round the box, level with the eyes."""
    x0, y0, x1, y1 = detection.box
    left_eye, right_eye = detection.points[0], detection.points[1]
    return CropRegion(
        centre=((x0 + x1) / 2, (y0 + y1) / 2),
        side=CROP_MARGIN * max(x1 - x0, y1 - y0),
        angle=atan2(float(right_eye[1] - left_eye[1]), float(right_eye[0] - left_eye[0])),
    )


def region_from_points(points: NDArray[np.floating[Any]]) -> CropRegion:
    """The square to look for the next landmarks in, from the last (468, 2) or (468, 3).

    It is measured along the face's own axes, so that it turns and grows with the face.
    """
    flat = points[:, :2]
    across = flat[RIGHT_EYE_CORNERS[1]] - flat[LEFT_EYE_CORNERS[0]]
    angle = atan2(float(across[1]), float(across[0]))
    axes = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    own = flat @ axes.T
    low, high = own.min(axis=0), own.max(axis=0)
    centre = (low + high) / 2 @ axes
    return CropRegion((float(centre[0]), float(centre[1])), CROP_MARGIN * float((high - low).max()), angle)


def five_points(points: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """(5, 2) of the (468, 2) or (468, 3) landmarks, in the order of `geometry.TEMPLATES`.

    An eye is the middle of its corners, which stays where it is when the eye closes.
    """
    seven = points[_SEVEN, :2]
    five = np.empty((5, 2), np.float32)
    five[:2] = (seven[0:4:2] + seven[1:4:2]) / 2
    five[2:] = seven[4:]
    return five


def second_look(region: CropRegion) -> CropRegion:
    """The crop through which a face is looked at again, to see whether it stays where it is."""
    right, down, growth = SECOND_LOOK
    x, y = region.centre
    centre = (x + right * region.side, y + down * region.side)
    return CropRegion(centre, region.side * growth, region.angle)


def _visible(region: CropRegion, width: int, height: int) -> bool:
    values = (*region.centre, region.side, region.angle)
    if not all(isfinite(value) for value in values) or region.side < MIN_SIDE_PX:
        return False
    reach = region.side * (abs(np.cos(region.angle)) + abs(np.sin(region.angle))) / 2
    x, y = region.centre
    return bool(x + reach > 0 and y + reach > 0 and x - reach < width and y - reach < height)


def _output(session: Session, contract: Contract, meaning: str, count: int) -> str:
    name = contract.outputs.get(meaning, "")
    shape = next((spec.shape for spec in session.outputs if spec.name == name), None)
    if shape is None or int(np.prod(shape)) != count:
        raise ModelError(
            f"the model has no output {name!r} of {count} values, which its contract says are the {meaning}",
            "use the file that the catalogue names: realtime models fetch",
        )
    return name
