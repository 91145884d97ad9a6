"""Gives a drawn face the noise of the frame that it is put into.

The noise of both is measured on the same spots of plain skin, at full and at half size: a frame that was
scaled up or compressed has coarse grain. What the drawn face lacks is added, another part of a tile each
frame. The measure is J. Immerkær, "Fast noise variance estimation", 1996; of the spots a low rank counts,
because hair, folds and stubble, or a drawn line, only ever add to it.

Measured on 445 x 559 pixels, two cores of a shared machine, medians: 0.45 ms where a frame is measured (one
of eight), 0.11 ms where noise is only added, next to nothing where the frame has none; about 0.8 ms more when
the tile is made again because the strength of the noise changed.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from functools import cache
from random import Random

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Grain"]

_SPOTS = (50, 280, 205, 425, 108, 337, 9, 151)
"""Points on cheeks and forehead, all where `relight.SKIN` is 1."""
_LEAST_SPOTS = 4
_SPOT_SHARE = 0.07
_SPOT_PX = (8, 24)
"""Side of a spot in longer sides of the face, and its bounds; a multiple of 4, for the half size."""
_RANK = 0.3
"""The spot that counts, from the one with least noise (0) to the one with most (1)."""
_RANK_BIAS = 0.9
"""What that takes from white noise, as a share, times the spot's side in pixels: found by trial."""
_DARKEST, _LIGHTEST = 6.0, 249.0
"""A spot whose mean luma is outside shows no noise: it is clipped."""
_SKIN_TEXTURE = np.array([[0.5, 0.0, 0.0], [0.8, 0.0, 0.0]], np.float32)
"""What counts of Y, Cr, Cb of skin without noise, at full and at half size, in grey levels. Given to a face
that has none, pores would look like dirt."""
_FIRST, _EVERY = 4, 8
"""Frames of a face that are all measured, and from then on those from one measurement to the next."""
_CALM = 0.2
"""How far one measurement moves what is known; the first ones count alike."""
_TRACKS_KEPT = 16
_LEAST, _MOST = 1.0, 12.0
"""Grey levels: less is not seen and not added, more is not added either."""
_KEPT = 0.8
"""Noise that is there stays until it is weaker than this share of the least: it must not come and go."""
_STALE = 0.15
"""A tile is made again when the variance of its noise is wrong by this share."""

_MASK = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
_TO_SIGMA = np.sqrt(np.pi / 2) / 6
"""From the mean size of that mask's response to the sigma of white noise (Immerkær 1996)."""
_SEEN = ((0.998, 0.501), (0.334, 0.586), (0.097, 0.365))
"""What counts at full and at half size of three kinds of noise of sigma 1: white, as sensors have it; the
mean of two by two of that, as compression leaves it; white at half size and scaled up. Found by trial, on
spots that lie anywhere on the grid of the half size."""

_TILE_PX, _BLOCK_PX = 320, 256
_SEED = 1996
_TO_BGR = np.array([[1, 0, 1.773], [1, -0.714, -0.344], [1, 1.403, 0]], np.float32)
"""From Y, Cr, Cb without their offsets to B, G, R (ITU-R BT.601)."""

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]


@dataclass(slots=True)
class _Track:
    frames: int = 0
    measured: int = 0
    lacking: F32 = field(default_factory=lambda: np.zeros((2, 3), np.float32))
    """(2, 3): variances of Y, Cr, Cb that the drawn face lacks, at full and at half size; below 0 where it
    has more than the frame."""
    made_for: F32 = field(default_factory=lambda: np.zeros((3, 3), np.float32))
    """(3, 3): sigmas of Y, Cr, Cb of the tile, for each kind of noise."""
    tile: tuple[U8, U8] | None = None
    """What is added and what is taken away."""


class Grain:
    """Remembers the noise of the last 16 faces. Belongs to one thread."""

    def __init__(self) -> None:
        self._tracks: OrderedDict[int, _Track] = OrderedDict()
        self._random = Random(_SEED)
        _planes()  # takes 10 ms: not in the midst of a call

    def add(self, drawn: U8, target: U8, points: F32, track_id: int = 0) -> None:
        """Add to `drawn`, in place, the noise that it lacks.

        `drawn`, `target`: (h, w, 3) uint8 BGR, the drawn face and the frame where it goes; `points`: (468, 2)
        or (468, 3), landmarks in pixels of both; `track_id`: whose face it is.
        """
        track = self._track(track_id)
        if track.frames < _FIRST or track.frames % _EVERY == 0:
            self._learn(track, drawn, target, points)
        track.frames += 1
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
        light, noise = _noise(
            np.concatenate([picture[spot] for picture in (target, drawn) for spot in spots])
        )
        shown = (light > _DARKEST) & (light < _LIGHTEST)
        count = len(spots)
        if not shown[:count].any():
            return
        there = _low(noise[count:][shown[count:]]) if shown[count:].any() else _SKIN_TEXTURE
        here = np.square(_low(noise[:count][shown[:count]]))
        lacking = np.maximum(here - np.square(np.maximum(there, _SKIN_TEXTURE)), -here)
        track.measured += 1
        track.lacking += np.float32(max(_CALM, 1 / track.measured)) * (lacking - track.lacking)
        sigmas = _mixture(track.lacking, _LEAST if track.tile is None else _LEAST * _KEPT)
        change = float(abs(sigmas**2 - track.made_for**2).max())
        if change > _STALE * max(float((track.made_for**2).max()), _LEAST**2):
            track.made_for = sigmas
            track.tile = _tile(sigmas) if sigmas.any() else None

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


