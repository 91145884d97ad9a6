"""Several pictures of one face made one: each part of it from the picture that shows it best.

All arrays are on the UV plane of `models.topology`. Nothing here knows whose face a picture shows: that
all are of one person is the caller's word.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from models.rasterise import MeshRasteriser
from models.relight import SKIN
from models.smoothing import smooth
from models.source_face import Unwrapped
from models.topology import POINT_COUNT, UV

__all__ = ["fused", "sharpness"]

_TONE_REACH = 0.09
"""Sigma of the light and colour that are brought together, in sides of the plane."""
_GREATEST_TONE = 1.0
"""Bound of that correction, in logarithms of light."""
_DARK = np.float32(8)
"""Added before logarithms, in grey levels."""
_REGION_REACH = 0.025
"""Sigma of the quality by which pictures are chosen, in sides of the plane: no speckle of choices."""
_HOME = 2.0
"""The best picture's quality counts this much more: features stay of one piece."""
_STEEPNESS = 3
"""Of the fall of skin that is turned away behind the same skin seen from the front: landmarks near the
outline of a turned head are off, and beyond it is background."""
_ASIDE = np.float32(0.25)
"""Turned away by this much more than in another picture, a texel is not known; from twice this on, it is."""
_LEAST_KNOWN = 0.02
_FINE_PX, _COARSE_PX = 1.2, 5.0
"""Sigmas between whose Gaussians what a sharp picture has, and a blurred or small one has not."""
_LEVELS = 5
"""Of the pyramid: seams of fine detail are a few texels wide, those of tone 2^5 times that."""
_STRUCTURE_REACH = 0.12
"""Sigma of what counts as light when pictures are compared, in sides of the plane."""
_DOUBT_REACH, _DOUBT_SPREAD = 0.04, 4.0
"""A hand differs from skin at its edges alone: doubt spreads this far (sigma, in sides) and strong."""
_CONFORMITY = 6
"""How steeply a picture falls from trust that differs from most: a hand on a tenth of the face halves it."""
_AGREED = 0.18
"""Difference from what most pictures show, in logarithms of light, past which a texel is not the face's."""

Plane = NDArray[np.float32]


def fused(views: Sequence[Unwrapped], trusts: Sequence[float] | None = None) -> Unwrapped:
    """One face of several pictures of it: at least one.

    Tones are brought to those of the best picture, each texel is taken from the picture that shows it
    best (facing, finest, sharp), and the pictures are joined band by band (Burt and Adelson 1983), so that
    no seam shows and nothing is averaged away. `trusts`: what else speaks for each picture, in (0, 1], such
    as a calm face.
    """
    if len(views) == 1:
        return views[0]
    frontals = _frontals(views)
    knowns = [
        np.asarray(known * np.clip(frontal / _ASIDE - 1, 0, 1), np.float32)
        for known, frontal in zip(_agreeing(views), frontals, strict=True)
    ]
    worths = np.array([_worth(view, known) for view, known in zip(views, knowns, strict=True)])
    if trusts is not None:
        worths *= trusts
    worths = np.maximum(worths / max(float(worths.max()), 1e-6), 1e-3).astype(np.float32)
    finenesses = [
        np.asarray(worth * view.detail * frontal**_STEEPNESS, np.float32)
        for view, worth, frontal in zip(views, worths, frontals, strict=True)
    ]
    qualities = [known * fineness for known, fineness in zip(knowns, finenesses, strict=True)]
    best = int(np.argmax([float(quality.sum()) for quality in qualities]))
    toned = [
        view.texture if i == best else _toned(view, views[best], qualities[i], qualities[best])
        for i, view in enumerate(views)
    ]
    shares = _shares(knowns, finenesses, best)
    detail = np.sum([share * view.detail for share, view in zip(shares, views, strict=True)], axis=0)
    known = np.max(knowns, axis=0)
    shape = np.tensordot(worths / worths.sum(), np.stack([view.shape for view in views]), axes=1)
    texture = _joined(toned, knowns, shares)
    return Unwrapped(texture, known, np.asarray(detail, np.float32), np.asarray(shape, np.float32))


