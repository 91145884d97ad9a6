"""A face that is hidden instead of replaced: by a blur or by blocks, forehead to chin and ear to ear.

Both are made from the means of a few cells, so there is nothing in the result to sharpen again. The cells lie
in the face's own frame: they turn and grow with it, and each keeps its colour. Cells at rest on the screen
would cut a moving face in ever other places, and many frames would show more of it than one.

To MobileFaceNet (cosine; 28 frames of five people, bare: 0.66 between frames of one person, 0.05 between
people) a bare frame and the same one hidden are 0.01 alike by blur and 0.03 by blocks. What remains is what a
few cells and the surroundings tell: tone of skin and hair, clothes, bearing.

Measured on two cores of a shared machine, median of 200: 0.6 ms for a face of 230 pixels, 1.3 ms for one of
430, of which a quarter is the means.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from models.patch import Patch
from models.scratch import Scratch
from models.source_face import SourceFace
from models.topology import LEFT_EYE_OUTER, RIGHT_EYE_OUTER

__all__ = ["FaceHider", "HiddenFace", "WornFace"]

_CELL = 0.32
"""Side of a cell in distances between the outer eye corners: a face is 5 cells wide and 7 high. Half of
familiar faces are still recognised at 7 x 10 (Sinha et al. 2006, "Face Recognition by Humans", result 1)."""
_CELLS = (9, 12)
"""Columns and rows of the grid. The middle column lies on the middle of the face."""
_EYES_AT = (4.5, 4.5)
"""Where on the grid the middle between the eyes lies, in cells: the eyes fill a row and do not part it."""
_FINE = 8
"""Side of a cell in samples, where means are formed and outlines drawn."""
_BLOCK_FINEST_PX = 32
_GROWN_ASIDE, _GROWN_UP, _GROWN_DOWN = 1.26, 1.42, 1.14
"""How the outline of the mesh grows from its middle, to ears, hairline and below the chin."""
_GROWN_BACK = 0.35
"""How far the head goes on behind the mesh, in eye distances: what shows of it when it is turned."""
_SOFT = 0.10
"""Sigma of the rim of a blur, in eye distances."""
_MARGIN = 0.34
"""Room for the rim and for cells cut by the outline, in eye distances."""
_WHOLE_FROM = 0.1
"""Part of a cell inside the outline from which on all of it counts; below it fades, or it would pop."""
_LEAST_EYES_PX = 2.0
_FOREHEAD, _NOSE_BASE, _CHIN, _RIGHT_SIDE, _LEFT_SIDE = 10, 2, 152, 234, 454


@dataclass(frozen=True, slots=True)
class HiddenFace:
    """Stands where a face to put on stands, and hides the wearer's without putting on another."""

    name: str
    manner: Literal["blur", "pixel"]


WornFace: TypeAlias = SourceFace | HiddenFace
"""What a tracked face can be given."""


