"""The built-in swapper: the source's texture drawn on the target's mesh, in the target's light.

It needs landmarks only, no weights. The mesh takes on the source's proportions (`models.likeness`); eyes and
the inside of the mouth stay the target's, moved along (`models.holes`).
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.acutance import Acutance
from models.grain import Grain
from models.holes import Hole, HoleMover
from models.likeness import Likeness
from models.mesh_fit import fit_mesh
from models.normals import facing_when_turned
from models.patch import Patch
from models.rasterise import MeshRasteriser
from models.relight import GREATEST_GAIN, SKIN, own_skin, palette, persona_gain, picture_gain, sample
from models.scratch import Scratch
from models.source_face import SourceFace
from models.topology import CANONICAL, LIDS, POINT_COUNT, TRIANGLES, UV
from models.uv_mask import face_alpha

__all__ = ["MeshSwapper"]

_TEXTURE_FINEST_PX = 96
"""The longer side at which texture coordinates and alpha are drawn at most."""
_LIGHT_FINEST_PX = 32
_SAMPLED_PX = 64
"""The longer side of the picture in which the target's skin is looked at."""
_RIM_PX = 3
"""Width at which the drawing's own edge is cut and softened, in pixels of it."""
_LEAST_SIDE_PX = 8
_ROOM = 0.025
"""Room round the face, in its longer sides, for the rim of the drawing to end in."""
_SOURCES_KEPT = 8
_LEAST_LEVEL_SIDE = 64
_LEVEL_STEP = 2**0.5
"""From one copy of a texture to the next smaller one."""
_FACE_SPAN = 0.9
"""The longer side of a face seen from the front, in sides of the texture plane."""
_GRAZING = (0.05, 0.35)
"""Cosines between which a point at the side of the head fades in: its skin is seen too flat below."""
_SHOWN = 1 / 128
"""Least weight of a point that is drawn, so that the edge of the drawing can be told."""


def _sideways() -> NDArray[np.float32]:
    """(468,): 0 on the nose and the middle of the face, 1 on cheeks and temples, which turn away."""
    return np.asarray(np.clip((abs(CANONICAL[:, 0]) - 0.2) / 0.15, 0, 1), np.float32)


_SIDEWAYS = _sideways()


@dataclass(frozen=True, slots=True)
class _Level:
    bgra: NDArray[np.uint8]
    """(T, T, 4): the texture and its coverage. Four channels are read twice as fast as three."""
    hull: NDArray[np.uint8]
    """(T, T): the coverage with eyes and mouth filled."""


@dataclass(frozen=True, slots=True)
class _Layers:
    """What is kept of a source: smaller and smaller copies, and its colours at the points."""

    source: SourceFace
    levels: tuple[_Level, ...]
    colours: NDArray[np.float32]
    worth: NDArray[np.float32]
    """(468,) in [0, 1]: where its colours are those of its skin."""