def _noise(strip: U8) -> tuple[F32, F32]:
    """Of n squares of BGR one above the other, (n s, s, 3) with s even: their mean luma, (n,), and the sigmas
    of their Y, Cr, Cb at full and at half size, (n, 2, 3)."""
    side = strip.shape[1]
    count = strip.shape[0] // side
    values = cv2.cvtColor(strip, cv2.COLOR_BGR2YCrCb).astype(np.float32)
    halved = cv2.resize(values, (side // 2, count * side // 2), interpolation=cv2.INTER_AREA)
    sigmas = []
    for plane in (values, halved):
        response = np.asarray(cv2.filter2D(plane, -1, _MASK), np.float32)
        np.abs(response, out=response)
        sigma = response.reshape(count, -1) @ _means(plane.shape[1], 1)
        sigmas.append(sigma * np.float32(_TO_SIGMA * (1 + _RANK_BIAS / plane.shape[1])))
    light = (values.reshape(count, -1) @ _means(side, 0))[:, 0]
    return light, np.stack(sigmas, axis=1)


@cache
def _means(side: int, rim: int) -> F32:
    """(side * side * 3, 3): turns squares of three channels into the means inside their rim."""
    inside = np.zeros((side, side), np.float32)
    inside[rim : side - rim, rim : side - rim] = 1 / (side - 2 * rim) ** 2
    weights = inside[:, :, None, None] * np.eye(3, dtype=np.float32)
    weights = weights.reshape(-1, 3)
    weights.setflags(write=False)
    return weights


def _low(noise: F32) -> F32:
    """(2, 3): of the sigmas of some spots, (n, 2, 3), those that count."""
    low: F32 = np.sort(noise, axis=0)[int(_RANK * (len(noise) - 1))]
    return low


def _mixture(variances: F32, least: float) -> F32:
    """(3, 3): sigmas of Y, Cr, Cb, for each kind of noise, that together show `variances` at full and at half
    size. All zero where that of luma is weaker than `least`; bounded."""
    mixed = np.zeros((3, 3), np.float32)
    for channel, (full, half) in enumerate(np.maximum(variances, 0).T.tolist()):
        finer = 0 if half * _SEEN[1][0] ** 2 < full * _SEEN[1][1] ** 2 else 1
        (a, b), (c, d) = np.square(_SEEN[finer : finer + 2]).tolist()
        whole = a * d - b * c
        mixed[finer, channel] = max(full * d - half * c, 0.0) / whole
        mixed[finer + 1, channel] = max(half * a - full * b, 0.0) / whole
    luma, strongest = float(mixed[:, 0].sum()), float(mixed.sum(axis=0).max())
    if luma < least**2:
        return np.zeros_like(mixed)
    sigmas: F32 = np.sqrt(mixed) * np.float32(min(1.0, _MOST / strongest**0.5))
    return sigmas


@cache
def _planes() -> tuple[F32, F32, F32]:
    """(3, T, T) each, of sigma 1 and mean 0: the three kinds of noise."""
    random = np.random.default_rng(_SEED)
    fine, medium = (random.standard_normal((3, _TILE_PX, _TILE_PX), np.float32) for _ in range(2))
    medium = np.stack([cv2.blur(plane, (2, 2)) for plane in medium])
    small = random.standard_normal((3, _TILE_PX // 2, _TILE_PX // 2), np.float32)
    coarse = np.stack([cv2.resize(plane, (_TILE_PX, _TILE_PX)) for plane in small])
    for planes in (fine, medium, coarse):
        planes -= planes.mean(axis=(1, 2), keepdims=True)
        planes /= planes.std(axis=(1, 2), keepdims=True)
        planes.setflags(write=False)
    return fine, medium, coarse


def _tile(sigmas: F32) -> tuple[U8, U8]:
    """(T, T, 3) uint8 each: BGR noise of Y, Cr, Cb with `sigmas`, (3, 3), above and below its mean."""
    mixed = np.zeros((3, _TILE_PX, _TILE_PX), np.float32)
    for planes, strength in zip(_planes(), sigmas, strict=True):
        for plane, sum_so_far, sigma in zip(planes, mixed, strength.tolist(), strict=True):
            if sigma > 0:
                cv2.scaleAdd(plane, sigma, sum_so_far, dst=sum_so_far)
    noise = np.asarray(cv2.transform(cv2.merge(list(mixed)), _TO_BGR), np.float32)
    above, below = np.rint(np.maximum(noise, 0)), np.rint(np.maximum(-noise, 0))
    return np.minimum(above, 255).astype(np.uint8), np.minimum(below, 255).astype(np.uint8)