def sharpness(view: Unwrapped) -> float:
    """How fine what it shows is, against what is coarse in it: near 0 for a blurred or a small picture."""
    luma = view.texture.mean(axis=2)
    fine = cv2.GaussianBlur(luma, (0, 0), _FINE_PX)
    coarse = cv2.GaussianBlur(luma, (0, 0), _COARSE_PX)
    sure = view.known > 0.5
    if not sure.any():
        return 0.0
    strength = abs(luma - fine)[sure], abs(fine - coarse)[sure]
    return float(np.mean(strength[0])) / max(float(np.mean(strength[1])), 0.5)


def _worth(view: Unwrapped, agreeing: Plane) -> float:
    """What speaks for a picture as a whole: sharp, and much like the others."""
    return sharpness(view) * float(agreeing.sum() / max(view.known.sum(), 1e-6)) ** _CONFORMITY


def _frontals(views: Sequence[Unwrapped]) -> list[Plane]:
    """For each picture in [0, 1]: how squarely it shows a texel, against the one that does so best."""
    squares = []
    for view in views:
        sure = view.known > 0.5
        size = float(np.median(view.detail[sure])) if sure.any() else 1.0
        soft = cv2.GaussianBlur(view.detail / np.float32(max(size, 1e-3)), (0, 0), 4)
        squares.append(np.asarray(soft, np.float32))
    most = np.maximum(np.max(squares, axis=0), np.float32(1e-3))
    return [np.asarray(square / most, np.float32) for square in squares]


def _toned(view: Unwrapped, best: Unwrapped, quality: Plane, best_quality: Plane) -> Plane:
    """The view's texture in the light and the colours of the best one, told where both show skin."""
    reach = _TONE_REACH * view.texture.shape[0]
    both = np.asarray(np.sqrt(quality * best_quality), np.float32)
    both /= max(float(both.max()), 1e-6)
    ratio = np.log(best.texture + _DARK) - np.log(view.texture + _DARK)
    gains = [smooth(np.ascontiguousarray(ratio[:, :, k], np.float32), both, reach) for k in range(3)]
    gain = np.exp(np.clip(np.dstack(gains), -_GREATEST_TONE, _GREATEST_TONE))
    return np.asarray(np.clip((view.texture + _DARK) * gain - _DARK, 0, 255), np.float32)


