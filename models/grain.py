"""Gives a drawn face the noise of the frame that it is put into.

The noise of both is measured on the same spots of plain skin, at full and at half size: a frame that was
scaled up or compressed has coarse grain. What the drawn face lacks is added, another part of a tile each
frame. The measure is J. Immerkær, "Fast noise variance estimation", 1996; of the spots a low rank counts,
because hair, folds and stubble only ever add to it.

Measured on 445 x 559 pixels, two cores of a shared machine, medians: 0.13 ms where a frame is measured (one of
three), 0.06 ms where noise is added, about 0.6 ms where its strength changes and the tile is made again.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from random import Random

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Grain"]

_SPOTS = (50, 280, 205, 425, 101, 330, 108, 337, 9, 151)
"""Points on cheeks and forehead, all where `relight.SKIN` is 1."""
_LEAST_SPOTS = 4
_SPOT_SHARE = 0.07
_SPOT_PX = (8, 32)
"""Side of a spot in longer sides of the face, and its bounds; a multiple of 4, for the half size."""
_RANK = 0.3
"""The spot that counts, from the one with least noise (0) to the one with most (1)."""
_DARKEST, _LIGHTEST = 6.0, 249.0
"""A spot whose mean luma is outside shows no noise: it is clipped."""
_EVERY = 3
"""Frames from one measurement to the next."""
_CALM = 0.15
"""How far one measurement moves what is known."""
_TRACKS_KEPT = 16
_LEAST, _MOST = 1.0, 12.0
"""Grey levels: less is not seen and not added, more is not added either."""
_STALE = 0.12
"""A tile is made again when the strength of its noise is wrong by this share."""

_MASK = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
_TO_SIGMA = np.sqrt(np.pi / 2) / 6
"""From the mean size of that mask's response to the sigma of white noise (Immerkær 1996)."""
_FINE = (1.0, 0.5)
"""What the measure says of white noise of sigma 1, at full and at half size: averages of four."""
_COARSE = (0.097, 0.547)
"""The same of noise that is white at half size and was scaled up, of sigma 1."""

_TILE_PX, _BLOCK_PX = 320, 256
_SEED = 1996
_TO_BGR = ((0.0, 1.773), (-0.714, -0.344), (1.403, 0.0))
"""From Cr, Cb to what they add to B, G, R (ITU-R BT.601)."""

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]


@dataclass(slots=True)
class _Track:
    frames: int = 0
    lacking: F32 | None = None
    """(2, 3): variances of Y, Cr, Cb that the drawn face lacks, at full and at half size."""
    made_for: F32 = field(default_factory=lambda: np.zeros((2, 3), np.float32))
    """(2, 3): sigmas of Y, Cr, Cb of the tile, fine and coarse."""
    tile: tuple[U8, U8] | None = None
    """What is added and what is taken away."""


class Grain:
    """Remembers the noise of the last 16 faces. Belongs to one thread."""

    def __init__(self) -> None:
        self._tracks: OrderedDict[int, _Track] = OrderedDict()
        self._random = Random(_SEED)

    def add(self, drawn: U8, target: U8, points: F32, track_id: int = 0) -> None:
        """Add to `drawn`, in place, the noise that it lacks.

        `drawn`, `target`: (h, w, 3) uint8 BGR, the drawn face and the frame where it goes; `points`: (468, 2)
        or (468, 3), landmarks in pixels of both; `track_id`: whose face it is.
        """
        track = self._track(track_id)
        if track.frames % _EVERY == 0:
            self._learn(track, drawn, target, points)
        track.frames += 1
        if track.lacking is None:
            return
        sigmas = _mixture(track.lacking)
        if abs(sigmas - track.made_for).max() > _STALE * max(float(track.made_for.max()), _LEAST):
            track.made_for = sigmas
            track.tile = _tile(sigmas) if sigmas.any() else None
        if track.tile is not None:
            self._strew(drawn, *track.tile)

    def _track(self, track_id: int) -> _Track:
        track = self._tracks.get(track_id)
        if track is None:
            while len(self._tracks) >= _TRACKS_KEPT:
                self._tracks.popitem(last=False)
            track = self._tracks[track_id] = _Track()
        self._tracks.move_to_end(track_id)
        return track

    def _learn(self, track: _Track, drawn: U8, target: U8, points: F32) -> None:
        spots = _spots(points, target.shape[1], target.shape[0])
        if len(spots) < _LEAST_SPOTS:
            return
        here = _noise(target, spots)
        if here is None:
            return
        there = _noise(drawn, spots)
        lacking = here if there is None else np.maximum(here - there, 0)
        if track.lacking is None:
            track.lacking = lacking
        else:
            track.lacking += np.float32(_CALM) * (lacking - track.lacking)

    def _strew(self, drawn: U8, above: U8, below: U8) -> None:
        height, width = drawn.shape[:2]
        room = _TILE_PX - _BLOCK_PX
        for top in range(0, height, _BLOCK_PX):
            for left in range(0, width, _BLOCK_PX):
                part = drawn[top : top + _BLOCK_PX, left : left + _BLOCK_PX]
                y, x = self._random.randint(0, room), self._random.randint(0, room)
                of_tile = np.s_[y : y + part.shape[0], x : x + part.shape[1]]
                cv2.add(part, above[of_tile], dst=part)
                cv2.subtract(part, below[of_tile], dst=part)


