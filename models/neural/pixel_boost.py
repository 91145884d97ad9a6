"""A small swapper made to give a large picture: the crop is taken apart into pictures of every k-th pixel.

The crop has k times the network's side. Picture (i, j) of the k*k holds its pixels i, i + k, i + 2k, ... down
and j, j + k, j + 2k, ... across: each is the whole face at the network's own size, half a pixel or so beside
the next. The network gives k*k faces, and their pixels go back to where they came from. It is not tiling: no
picture shows a part of the face, so there is no seam, but the work grows with k squared.
"""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from models.errors import ModelError

__all__ = ["OFFERED", "factor", "join", "offered", "proposed", "take_apart"]

OFFERED: Mapping[int, tuple[int, ...]] = MappingProxyType(
    {128: (128, 256, 384, 512, 768, 1024), 256: (256, 512, 768, 1024), 512: (512, 1024)}
)
"""Side of a network's picture -> sides of the crop that are offered, both in pixels. For 128 and 256 they are
those of FaceFusion 3.8."""
_WANTED = ((1.0, 512), (1.75, 384), (2.0, 256))
"""(up to this scale, side in pixels): how VisoMaster chooses for inswapper, by the pixels of a crop of 512
that one pixel of the frame makes. Beyond the last, 128: the face is small, there is nothing more to draw."""
_SMALL = 128


def offered(side: int) -> tuple[int, ...]:
    """The sides of a crop, pixels, that a network of `side` pixels can be asked for; its own is the first."""
    return OFFERED.get(side, (side,))


def factor(wanted: int, side: int) -> int:
    """How many times the network's `side` a crop of `wanted` pixels is. Raises ModelError if not offered."""
    if wanted not in offered(side):
        raise ModelError(
            f"a swapper of {side} px cannot be boosted to {wanted} px",
            f"choose one of: {', '.join(map(str, offered(side)))}",
        )
    return wanted // side


def proposed(scale_to_512: float, side: int) -> int:
    """The k that shows what the frame has of a face, and no more.

    `scale_to_512`: pixels of the crop, were it 512 px, that one pixel of the frame makes (`Alignment.scale`
    times 512 over its size); below 1 the face is larger than that in the frame. The largest offered side that
    is not above the wanted one, or the network's own.
    """
    wanted = next((pixels for most, pixels in _WANTED if scale_to_512 <= most), _SMALL)
    return max(each for each in (side, *offered(side)) if each <= max(wanted, side)) // side


def take_apart(crops: NDArray[np.uint8], k: int, out: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(N, k*s, k*s, 3) uint8 into `out`, (N*k*k, s, s, 3) uint8: for each crop its pictures row by row."""
    count, side = len(crops), out.shape[1]
    apart = _pixels(out).reshape(count, k, k, side, side)
    np.copyto(apart, _pixels(crops).reshape(count, side, k, side, k).transpose(0, 2, 4, 1, 3))
    return out


def join(parts: NDArray[np.uint8], k: int, out: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """What undoes `take_apart`: (N*k*k, s, s, 3) or (N*k*k, s, s) into (N, k*s, k*s, ...), all uint8."""
    count, side = len(out), parts.shape[1]
    whole = _pixels(out).reshape(count, side, k, side, k).transpose(0, 2, 4, 1, 3)
    np.copyto(whole, _pixels(parts).reshape(count, k, k, side, side))
    return out


def _pixels(pictures: NDArray[np.uint8]) -> NDArray[np.void] | NDArray[np.uint8]:
    """A pixel as one item of 3 bytes: numpy moves those twice as fast as three of 1 (0.4 ms for 512 px)."""
    if pictures.ndim == 3:
        return pictures
    return pictures.view("V3")[..., 0]