def _agreeing(views: Sequence[Unwrapped]) -> list[Plane]:
    """Known less where a picture shows something else than most: a hand, a strand, a reflection.

    Two pictures that differ do not say which of them is wrong, so three have to show a texel.
    """
    knowns = [view.known for view in views]
    if len(views) < 3:
        return knowns
    side = knowns[0].shape[0]
    small = (side // 4, side // 4)
    shown = np.stack([cv2.resize(known, small, interpolation=cv2.INTER_AREA) for known in knowns])
    tones = np.stack(
        [
            _structure(cv2.resize(view.texture, small, interpolation=cv2.INTER_AREA), known)
            for view, known in zip(views, shown, strict=True)
        ]
    )
    counts = shown > np.float32(0.3)
    enough = counts.sum(axis=0) >= 3
    usual = _median(tones, counts)
    counted = enough * _plain_skin(small[0])
    agreed = []
    for tone, known in zip(tones, knowns, strict=True):
        away = abs(cv2.GaussianBlur(np.asarray(tone - usual, np.float32), (0, 0), 1)).max(axis=2)
        doubt = (np.clip(away / np.float32(_AGREED) - 1, 0, 1) * counted).astype(np.float32)
        wide = cv2.GaussianBlur(doubt, (0, 0), _DOUBT_REACH * small[0]) * np.float32(_DOUBT_SPREAD)
        agreed.append(np.asarray(known * (1 - np.clip(cv2.resize(wide, (side, side)), 0, 1)), np.float32))
    return agreed


def _plain_skin(side: int) -> Plane:
    """(side, side): 1 on skin, 0 on brows, eyes and mouth: those differ by expression."""
    points = np.zeros((POINT_COUNT, 3), np.float32)
    points[:, :2] = UV * side - 0.5
    drawn = MeshRasteriser().draw(points, np.repeat(SKIN[:, None], 3, axis=1), (side, side), side)
    return np.asarray(drawn[:, :, 0] > 0.9, np.float32)


def _structure(texture: NDArray[np.generic], known: Plane) -> Plane:
    """The logarithms of a texture without its broad light and colour."""
    logs = np.log(np.asarray(texture, np.float32) + _DARK)
    reach = _STRUCTURE_REACH * known.shape[0]
    broad = [smooth(np.ascontiguousarray(logs[:, :, k]), known, reach) for k in range(3)]
    return np.asarray(logs - np.dstack(broad), np.float32)


def _median(values: Plane, counts: NDArray[np.bool_]) -> Plane:
    """(h, w, 3): the medians of (n, h, w, 3), each of those that count, (n, h, w); 0 where none does."""
    hidden = np.where(counts[..., None], values, np.float32(np.inf))
    order = np.sort(hidden, axis=0)
    middle = np.maximum(counts.sum(axis=0) - 1, 0)
    low = np.take_along_axis(order, (middle // 2)[None, :, :, None], axis=0)[0]
    high = np.take_along_axis(order, ((middle + 1) // 2)[None, :, :, None], axis=0)[0]
    return np.asarray(np.where(np.isfinite(high), (low + high) / 2, 0), np.float32)


def _shares(knowns: Sequence[Plane], finenesses: Sequence[Plane], best: int) -> list[Plane]:
    """For each picture 1 where it is taken, 0 elsewhere: one picture a texel."""
    reach = _REGION_REACH * knowns[0].shape[0]
    scores = []
    for i, (known, fineness) in enumerate(zip(knowns, finenesses, strict=True)):
        inside = cv2.GaussianBlur(cv2.erode(known, np.ones((7, 7), np.uint8)), (0, 0), 3)
        quality = cv2.GaussianBlur(known * fineness, (0, 0), reach)
        scores.append((quality + np.float32(1e-6)) * (inside + _LEAST_KNOWN) * (_HOME if i == best else 1))
    choice = np.argmax(scores, axis=0)
    return [(choice == i).astype(np.float32) for i in range(len(knowns))]


def _joined(textures: Sequence[Plane], knowns: Sequence[Plane], shares: Sequence[Plane]) -> Plane:
    """The textures joined by their shares, each band of detail with a seam as wide as itself."""
    total = np.maximum(np.sum(knowns, axis=0), np.float32(1e-3))[:, :, None]
    rough = sum(t * known[:, :, None] for t, known in zip(textures, knowns, strict=True)) / total
    none = np.max(knowns, axis=0)[:, :, None] < _LEAST_KNOWN
    bands: list[Plane] = []
    for texture, known, share in zip(textures, knowns, shares, strict=True):
        filled = texture + (np.where(none, texture, rough) - texture) * (1 - known)[:, :, None]
        for level, band in enumerate(_bands(np.asarray(filled, np.float32), share)):
            if level < len(bands):
                bands[level] += band
            else:
                bands.append(band)
    whole = bands[-1]
    for band in reversed(bands[:-1]):
        whole = cv2.pyrUp(whole, dstsize=band.shape[1::-1]) + band
    return np.asarray(np.clip(whole, 0, 255), np.float32)


def _bands(texture: Plane, share: Plane) -> list[Plane]:
    """The Laplacian pyramid of a texture, each level times the share at that size; finest first."""
    bands = []
    for _ in range(_LEVELS):
        small = cv2.pyrDown(texture)
        up = cv2.pyrUp(small, dstsize=texture.shape[1::-1])
        bands.append((texture - up) * share[:, :, None])
        texture, share = np.asarray(small, np.float32), np.asarray(cv2.pyrDown(share), np.float32)
    return [*bands, texture * share[:, :, None]]