class FaceHider:
    """Belongs to one thread. `hide` reuses its buffers: a patch is valid until the next call."""

    def __init__(self) -> None:
        self._scratch = Scratch()

    def hide(self, bgr: NDArray[np.uint8], points: NDArray[np.float32], face: HiddenFace) -> Patch:
        """The patch that hides one face, eyes and mouth with it.

        `bgr`: (H, W, 3) uint8, the frame, read only; `points`: (468, 3) float32, pixels of the frame, z away
        from the viewer. The patch is empty when the face is outside the frame, or its points no numbers.
        """
        empty = Patch(0, 0, bgr[:0, :0], bgr[:0, :0, 0])
        if not np.isfinite(points).all():
            return empty
        grid = _grid(points.astype(np.float64))
        x0, y0, x1, y1 = grid.box(bgr.shape[1], bgr.shape[0])
        if x1 <= x0 or y1 <= y0:
            return empty
        means = _means(bgr[y0:y1, x0:x1], (x0, y0), grid)
        inside = _inside(grid.outline)
        if face.manner == "blur":
            fineness, sheet = _FINE, _blurred(means, inside)
        else:
            fineness = min(_BLOCK_FINEST_PX, max(1, round(grid.cell_px)))
            sheet = _blocks(means, inside, fineness)
        matrix = grid.from_frame((x0, y0), fineness)
        size = x1 - x0, y1 - y0
        drawn = self._scratch.u8("drawn", size[1], size[0], 4)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        cv2.warpAffine(sheet, matrix, size, dst=drawn, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        hidden = self._scratch.u8("bgr", size[1], size[0], 3)
        alpha = self._scratch.u8("alpha", size[1], size[0])
        cv2.cvtColor(drawn, cv2.COLOR_BGRA2BGR, dst=hidden)
        cv2.extractChannel(drawn, 3, dst=alpha)
        return Patch(x0, y0, hidden, alpha)


@dataclass(frozen=True, slots=True)
class _Grid:
    """Where the cells lie: the place (column, row), in cells, is `origin` + `axes` @ (column, row)."""

    origin: NDArray[np.float64]
    """(2,): pixels of the frame."""
    axes: NDArray[np.float64]
    """(2, 2): pixels of the frame a cell; turned and scaled, not sheared."""
    outline: NDArray[np.float64]
    """(N, 2): what is to be hidden, convex, in cells."""

    @property
    def cell_px(self) -> float:
        return float(np.hypot(*self.axes[:, 0]))

    def box(self, width: int, height: int) -> tuple[int, int, int, int]:
        """x0, y0, x1, y1 of the pixels of the frame that the outline and its rim touch."""
        shape = self.outline @ self.axes.T + self.origin
        room = _MARGIN / _CELL * self.cell_px
        low, high = np.floor(shape.min(axis=0) - room), np.ceil(shape.max(axis=0) + room) + 1
        x0, y0 = np.clip(low, 0, (width, height)).astype(int).tolist()
        x1, y1 = np.clip(high, 0, (width, height)).astype(int).tolist()
        return x0, y0, x1, y1

    def to_reduced(self, corner: tuple[int, int], scale: float) -> NDArray[np.float64]:
        """(2, 3): from samples, _FINE a cell, to pixels of the crop at `corner`, reduced by `scale`."""
        linear = self.axes * (scale / _FINE)
        shift = (self.origin - corner + 0.5) * scale - 0.5 + linear @ (0.5, 0.5)
        return np.column_stack([linear, shift])

    def from_frame(self, corner: tuple[int, int], fineness: int) -> NDArray[np.float64]:
        """(2, 3): from pixels of the crop at `corner` to pixels of a sheet with `fineness` a cell."""
        linear = np.linalg.inv(self.axes) * fineness
        return np.column_stack([linear, linear @ (corner - self.origin) - 0.5])


def _grid(points: NDArray[np.float64]) -> _Grid:
    """The face's own frame. Nothing in it moves with the mouth, the lids or the brows but the outline."""
    right, left = points[RIGHT_EYE_OUTER], points[LEFT_EYE_OUTER]
    across, down = (left - right)[:2], (points[_NOSE_BASE] - points[_FOREHEAD])[:2]
    # The middle of both directions: one of them is short when the head is turned or bent far.
    along = complex(across[0], across[1]) + complex(down[1], -down[0])
    along = along / abs(along) if abs(along) > 0 else 1 + 0j
    eyes_px = max(float(np.linalg.norm(left - right)), _LEAST_EYES_PX)
    turn = np.array([[along.real, -along.imag], [along.imag, along.real]])
    axes = turn * (_CELL * eyes_px)
    origin = (right + left)[:2] / 2 - axes @ _EYES_AT
    back = np.cross(points[_LEFT_SIDE] - points[_RIGHT_SIDE], points[_CHIN] - points[_FOREHEAD])
    back *= _GROWN_BACK * eyes_px / max(float(np.linalg.norm(back)), 1e-9)
    mesh = (points[:, :2] - origin) @ np.linalg.inv(axes).T
    middle = (mesh.min(axis=0) + mesh.max(axis=0)) / 2
    grown = mesh - middle
    grown *= np.where(grown < 0, (_GROWN_ASIDE, _GROWN_UP), (_GROWN_ASIDE, _GROWN_DOWN))
    grown += middle
    behind = grown + np.linalg.inv(axes) @ back[:2]
    hull = cv2.convexHull(np.concatenate([grown, behind]).astype(np.float32))
    return _Grid(origin, axes, np.asarray(hull, np.float64).reshape(-1, 2))


def _means(crop: NDArray[np.uint8], corner: tuple[int, int], grid: _Grid) -> NDArray[np.uint8]:
    """(rows, columns, 3): the mean colour of each cell."""
    columns, rows = _CELLS
    step = min(max(1, int(grid.cell_px / _FINE)), *crop.shape[:2])
    width, height = crop.shape[1] // step, crop.shape[0] // step
    even = crop[: height * step, : width * step]
    small = cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA) if step > 1 else crop
    matrix = grid.to_reduced(corner, 1 / step)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    samples = cv2.warpAffine(
        small, matrix, (columns * _FINE, rows * _FINE), flags=flags, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(cv2.resize(samples, _CELLS, interpolation=cv2.INTER_AREA), np.uint8)


def _inside(outline: NDArray[np.float64]) -> NDArray[np.uint8]:
    """(rows * _FINE, columns * _FINE): 255 inside the outline."""
    columns, rows = _CELLS
    mask = np.zeros((rows * _FINE, columns * _FINE), np.uint8)
    corners = np.rint((outline * _FINE - 0.5) * 16).astype(np.int32)
    cv2.fillConvexPoly(mask, corners, (255,), cv2.LINE_AA, 4)
    return mask


def _blurred(means: NDArray[np.uint8], inside: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """BGR and alpha, _FINE pixels a cell: smooth colours, full inside, fading outside."""
    size = inside.shape[::-1]
    smooth = cv2.resize(means, size, interpolation=cv2.INTER_LINEAR)
    smooth = cv2.GaussianBlur(smooth, (0, 0), _FINE * 0.4, borderType=cv2.BORDER_REPLICATE)
    sigma = _SOFT / _CELL * _FINE
    rim = cv2.GaussianBlur(inside, (0, 0), sigma, borderType=cv2.BORDER_CONSTANT)
    return np.dstack([smooth, cv2.add(rim, rim)])


def _blocks(means: NDArray[np.uint8], inside: NDArray[np.uint8], fineness: int) -> NDArray[np.uint8]:
    """BGR and alpha, `fineness` pixels a cell: whole cells of one colour."""
    share = cv2.resize(inside, _CELLS, interpolation=cv2.INTER_AREA)
    cells = np.dstack([means, cv2.convertScaleAbs(share, alpha=1 / _WHOLE_FROM)])
    size = _CELLS[0] * fineness, _CELLS[1] * fineness
    return np.asarray(cv2.resize(cells, size, interpolation=cv2.INTER_NEAREST), np.uint8)