class MeshSwapper:
    """Belongs to one thread. `swap` reuses its buffers: a patch is valid until the next call."""

    def __init__(self) -> None:
        closed = np.concatenate([TRIANGLES, LIDS])
        self._rasteriser = MeshRasteriser(closed)
        self._light_rasteriser = MeshRasteriser(closed)
        self._likeness = Likeness()
        self._holes = HoleMover()
        self._acutance, self._grain = Acutance(), Grain()
        self._scratch = Scratch()
        self._layers: dict[int, _Layers] = {}
        self._values = np.empty((POINT_COUNT, 3), np.float32)
        self._values[:, :2] = UV

    def swap(
        self, bgr: NDArray[np.uint8], points: NDArray[np.float32], source: SourceFace, track_id: int = 0
    ) -> Patch:
        """The patch that replaces one face.

        `bgr`: (H, W, 3) uint8, the frame, read only; `points`: (468, 3) float32, pixels of the frame, z away
        from the viewer; `track_id`: the wearer, whose proportions are remembered from frame to frame. The
        patch is empty when the face is outside the frame, or its points no numbers.
        """
        if not np.isfinite(points).all():
            return Patch(0, 0, bgr[:0, :0], bgr[:0, :0, 0])
        fit = fit_mesh(points, with_residual=False)
        moves = self._likeness.moves(points, source.shape, track_id, fit)
        there = points + moves
        frame_height, frame_width = bgr.shape[:2]
        low = np.minimum(points[:, :2].min(axis=0), there[:, :2].min(axis=0))
        high = np.maximum(points[:, :2].max(axis=0), there[:, :2].max(axis=0))
        room = 2 + int((high - low).max() * _ROOM)
        x0, y0 = (max(0, int(np.floor(value)) - room) for value in low)
        x1 = min(frame_width, int(np.ceil(high[0])) + room)
        y1 = min(frame_height, int(np.ceil(high[1])) + room)
        if x1 - x0 < _LEAST_SIDE_PX or y1 - y0 < _LEAST_SIDE_PX:
            return Patch(0, 0, bgr[:0, :0], bgr[:0, :0, 0])
        target = bgr[y0:y1, x0:x1]
        corner = np.array([x0, y0, 0], np.float32)
        local, there = points - corner, there - corner
        layers = self._layers_of(source)
        toward = facing_when_turned(fit.rotation)
        face_px = float((high - low).max())
        enough_px = face_px * self._acutance.share(track_id)
        drawn, alpha, shade = self._draw(there, toward, (x1 - x0, y1 - y0), layers, enough_px)
        self._light(drawn, target, local, there, toward, layers)
        texel_px = face_px / (_FACE_SPAN * self._level.bgra.shape[0])
        self._acutance.look(drawn, target, local, texel_px, track_id)
        self._grain.add(drawn, target, local, track_id)
        for hole in self._holes.moved(target, local, moves):
            self._fill(drawn, alpha, shade, hole)
        return Patch(x0, y0, drawn, alpha)

    def _draw(
        self,
        points: NDArray[np.float32],
        toward: NDArray[np.float32],
        size: tuple[int, int],
        layers: _Layers,
        face_px: float,
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]:
        """The texture as the mesh shows it, how much of it counts, and how much would without holes in it."""
        least, most = _GRAZING
        seen = np.clip((toward - least) / (most - least), 0, 1)
        seen = seen * seen * (3 - 2 * seen)
        self._values[:, 2] = np.maximum(1 - _SIDEWAYS * (1 - seen), _SHOWN)
        u, v, weight = cv2.split(
            _grown(self._rasteriser.draw(points, self._values, size, _TEXTURE_FINEST_PX))
        )
        level = self._level = _fitting(layers.levels, face_px)
        side = np.float32(level.bgra.shape[0])
        width, height = size
        across, down = self._scratch.f32("x", height, width), self._scratch.f32("y", height, width)
        cv2.resize(u * side - np.float32(0.5), size, dst=across)
        cv2.resize(v * side - np.float32(0.5), size, dst=down)
        whole = self._scratch.u8("bgra", height, width, 4)
        cv2.remap(level.bgra, across, down, cv2.INTER_LINEAR, dst=whole, borderMode=cv2.BORDER_REPLICATE)
        drawn, alpha = self._scratch.u8("drawn", height, width, 3), self._scratch.u8("alpha", height, width)
        cv2.cvtColor(whole, cv2.COLOR_BGRA2BGR, dst=drawn)
        cv2.extractChannel(whole, 3, dst=alpha)
        small = np.asarray(weight, np.float32)
        small = np.asarray(cv2.multiply(_rim(small), small, dtype=cv2.CV_8U), np.uint8)
        shade = self._scratch.u8("shade", height, width)
        cv2.resize(small, size, dst=shade)
        cv2.multiply(alpha, shade, dst=alpha, scale=1 / 255)
        return drawn, alpha, shade

    def _fill(
        self,
        drawn: NDArray[np.uint8],
        alpha: NDArray[np.uint8],
        shade: NDArray[np.uint8],
        hole: Hole,
    ) -> None:
        """Put what shows through `hole` into `drawn`, and count it as much as the face round it, in place."""
        height, width = hole.bgr.shape[:2]
        part = np.s_[hole.y : hole.y + height, hole.x : hole.x + width]
        across = self._scratch.f32("x", *alpha.shape)[part]
        down = self._scratch.f32("y", *alpha.shape)[part]
        hull = cv2.remap(self._level.hull, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        hull = cv2.multiply(hull, shade[part], scale=1 / 255)
        open_here = cv2.merge([cv2.subtract(hull, alpha[part])] * 3)
        front = cv2.multiply(hole.bgr, open_here, scale=1 / 255)
        back = cv2.multiply(drawn[part], cv2.bitwise_not(open_here), scale=1 / 255)
        cv2.add(front, back, dst=drawn[part])
        cv2.max(alpha[part], hull, dst=alpha[part])

    def _light(
        self,
        drawn: NDArray[np.uint8],
        target: NDArray[np.uint8],
        points: NDArray[np.float32],
        there: NDArray[np.float32],
        toward: NDArray[np.float32],
        layers: _Layers,
    ) -> None:
        """Bring `drawn` into the target's light, in place: seen at `points`, drawn `there`."""
        height, width = target.shape[:2]
        scale = min(1.0, _SAMPLED_PX / max(width, height))
        reduced = max(1, round(width * scale)), max(1, round(height * scale))
        # Single pixels, not means of areas: noise is lost in the means over the face, and memory is slow.
        small = np.asarray(cv2.resize(target, reduced, interpolation=cv2.INTER_LINEAR), np.uint8)
        at = (points[:, :2] + np.float32(0.5)) * np.float32(scale) - np.float32(0.5)
        inside = ((points[:, :2] >= 0) & (points[:, :2] < (width, height))).all(axis=1)
        trust = layers.worth * np.clip(toward * 2, 0.02, 1) * inside + np.float32(1e-4)
        seen = sample(small, at)
        if layers.source.kind == "picture":
            matrix = palette(seen, layers.colours, trust)
            cv2.transform(drawn, matrix, dst=drawn)
            gain = picture_gain(seen, layers.colours @ matrix.T, trust)
        else:
            gain = persona_gain(seen, layers.colours, trust)
        gain *= np.float32(1 / GREATEST_GAIN)
        ground = tuple(gain.mean(axis=0).tolist())
        light = self._light_rasteriser.draw(there, gain, (width, height), _LIGHT_FINEST_PX, ground)
        gains = self._scratch.u8("gains", height, width, 3)
        cv2.resize(cv2.convertScaleAbs(light, alpha=255), (width, height), dst=gains)
        cv2.multiply(drawn, gains, dst=drawn, scale=GREATEST_GAIN / 255)

    def _layers_of(self, source: SourceFace) -> _Layers:
        """Kept for the sources used last. The entry holds the source, so that its id stays its own."""
        found = self._layers.get(id(source))
        if found is None:
            while len(self._layers) >= _SOURCES_KEPT:
                del self._layers[next(iter(self._layers))]
            found = self._layers[id(source)] = _prepared(source)
        return found


def _prepared(source: SourceFace) -> _Layers:
    whole = cv2.merge([*cv2.split(source.texture), source.coverage])
    closed = face_alpha(source.coverage.shape[0], keep_eyes=False, keep_mouth=False)
    finest = _Level(np.asarray(whole, np.uint8), np.maximum(source.coverage, closed))
    levels = [finest]
    while (side := round(levels[-1].bgra.shape[0] / _LEVEL_STEP)) >= _LEAST_LEVEL_SIDE:
        both = finest.bgra, finest.hull
        bgra, hull = (cv2.resize(plane, (side, side), interpolation=cv2.INTER_AREA) for plane in both)
        levels.append(_Level(np.asarray(bgra, np.uint8), np.asarray(hull, np.uint8)))
    coarsest = np.ascontiguousarray(levels[-1].bgra[:, :, :3])
    at = UV * np.float32(coarsest.shape[0]) - np.float32(0.5)
    colours = sample(coarsest, at)
    worth = own_skin(colours) if source.kind == "picture" else SKIN
    return _Layers(source, tuple(levels), colours, worth)


def _fitting(levels: tuple[_Level, ...], face_px: float) -> _Level:
    """The smallest copy that still has as many texels as the face has pixels: a finer one would flicker."""
    for level in reversed(levels):
        if level.bgra.shape[0] * _FACE_SPAN >= face_px:
            return level
    return levels[0]


def _grown(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """(h, w, 3): the drawing with texture coordinates a pixel past its edge, though not seen there: scaled
    up, its last pixels would otherwise mix theirs with those of the ground."""
    drawn = (picture[:, :, 2] > _SHOWN / 2).astype(np.uint8)
    grown = cv2.dilate(picture, np.ones((3, 3), np.uint8))
    grown[:, :, 2] = picture[:, :, 2]
    cv2.copyTo(picture, drawn, dst=grown)
    return np.asarray(grown, np.float32)


def _rim(weight: NDArray[np.float32]) -> NDArray[np.uint8]:
    """(h, w) uint8: 255 inside the drawing, falling to 0 at its edge, which may lie inside the texture
    where the head turns away."""
    solid = (weight > _SHOWN / 2) * np.uint8(255)
    kernel = np.ones((_RIM_PX, _RIM_PX), np.uint8)
    inner = cv2.erode(solid, kernel, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.blur(inner, (_RIM_PX, _RIM_PX), borderType=cv2.BORDER_REPLICATE), np.uint8)
