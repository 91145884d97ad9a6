"""Which part of a tracked face is seen: what stands before it (hands, hair, frames, cups) stays in front.

A small network of our own (`models/train/occlusion.py`, `models/occlusion.md`) looks at the upright crop of
the face alone. The crop follows the mesh, so its answers can be smoothed in time in crop coordinates.
"""

from dataclasses import dataclass
from math import exp
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.errors import ModelError
from models.geometry import Matrix, apply, crop_matrix, invert
from models.intrusion import keep_intruders
from models.runtime.base import InputSpec, Normalisation, Session
from models.runtime.registry import open_session
from models.scratch import Scratch
from models.topology import LEFT_EYE_OUTER, OVAL, RIGHT_EYE_OUTER

__all__ = ["CROP_PX", "MASK_PX", "WEIGHTS", "FaceOcclusion", "VisibleFace", "crop_of", "open_occlusion"]

WEIGHTS = Path(__file__).with_name("occlusion.onnx")
CROP_PX = 128
"""Side of the square that the network sees."""
MASK_PX = 64
"""Side of its answer."""
CROP_MARGIN = 1.4
"""The crop's side in longer sides of the mesh: hands are known by their arms."""
HEADROOM = 0.03
"""How far the crop's middle lies above the mesh's, in sides of the crop."""
NORMALISATION = Normalisation(mean=127.5, scale=127.5, order="bgr")

COMES_NS = 25_000_000
"""Time constant with which a cover comes to the front."""
GOES_NS = 90_000_000
"""... and goes: longer than a flicker, shorter than a trail that shows."""
GAP_NS = 500_000_000
"""After such a pause nothing is known of the past."""
TRACKS_KEPT = 16
LEAST_SIDE_PX = 8.0
_FINE_FROM = 0.5
"""Pixels of the crop for one of the frame below which more than one sample is taken."""
SEEN_FROM, SEEN_TO = 0.42, 0.66
"""What share of certainty that the face is seen gives none and all of it: the soft edge is cut to this."""


@dataclass(frozen=True, slots=True)
class VisibleFace:
    """What of one face is seen. The array is the finder's own, overwritten at the track's next frame."""

    mask: NDArray[np.uint8]
    """(MASK_PX, MASK_PX): 255 where the face is surely visible, 0 where something is surely before it."""
    to_frame: Matrix
    """(2, 3): from pixels of the mask to pixels of the frame."""


class _Track:
    def __init__(self) -> None:
        self.covered = np.zeros((MASK_PX, MASK_PX), np.float32)
        self.mask = np.empty((MASK_PX, MASK_PX), np.uint8)
        self.seen_ns: int | None = None


