"""What the occlusion network says of real clips, in figures."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.detector import Detector, open_detector
from models.geometry import apply, invert
from models.landmarker import FaceMesh, open_landmarker, region_from_detection, region_from_points
from models.occlusion import MASK_PX, FaceOcclusion, VisibleFace, open_occlusion
from models.topology import HOLES, OVAL

__all__ = ["evaluate", "figures", "inner_face"]

DETECT_EVERY = 12
LEAST_SCORE = 0.5
RIM = 0.06
"""Share of the mask's side at the face's edge where the swapped face has faded anyway."""
Seen = tuple[int, NDArray[np.uint8], NDArray[np.float32]]
"""When it was taken in nanoseconds, the frame, the (468, 3) points of its largest face."""


def evaluate(models: Path, clips: list[Path]) -> None:
    """One JSON line for each clip: share of the inner face said to be covered (mean, 95th percentile of
    frames), how much the mask changes from frame to frame (of 255), milliseconds of a look."""
    detector = open_detector("blazeface_short_range", models)
    landmarker = open_landmarker("facemesh_468", models)
    occlusion = open_occlusion()
    for clip in clips:
        occlusion.forget(0)
        print(json.dumps({"clip": clip.name, **figures(occlusion, _faces(clip, detector, landmarker))}))
    occlusion.close()
    landmarker.close()
    detector.close()


def inner_face(visible: VisibleFace, points: NDArray[np.float32]) -> NDArray[np.uint8]:
    """(MASK_PX, MASK_PX): 255 on the face without rim, eyes and inner mouth, in the mask's pixels."""
    flat = apply(invert(visible.to_frame), points[:, :2])
    inside = np.zeros((MASK_PX, MASK_PX), np.uint8)
    cv2.fillPoly(inside, [np.round(flat[OVAL]).astype(np.int32)], 255)
    reach = 2 * round(RIM * MASK_PX) + 1
    inside = np.asarray(cv2.erode(inside, np.ones((reach, reach), np.uint8)), np.uint8)
    for ring in HOLES:
        cv2.fillPoly(inside, [np.round(flat[ring]).astype(np.int32)], 0)
    return inside


def figures(occlusion: FaceOcclusion, seen: Iterator[Seen]) -> dict[str, float]:
    """Of a sequence of frames; see `evaluate`."""
    shares, changes, times_ms = [], [], []
    before = None
    for captured_ns, bgr, points in seen:
        began = time.perf_counter()
        visible = occlusion.visible(bgr, points, 0, captured_ns)
        times_ms.append((time.perf_counter() - began) * 1e3)
        inside = inner_face(visible, points) > 0
        if inside.any():
            shares.append(float((visible.mask[inside] < 128).mean()))
            if before is not None:
                changes.append(float(cv2.absdiff(visible.mask, before)[inside].mean()))
        before = visible.mask.copy()
    if not shares:
        return {"frames": 0}
    return {
        "frames": len(shares),
        "covered": round(float(np.mean(shares)), 4),
        "covered_p95": round(float(np.percentile(shares, 95)), 4),
        "change": round(float(np.mean(changes)), 2) if changes else 0.0,
        "p50_ms": round(float(np.median(times_ms)), 2),
    }


def _faces(clip: Path, detector: Detector, landmarker: FaceMesh) -> Iterator[Seen]:
    video = cv2.VideoCapture(str(clip))
    step_ns = round(1e9 / (video.get(cv2.CAP_PROP_FPS) or 25.0))
    region, number = None, 0
    while True:
        ok, frame = video.read()
        if not ok:
            break
        bgr = np.asarray(frame, np.uint8)
        if region is None or number % DETECT_EVERY == 0:
            found = detector.detect(bgr)
            if found:
                region = region_from_detection(max(found, key=lambda face: face.box[2] - face.box[0]))
        if region is not None:
            landmarks = landmarker.landmarks(bgr, region)
            region = region_from_points(landmarks.points) if landmarks.score > LEAST_SCORE else None
            if region is not None:
                yield number * step_ns, bgr, landmarks.points
        number += 1
    video.release()
