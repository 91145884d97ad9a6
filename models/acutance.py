"""Tells how much softer than a drawn face its frame is, so that the texture can be read at a coarser level.

An edge blurred once more loses the more gradient the sharper it was: the ratio of its gradient before and
after gives its width whatever its contrast, so that a painted brow compares with a hairy one (S. Zhuo and
T. Sim, "Defocus map estimation from a single image", 2011). Only strong edges are looked at, round the eyes,
the brows and the mouth. Blur that comes and goes with motion is not followed.

Measured on a face of 445 x 559 pixels, two cores of a shared machine, median: 0.25 ms for a look (one frame
of six), 0.01 ms in between.
"""

import math
from collections import OrderedDict
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.topology import LEFT_BROW, LEFT_EYE, LIPS_OUTER, RIGHT_BROW, RIGHT_EYE

__all__ = ["Acutance"]

_REGIONS = (
    np.concatenate([RIGHT_EYE, RIGHT_BROW]),
    np.concatenate([LEFT_EYE, LEFT_BROW]),
    LIPS_OUTER,
)
_ROOM_PX = 4
_GREATEST_PX = (80, 56)
"""Bounds of a region that is looked at, its middle: (width, height)."""
_LEAST_PX = 12
_EVERY = 6
"""Frames from one look to the next, each at another region."""
_CALM = 0.12
"""How far one look moves what is known."""
_TRACKS_KEPT = 16
_BLUR_PX = 1.0
"""Sigma of the blur that is added to tell the edges' own."""
_STRONGEST = 0.98
"""Share of a region's pixels whose gradient is weaker than that of its strongest edges."""
_STRONG, _STRONG_LEVELS = 0.5, 2.0
"""Least gradient of an edge: as a share of the strongest, and in grey levels a pixel."""
_LEAST_EDGE = 12
"""Pixels of edge below which nothing is said."""
_SHARPEST = 0.75
"""The edges that count: sharper than this share of them."""
_LEAST_LOSS = 0.02
"""Bound of what the gradients lose, squared: it bounds the width at 7 pixels."""
_TEXEL_BLUR = 0.5
"""Sigma of the blur by texels read between, in their sides: a square's variance is 1/12 of its side's square,
that of a straight line between two is 1/6."""
_NATURAL = 0.25
"""Variance of the edges of a living face beyond a drawing's in a sharp frame, in square pixels: lids and lips
are no steps. Found on clips."""
_LEAST_SHARE = 0.35
_SOFTNESS = (-1.0, 2.0)
"""Bounds of what one look says, in square pixels: the upper one gives the least share, and what is beyond
would take long to be forgotten."""
_STEP = 0.15
"""Change below which the share that is said stays: at its bound a face would flicker between two levels."""

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]


@dataclass(slots=True)
class _Track:
    frames: int = 0
    softness: float | None = None
    """Variance in square pixels that the finest texture lacks to be as soft as the frame."""
    said: float = 1.0


class Acutance:
    """Remembers how soft the frame is round the last 16 faces. Belongs to one thread."""

    def __init__(self) -> None:
        self._tracks: OrderedDict[int, _Track] = OrderedDict()

    def share(self, track_id: int = 0) -> float:
        """Of the texels that the face has pixels for, along a side, those that are enough: in (0, 1]."""
        track = self._tracks.get(track_id)
        return 1.0 if track is None else track.said

    def look(self, drawn: U8, target: U8, points: F32, texel_px: float, track_id: int = 0) -> None:
        """Compare the edges of both; most calls only count.

        `drawn`, `target`: (h, w, 3) uint8 BGR, the drawn face before noise is added, and the frame where it
        goes; `points`: (468, 2) or (468, 3), landmarks in pixels of both; `texel_px`: pixels along a side of
        a texel of the texture that was read; `track_id`: whose face it is.
        """
        track = self._track(track_id)
        count, track.frames = track.frames, track.frames + 1
        if count % _EVERY:
            return
        regions = [_REGIONS[count // _EVERY % len(_REGIONS)]] if count else _REGIONS
        found = []
        for region in regions:
            part = _part(points[region, :2], target.shape[1], target.shape[0])
            wide, own = _edge_variance(target[part]), _edge_variance(drawn[part])
            if wide is not None and own is not None:
                found.append(wide - _NATURAL - max(own - (_TEXEL_BLUR * texel_px) ** 2, 0.0))
        if not found:
            return
        least, most = _SOFTNESS
        seen = min(max(sum(found) / len(found), least), most)
        track.softness = seen if track.softness is None else track.softness + _CALM * (seen - track.softness)
        share = _share(track.softness)
        if share == 1 or abs(share / track.said - 1) > _STEP:
            track.said = share

    def _track(self, track_id: int) -> _Track:
        track = self._tracks.get(track_id)
        if track is None:
            while len(self._tracks) >= _TRACKS_KEPT:
                self._tracks.popitem(last=False)
            track = self._tracks[track_id] = _Track()
        self._tracks.move_to_end(track_id)
        return track


def _share(softness: float) -> float:
    """Pixels per texel that blur by `softness`, a variance in square pixels, upside down; at most 1."""
    texel_px = math.sqrt(max(softness, 0.0)) / _TEXEL_BLUR
    return max(min(1.0, 1 / max(texel_px, 1e-6)), _LEAST_SHARE)


def _part(ring: F32, width: int, height: int) -> tuple[slice, slice]:
    """The rectangle round some points, no larger than is looked at, inside the picture."""
    middle, reach = (ring.min(axis=0) + ring.max(axis=0)) / 2, np.ptp(ring, axis=0) / 2 + _ROOM_PX
    reach = np.minimum(reach, np.asarray(_GREATEST_PX) / 2)
    (x0, y0), (x1, y1) = (middle - reach).astype(int).tolist(), (middle + reach).astype(int).tolist()
    return np.s_[max(y0, 0) : max(min(y1, height), 0), max(x0, 0) : max(min(x1, width), 0)]


def _edge_variance(bgr: U8) -> float | None:
    """Of the spread of the sharpest strong edges, in square pixels; None when there are too few."""
    if min(bgr.shape[:2]) < _LEAST_PX:
        return None
    luma = cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY).astype(np.float32)
    before = _gradient(luma)
    after = _gradient(np.asarray(cv2.GaussianBlur(luma, (7, 7), _BLUR_PX), np.float32))
    strong = before > max(_STRONG * _ranked(before.ravel(), _STRONGEST), _STRONG_LEVELS)
    if np.count_nonzero(strong) < _LEAST_EDGE:
        return None
    ratios = np.asarray(before[strong] / np.maximum(after[strong], np.float32(1e-3)), np.float32)
    ratio = _ranked(ratios, _SHARPEST)
    return _BLUR_PX**2 / max(ratio**2 - 1, _LEAST_LOSS)


def _ranked(values: F32, share: float) -> float:
    """The value that this share of `values`, (n,), is below."""
    rank = int(share * (values.size - 1))
    return float(np.partition(values, rank)[rank])


def _gradient(luma: F32) -> F32:
    """Its size in levels a pixel, without the rim, where the blur has seen what is not there."""
    across = luma[2:-2, 3:-1] - luma[2:-2, 1:-3]
    down = luma[3:-1, 2:-2] - luma[1:-3, 2:-2]
    return np.asarray(cv2.magnitude(across, down) * np.float32(0.5), np.float32)