class FaceOcclusion:
    """Belongs to one thread. Its buffers are reused."""

    def __init__(self, session: Session) -> None:
        """Raises ModelError when the session's network is of another shape."""
        taken = next((spec for spec in session.inputs if spec.shape == (1, CROP_PX, CROP_PX, 3)), None)
        given = next((spec for spec in session.outputs if spec.shape == (1, 1, MASK_PX, MASK_PX)), None)
        if taken is None or given is None:
            raise ModelError(
                f"an occlusion network takes {CROP_PX} pixels a side and gives {MASK_PX}",
                "use the file that comes with the program",
            )
        self._session = session
        self._input, self._output = taken.name, given.name
        self._crop = np.zeros((1, CROP_PX, CROP_PX, 3), np.uint8)
        self._tracks: dict[int, _Track] = {}
        self._scratch = Scratch()

    def visible(
        self, bgr: NDArray[np.uint8], points: NDArray[np.float32], track_id: int, captured_ns: int
    ) -> VisibleFace:
        """What is seen of the face with the landmarks `points`, (468, 3) float32 in pixels of the frame.

        `bgr`: (H, W, 3) uint8; `captured_ns` does not go back within a track. Points that are no numbers, or
        lie too close together, give a face that is all visible. Raises BackendError.
        """
        track = self._track(track_id)
        low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
        if not float((high - low).max()) >= LEAST_SIDE_PX or not np.isfinite(points[:, :2]).all():
            track.seen_ns = None
            track.mask.fill(255)
            return VisibleFace(track.mask, np.eye(2, 3))
        to_crop = crop_of(points, CROP_PX)
        self._cut(bgr, to_crop)
        logits = self._session.run({self._input: self._crop})[self._output][0, 0]
        fresh = self._scratch.f32("fresh", MASK_PX, MASK_PX)
        np.clip(logits, -20, 20, out=fresh)
        np.exp(np.negative(fresh, out=fresh), out=fresh)
        np.reciprocal(np.add(fresh, 1, out=fresh), out=fresh)
        self._settle(track, fresh, captured_ns)
        seen = self._scratch.f32("seen", MASK_PX, MASK_PX)
        np.multiply(np.subtract(1, track.covered, out=seen), 255, out=seen)
        np.rint(seen, out=seen)
        track.mask[:] = seen
        ratio = CROP_PX / MASK_PX
        keep_intruders(track.mask, (apply(to_crop, points[OVAL, :2]) + 0.5) / ratio - 0.5)
        return VisibleFace(track.mask, _placed(to_crop))

    def again(self, points: NDArray[np.float32], track_id: int, captured_ns: int) -> VisibleFace | None:
        """What was last seen of the face, where it is now: the network is spared. None when it was not looked
        at in the last half second.

        Arguments as in `visible`.
        """
        track = self._tracks.get(track_id)
        if track is None or track.seen_ns is None or not 0 <= captured_ns - track.seen_ns <= GAP_NS:
            return None
        low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
        if not float((high - low).max()) >= LEAST_SIDE_PX or not np.isfinite(points[:, :2]).all():
            return None
        return VisibleFace(track.mask, _placed(crop_of(points, CROP_PX)))

    def onto(self, visible: VisibleFace, x: int, y: int, width: int, height: int) -> NDArray[np.uint8]:
        """(height, width) uint8: the mask on the rectangle of the frame at (x, y), its edges made crisp.

        255 takes the swapped face, 0 keeps the frame; 255 outside the crop. Valid until the next call.
        """
        whole = self._scratch.u8("onto", height, width)
        if width == 0 or height == 0:
            return whole
        matrix = visible.to_frame.copy()
        matrix[:, 2] -= (x, y)
        cv2.warpAffine(
            visible.mask,
            matrix,
            (width, height),
            dst=whole,
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=255,
        )
        cv2.LUT(whole, _CRISP, dst=whole)
        return whole

    def forget(self, track_id: int) -> None:
        """The track has ended. An unknown one is no error."""
        self._tracks.pop(track_id, None)

    def close(self) -> None:
        """Idempotent, never raises."""
        self._tracks.clear()
        self._session.close()

    def _track(self, track_id: int) -> _Track:
        track = self._tracks.pop(track_id, None) or _Track()
        while len(self._tracks) >= TRACKS_KEPT:
            del self._tracks[next(iter(self._tracks))]
        self._tracks[track_id] = track
        return track

    def _cut(self, bgr: NDArray[np.uint8], to_crop: Matrix) -> None:
        """The crop from the frame. Of a large face four samples make a pixel, whatever its size."""
        crop = self._crop[0]
        if float(np.hypot(to_crop[0, 0], to_crop[1, 0])) >= _FINE_FROM:
            cv2.warpAffine(bgr, to_crop, (CROP_PX, CROP_PX), dst=crop, flags=cv2.INTER_LINEAR)
            return
        side = 2 * CROP_PX
        double = to_crop * 2
        double[:, 2] += 0.5
        fine = self._scratch.u8("fine", side, side, 3)
        cv2.warpAffine(bgr, double, (side, side), dst=fine, flags=cv2.INTER_NEAREST)
        cv2.resize(fine, (CROP_PX, CROP_PX), dst=crop, interpolation=cv2.INTER_AREA)

    def _settle(self, track: _Track, fresh: NDArray[np.float32], captured_ns: int) -> None:
        """The exponential mean of the track towards `fresh`, in place; `fresh` is used up."""
        last, track.seen_ns = track.seen_ns, captured_ns
        if last is None or not 0 <= captured_ns - last <= GAP_NS:
            np.copyto(track.covered, fresh)
            return
        np.subtract(fresh, track.covered, out=fresh)
        step = self._scratch.f32("step", MASK_PX, MASK_PX)
        np.maximum(fresh, 0, out=step)
        np.multiply(step, 1 - exp((last - captured_ns) / COMES_NS), out=step)
        np.add(track.covered, step, out=track.covered)
        np.minimum(fresh, 0, out=step)
        np.multiply(step, 1 - exp((last - captured_ns) / GOES_NS), out=step)
        np.add(track.covered, step, out=track.covered)


def open_occlusion(backend: str = "openvino", device: str = "CPU") -> FaceOcclusion:
    """The network that comes with the program, warm. Raises BackendError and ModelError."""
    picture = InputSpec(CROP_PX, CROP_PX, "nchw", NORMALISATION)
    session = open_session(WEIGHTS, backend, device=device, picture=picture)
    try:
        session.warmup()
        return FaceOcclusion(session)
    except BaseException:
        session.close()
        raise


def crop_of(points: NDArray[np.floating[Any]], size: int) -> Matrix:
    """(2, 3): from the frame to the upright square of `size` pixels in which the face is looked at.

    `points`: (468, 2) or (468, 3), pixels of the frame.
    """
    flat = points[:, :2].astype(np.float64)
    across = flat[LEFT_EYE_OUTER] - flat[RIGHT_EYE_OUTER]
    angle = float(np.arctan2(across[1], across[0]))
    axes = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    own = flat @ axes.T
    low, high = own.min(axis=0), own.max(axis=0)
    side = CROP_MARGIN * float((high - low).max())
    centre = ((low + high) / 2 - (0, HEADROOM * side)) @ axes
    return crop_matrix((float(centre[0]), float(centre[1])), side, angle, size)


def _placed(to_crop: Matrix) -> Matrix:
    """(2, 3): from pixels of the mask to pixels of the frame, by the matrix from the frame to the crop."""
    back, ratio = invert(to_crop), CROP_PX / MASK_PX
    to_frame = np.empty((2, 3))
    to_frame[:, :2] = back[:, :2] * ratio
    to_frame[:, 2] = back @ ((ratio - 1) / 2, (ratio - 1) / 2, 1)
    return to_frame


def _crisp() -> NDArray[np.uint8]:
    """(256,): from soft visibility to a mask with short edges, a smooth step (Hermite)."""
    t = ((np.arange(256) / 255 - SEEN_FROM) / (SEEN_TO - SEEN_FROM)).clip(0, 1)
    return np.asarray(np.rint(255 * t * t * (3 - 2 * t)), np.uint8)


_CRISP = _crisp()