def _spots(points: F32, width: int, height: int) -> list[tuple[slice, slice]]:
    """Squares of plain skin that lie in the picture."""
    face_px = float(np.ptp(points[:, :2], axis=0).max())
    side = int(min(max(face_px * _SPOT_SHARE, _SPOT_PX[0]), _SPOT_PX[1])) // 4 * 4
    spots = []
    for x, y in (points[_SPOTS, :2] - np.float32(side / 2)).round().astype(int).tolist():
        if x >= 0 and y >= 0 and x + side <= width and y + side <= height:
            spots.append(np.s_[y : y + side, x : x + side])
    return spots


def _noise(bgr: U8, spots: Sequence[tuple[slice, slice]]) -> F32 | None:
    """(2, 3): variances of the noise of Y, Cr, Cb, at full and at half size; None when all is clipped."""
    strip = cv2.cvtColor(np.concatenate([bgr[spot] for spot in spots]), cv2.COLOR_BGR2YCrCb)
    skin = strip.astype(np.float32).reshape(len(spots), -1, strip.shape[1], 3)
    light = skin[..., 0].mean(axis=(1, 2))
    skin = skin[(light >= _DARKEST) & (light <= _LIGHTEST)]
    if len(skin) == 0:
        return None
    rank = int(_RANK * (len(skin) - 1))
    found = []
    for values in (skin, _halved(skin)):
        count, side = values.shape[:2]
        response = cv2.filter2D(values.reshape(count * side, side, 3), -1, _MASK)
        inner = abs(response.reshape(values.shape)[:, 1:-1, 1:-1])
        found.append(np.sort(inner.mean(axis=(1, 2)), axis=0)[rank] * np.float32(_TO_SIGMA))
    return np.asarray(found, np.float32) ** 2


def _halved(skin: F32) -> F32:
    """(n, s / 2, s / 2, 3) of (n, s, s, 3): means of two by two."""
    rows = skin[:, ::2] + skin[:, 1::2]
    halved: F32 = (rows[:, :, ::2] + rows[:, :, 1::2]) * np.float32(0.25)
    return halved


def _mixture(variances: F32) -> F32:
    """(2, 3): sigmas of the fine and of the coarse noise that show `variances` at full and at half size.

    Zero where the whole is too weak to be seen, and bounded.
    """
    full, half = variances
    ratio = _FINE[1] ** 2 / _FINE[0] ** 2
    coarse = np.maximum(half - ratio * full, 0) / (_COARSE[1] ** 2 - ratio * _COARSE[0] ** 2)
    fine = np.maximum(full - coarse * _COARSE[0] ** 2, 0)
    sigmas = np.sqrt(np.stack([fine, coarse])).astype(np.float32)
    whole = float(np.sqrt(fine[0] + coarse[0]))
    strongest = float(np.sqrt(fine + coarse).max())
    if whole < _LEAST:
        return np.zeros_like(sigmas)
    return np.asarray(sigmas * min(1.0, _MOST / strongest), np.float32)


@cache
def _planes() -> tuple[F32, F32]:
    """Two (3, T, T) of sigma 1 and mean 0: white noise, and noise that is white at half size."""
    random = np.random.default_rng(_SEED)
    fine = random.standard_normal((3, _TILE_PX, _TILE_PX), np.float32)
    small = random.standard_normal((3, _TILE_PX // 2, _TILE_PX // 2), np.float32)
    coarse = np.stack([cv2.resize(plane, (_TILE_PX, _TILE_PX)) for plane in small])
    for planes in (fine, coarse):
        planes -= planes.mean(axis=(1, 2), keepdims=True)
        planes /= planes.std(axis=(1, 2), keepdims=True)
        planes.setflags(write=False)
    return fine, coarse


def _tile(sigmas: F32) -> tuple[U8, U8]:
    """(T, T, 3) uint8 each: BGR noise of Y, Cr, Cb with `sigmas`, (2, 3), above and below its mean."""
    fine, coarse = _planes()
    luma, red, blue = (
        cv2.addWeighted(fine[k], float(sigmas[0, k]), coarse[k], float(sigmas[1, k]), 0) for k in range(3)
    )
    noise = cv2.merge([luma + np.float32(r) * red + np.float32(b) * blue for r, b in _TO_BGR])
    above = cv2.add(noise, (0.0, 0.0, 0.0), dtype=cv2.CV_8U)
    below = cv2.multiply(noise, (-1.0, -1.0, -1.0), dtype=cv2.CV_8U)
    return np.asarray(above, np.uint8), np.asarray(below, np.uint8)
