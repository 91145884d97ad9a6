"""The kernels of face.cu as calls: what lies where on the device, in; a launch in a stream, out.

Nothing here waits. Once a call has returned, nothing of its arguments is needed but the device memory that
they name. The maths is that of the CPU path, its reference: `models.neural.align.crop`,
`models.runtime.encode.PictureEncoder`, `models.runtime.decode.decode_picture`, `models.paste_back.PasteBack`.

Not run on a GPU: the maths is tested on face.cu as a C++ compiler takes it.
"""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.cuda.base import Module, Stream
from models.cuda.kernels.parameters import (
    MOST_FACES,
    MOST_MASKS,
    Blend,
    Colour,
    Decode,
    LeastMask,
    Shrink,
    WarpCrop,
)
from models.geometry import Matrix, invert
from models.neural.align import Alignment
from models.runtime.base import InputSpec, PictureOut

__all__ = ["BLOCK", "DevicePicture", "DeviceTensor", "FaceKernels", "Region"]

BLOCK = (32, 8, 1)
"""Threads of a block: a warp reads 32 neighbours of a row."""


@dataclass(frozen=True, slots=True)
class DevicePicture:
    """A uint8 BGR picture, (height, width, 3), in device memory."""

    address: int
    height: int
    width: int
    pitch: int
    """Bytes from one row to the next."""


@dataclass(frozen=True, slots=True)
class DeviceTensor:
    """A network's input or output in device memory, C-contiguous, float32 or float16."""

    address: int
    shape: tuple[int, ...]
    dtype: str

    @property
    def half(self) -> bool:
        """Raises ValueError when it is neither float32 nor float16."""
        if self.dtype not in ("float32", "float16"):
            raise ValueError(f"a picture on the device is float32 or float16, not {self.dtype}")
        return self.dtype == "float16"


@dataclass(frozen=True, slots=True)
class Region:
    """A rectangle of the frame, in its pixels."""

    x: int
    y: int
    width: int
    height: int


