"""BlazeFace, short and full range."""

from itertools import compress
from math import ceil

import cv2
import numpy as np
from numpy.typing import NDArray

from models.catalog import Contract
from models.detection import (
    OVERLAP_THRESHOLD,
    SCORE_THRESHOLD,
    Detection,
    Letterbox,
    cell_centres,
    check_output,
    covered,
    merged,
)
from models.runtime.base import Session

__all__ = ["BlazeFace"]

# Ratios of sides from which a letterbox gives much of the input away, and to which it is a camera's picture.
TILED_ASPECTS = (1.5, 4.0)


class BlazeFace:
    """V. Bazarevsky et al., "BlazeFace: sub-millisecond neural face detection on mobile GPUs", 2019.

    Each anchor is the centre of a grid cell; its 16 regressors are a box (centre, width, height) and six
    points (two eyes, nose, mouth, two ears) in pixels of the network's input, relative to that centre.
    """

    def __init__(
        self,
        session: Session,
        contract: Contract,
        anchors: tuple[tuple[int, int], ...],
        *,
        score_threshold: float = SCORE_THRESHOLD,
    ) -> None:
        picture = contract.picture
        self._session = session
        self._input = session.inputs[0].name
        self._boxes = contract.outputs.get("boxes", "boxes")
        self._scores = contract.outputs.get("scores", "scores")
        self._centres = cell_centres(picture, anchors)
        count = self._centres.shape[0]
        for name, width in ((self._boxes, 16), (self._scores, 1)):
            check_output(session, name, (1, count, width))
        self._whole = Letterbox(picture)
        self._tile = Letterbox(picture)
        self._small = np.empty((0, 0, 3), dtype=np.uint8)
        self._input_side = min(picture.height, picture.width)
        self._logit_threshold = float(np.log(score_threshold / (1 - score_threshold)))

    def detect(self, bgr: NDArray[np.uint8]) -> tuple[Detection, ...]:
        """The faces of the whole frame, and those of its square tiles that the whole frame shows too small.

        At 1280x720 the short range network finds faces from about 120 pixels across in the whole frame and
        from about 70 in the tiles.
        """
        if not _tiles(bgr.shape[1], bgr.shape[0]):
            return self._look(bgr, self._whole)
        small = self._shrunk(bgr)
        found = list(self._look(small, self._whole))
        for x, y, side in _tiles(small.shape[1], small.shape[0]):
            for seen in self._look(small[y : y + side, x : x + side], self._tile):
                entire = min(seen.box) >= 0 and max(seen.box) <= side
                one = _moved(seen, x, y)
                same = [covered(one.box, known.box) > OVERLAP_THRESHOLD for known in found]
                if not any(same) or (entire and one.score > max(k.score for k in compress(found, same))):
                    found = [known for known, is_same in zip(found, same, strict=True) if not is_same]
                    found.append(one)
        scale = np.array([bgr.shape[1] / small.shape[1], bgr.shape[0] / small.shape[0]])
        return tuple(_enlarged(one, scale) for one in sorted(found, key=lambda one: -one.score))

    def _shrunk(self, bgr: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The frame with whole blocks of pixels averaged, still twice as fine as a tile's input.

        The views share it: averaging the full frame for each of them costs more than the network does.
        """
        height, width = bgr.shape[:2]
        step = max(1, min(height, width) // (2 * self._input_side))
        if step == 1:
            return bgr
        if self._small.shape[:2] != (height // step, width // step):
            self._small = np.empty((height // step, width // step, 3), dtype=np.uint8)
        cv2.resize(bgr, self._small.shape[1::-1], dst=self._small, interpolation=cv2.INTER_AREA)
        return self._small

    def _look(self, bgr: NDArray[np.uint8], letterbox: Letterbox) -> tuple[Detection, ...]:
        outputs = self._session.run({self._input: letterbox.fill(bgr)})
        logits = outputs[self._scores][0, :, 0]
        found = np.flatnonzero(logits >= self._logit_threshold)
        if found.size == 0:
            return ()
        centres = self._centres[found]
        regressors = outputs[self._boxes][0, found].astype(np.float32).reshape(-1, 8, 2)
        middles = regressors[:, 0] + centres
        halves = regressors[:, 1] / 2
        boxes = np.concatenate([middles - halves, middles + halves], axis=1)
        points = regressors[:, 2:6] + centres[:, np.newaxis]
        scores = 1 / (1 + np.exp(-np.clip(logits[found], -100.0, 100.0)))
        return merged(letterbox, boxes, points, scores)

    def close(self) -> None:
        self._session.close()


def _tiles(width: int, height: int) -> tuple[tuple[int, int, int], ...]:
    """(x, y, side) of the fewest squares that cover a long frame, evenly spread; none for other frames."""
    side = min(width, height)
    rest = max(width, height) - side
    if not TILED_ASPECTS[0] * side <= side + rest <= TILED_ASPECTS[1] * side:
        return ()
    gaps = ceil(rest / side)
    shifts = [round(rest * number / gaps) for number in range(gaps + 1)]
    return tuple((shift, 0, side) if width > height else (0, shift, side) for shift in shifts)


def _enlarged(detection: Detection, scale: NDArray[np.float64]) -> Detection:
    """From pixel coordinates of a shrunk frame to those of the frame `scale` (x, y) times its size."""
    corners = (np.array(detection.box).reshape(2, 2) + 0.5) * scale - 0.5
    x0, y0, x1, y1 = corners.ravel().tolist()
    points = ((detection.points + 0.5) * scale - 0.5).astype(np.float32)
    return Detection((x0, y0, x1, y1), points, detection.score)


def _moved(detection: Detection, x: int, y: int) -> Detection:
    x0, y0, x1, y1 = detection.box
    points = detection.points + np.array([x, y], dtype=np.float32)
    return Detection((x0 + x, y0 + y, x1 + x, y1 + y), points, detection.score)