class FaceKernels:
    """Belongs to one thread. Calls raise CudaError or DeviceLostError; ValueError for what does not fit."""

    def __init__(self, module: Module) -> None:
        self._module = module

    def warp_crop(
        self,
        stream: Stream,
        frame: DevicePicture,
        where: Sequence[Alignment],
        *,
        into: tuple[DeviceTensor, InputSpec] | None = None,
        crops: int | None = None,
    ) -> None:
        """Crops of `frame`, one of each alignment, all of one size, bilinear. Beyond the edge, it goes on.

        `into`: the network's input, batch first, and how it takes pictures. `crops`: the address of
        (N, size, size, 3) uint8 BGR. Either or both are written; crops are rounded to whole levels before
        they are normalised.
        """
        size = _same_size(where)
        call = WarpCrop(
            frame=frame.address,
            crops=crops,
            pitch=frame.pitch,
            width=frame.width,
            height=frame.height,
            size=size,
            count=len(where),
        )
        if into is not None:
            tensor, spec = into
            shape = (size, size, 3) if spec.layout == "nhwc" else (3, size, size)
            if tensor.shape[1:] != shape or tensor.shape[0] < len(where):
                raise ValueError(f"{len(where)} crops of {size} pixels do not fit into {tensor.shape}")
            normalisation = spec.normalisation
            call.input, call.half = tensor.address, tensor.half
            call.nhwc, call.rgb = spec.layout == "nhwc", normalisation.order == "rgb"
            for channel, (mean, scale) in enumerate(
                zip(normalisation.mean, normalisation.scale, strict=True)
            ):
                call.gain[channel], call.bias[channel] = 1 / scale, -mean / scale
        for face, alignment in enumerate(where):
            _fill(call.to_frame[face], invert(_finite(alignment)))
        self._launch("warp_crop", size, size, len(where), call, stream)

    def decode(
        self,
        stream: Stream,
        output: DeviceTensor,
        spec: PictureOut,
        pictures: int,
        unfinite: int,
        stamp: int,
        *,
        count: int | None = None,
    ) -> None:
        """The first `count` pictures of a network's output (all without it) as uint8 BGR at `pictures`.

        `unfinite`: the address of an int32 of each picture, which becomes `stamp` where some value of the
        picture was not finite and stays else; what was written then means nothing.
        """
        nhwc = spec.layout == "nhwc"
        if len(output.shape) != 4 or output.shape[3 if nhwc else 1] != 3:
            raise ValueError(f"{output.shape} is no batch of pictures in the layout {spec.layout}")
        height, width = output.shape[1:3] if nhwc else output.shape[2:]
        pictures_in = output.shape[0] if count is None else count
        if not 0 < pictures_in <= output.shape[0]:
            raise ValueError(f"{pictures_in} pictures are not in {output.shape}")
        black, white = spec.black_white
        scale = 255.0 / (white - black)
        call = Decode(
            output=output.address,
            pictures=pictures,
            unfinite=unfinite,
            width=width,
            height=height,
            count=pictures_in,
            stamp=stamp,
            half=output.half,
            nhwc=nhwc,
            rgb=spec.order == "rgb",
            scale=scale,
            shift=-black * scale,
        )
        self._launch("decode", width, height, pictures_in, call, stream)

    def colour(self, stream: Stream, pictures: int, size: int, affine: Sequence[ArrayLike]) -> None:
        """Each of (N, size, size, 3) uint8 BGR at `pictures` through its own (3, 4) map, in place.

        out = map[:, :3] @ (b, g, r) + map[:, 3], rounded and cut, as `cv2.transform`.
        """
        if not 0 < len(affine) <= MOST_FACES:
            raise ValueError(f"1 to {MOST_FACES} pictures, not {len(affine)}")
        call = Colour(pictures=pictures, width=size, height=size, count=len(affine))
        for face, each in enumerate(affine):
            _fill(call.affine[face], _shaped(each, (3, 4)))
        self._launch("colour", size, size, len(affine), call, stream)

    def least_mask(self, stream: Stream, masks: Sequence[int], size: int, out: int) -> None:
        """The minimum of (size, size) uint8 masks, told by address, at `out`, which may be one of them."""
        if not 0 < len(masks) <= MOST_MASKS:
            raise ValueError(f"1 to {MOST_MASKS} masks, not {len(masks)}")
        call = LeastMask(out=out, width=size, height=size, count=len(masks))
        for index, address in enumerate(masks):
            call.masks[index] = address
        self._launch("least_mask", size, size, 1, call, stream)

    def shrink(
        self, stream: Stream, crop: int, alpha: int, size: int, factor: int, small_crop: int, small_alpha: int
    ) -> int:
        """A square and its alpha averaged down by `factor`; the side of the small one, which is returned."""
        small = -(-size // factor)
        call = Shrink(
            crop=crop,
            alpha=alpha,
            small_crop=small_crop,
            small_alpha=small_alpha,
            size=size,
            factor=factor,
            small_size=small,
        )
        self._launch("shrink", small, small, 1, call, stream)
        return small

    def blend(
        self,
        stream: Stream,
        frame: DevicePicture,
        crop: int,
        alpha: int,
        size: int,
        to_crop: Matrix,
        region: Region,
    ) -> None:
        """out = frame * (1 - a) + crop * a in `region` of `frame`, in place.

        `crop`: (size, size, 3) uint8 BGR, `alpha`: (size, size) uint8, both at `to_crop` of the frame's
        pixels and bilinear. Beyond the crop's edge a is 0.
        """
        if min(region.x, region.y) < 0 or (
            region.x + region.width > frame.width or region.y + region.height > frame.height
        ):
            raise ValueError(f"{region} is not inside a frame of {frame.width} x {frame.height}")
        call = Blend(
            frame=frame.address,
            crop=crop,
            alpha=alpha,
            pitch=frame.pitch,
            x=region.x,
            y=region.y,
            width=region.width,
            height=region.height,
            size=size,
        )
        _fill(call.to_crop, to_crop)
        self._launch("blend", region.width, region.height, 1, call, stream)

    def _launch(
        self, name: str, width: int, height: int, count: int, call: ctypes.Structure, stream: Stream
    ) -> None:
        grid = (-(-width // BLOCK[0]), -(-height // BLOCK[1]), count)
        self._module.launch(name, grid, BLOCK, call, stream)


def _same_size(where: Sequence[Alignment]) -> int:
    if not 0 < len(where) <= MOST_FACES:
        raise ValueError(f"1 to {MOST_FACES} crops, not {len(where)}")
    sizes = {alignment.size for alignment in where}
    if len(sizes) > 1:
        raise ValueError(f"crops of one launch are of one size, not {sorted(sizes)}")
    return sizes.pop()


def _finite(where: Alignment) -> Matrix:
    if not np.isfinite(where.matrix).all():
        raise ValueError("the alignment is not finite")
    return where.matrix


def _shaped(values: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.float32]:
    array = np.asarray(values, np.float32)
    if array.shape != shape:
        raise ValueError(f"a map has the shape {shape}, not {array.shape}")
    return array


def _fill(field: "ctypes.Array[ctypes.c_float]", values: ArrayLike) -> None:
    for index, value in enumerate(np.asarray(values, np.float32).ravel().tolist()):
        field[index] = value
