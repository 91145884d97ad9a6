"""A frame's faces on the GPU: up once, cropped, decoded, coloured, masked and pasted there, and down once.

    chain.begin(frame)
    chain.crop([alignment], into=(network.tensor("target"), spec))
    network.enqueue(chain.stream)
    face = chain.decode(network.tensor("output"), picture_out, "swapped")
    alpha = chain.mask("alpha", [box, occlusion])
    chain.paste(face, alpha, alignment)
    finite = chain.finish(out)

All of it is put into one stream, which never waits for the default stream, and waited for once, in `finish`.
Only the rows that a face touched come back. The CPU path (`models.neural.align`, `models.runtime`,
`models.paste_back`) is the reference. It pays where the network runs on the same GPU: else the CPU pastes a
face in less time than the frame needs to the GPU and back.

Not run on a GPU: the order of calls was proven, and the pictures compared with the CPU's, on a stand-in that
does each copy and each kernel as late as CUDA may (tests/fakes), the kernels as a C++ compiler takes them.
`tests/gpu` holds the checks for a machine that has one.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.cuda.base import Cuda, Module, Stream
from models.cuda.device_memory import DeviceMemory, quietly
from models.cuda.kernels.face import DevicePicture, DeviceTensor, FaceKernels
from models.cuda.kernels.parameters import MOST_FACES
from models.cuda.kernels.places import landing
from models.neural.align import Alignment
from models.runtime.base import InputSpec, PictureOut

__all__ = ["DeviceChain", "Squares"]

_INT32_BYTES = 4
_LAST_STAMP = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Squares:
    """Crops on the device, (count, size, size, 3) uint8 BGR. They stand until their name is used again."""

    address: int
    count: int
    size: int

    def at(self, index: int) -> int:
        """The address of one. Raises IndexError."""
        if not 0 <= index < self.count:
            raise IndexError(f"there is no square {index} of {self.count}")
        return self.address + index * 3 * self.size**2

    def picture(self, index: int = 0) -> DevicePicture:
        """One as a picture of its own, from which `DeviceChain.crop` takes another template's square."""
        return DevicePicture(self.at(index), self.size, self.size, 3 * self.size)


class DeviceChain:
    """Belongs to one thread at a time. Calls raise CudaError, DeviceLostError when nothing works any more."""

    def __init__(self, cuda: Cuda, module: Module, height: int, width: int) -> None:
        """`module`: face.cu on that device. `height` and `width`: of every frame. The caller closes both."""
        self._cuda = cuda
        self._kernels = FaceKernels(module)
        self._thread = threading.get_ident()
        self._shape = (height, width, 3)
        self._stream = cuda.stream()
        self._memory = DeviceMemory(cuda, self._stream)
        self._given: NDArray[np.uint8] | None = None
        self._rows = (height, 0)
        self._sent: set[str] = set()
        self._decoded = 0
        self._frames = 0
        self._closed = False
        try:
            self._through = cuda.event()
            size_bytes = height * width * 3
            self._up = self._memory.pinned("frame", size_bytes).reshape(self._shape)
            self._down = self._memory.pinned("result", size_bytes).reshape(self._shape)
            self._frame = DevicePicture(self._memory.take("frame", size_bytes), height, width, width * 3)
            self._flags = self._memory.pinned("flags", MOST_FACES * _INT32_BYTES).view(np.int32)
            self._flags[:] = 0
            self._unfinite = self._memory.take("flags", self._flags.nbytes)
            self._stream.upload(self._unfinite, self._flags.view(np.uint8))
            self._stream.synchronise()
        except BaseException:
            self.close()
            raise

    @property
    def stream(self) -> Stream:
        """Where networks are enqueued between `crop` and `decode`."""
        return self._stream

    @property
    def pinned_frame(self) -> NDArray[np.uint8]:
        """(H, W, 3): who writes the frame here and gives it to `begin` saves a copy. Free after `finish`."""
        return self._up

    def begin(self, bgr: NDArray[np.uint8]) -> None:
        """Send a frame up, (H, W, 3) uint8. A frame that was begun and not finished is given up.

        Raises ValueError for another shape or type.
        """
        if bgr.shape != self._shape or bgr.dtype != np.uint8:
            raise ValueError(f"frames here are {self._shape} uint8, not {bgr.shape} {bgr.dtype}")
        if self._thread != threading.get_ident():
            self._cuda.use()
            self._thread = threading.get_ident()
        # One that was given up may still read this memory. What it makes of it nobody sees, and the stream
        # keeps it before what comes now.
        if bgr is not self._up:
            np.copyto(self._up, bgr)
        self._frames += 1
        self._sent.clear()
        self._rows = (self._shape[0], 0)
        self._decoded = 0
        self._stream.upload(self._frame.address, self._up.reshape(-1))
        self._given = bgr

    def crop(
        self,
        where: Sequence[Alignment],
        *,
        into: tuple[DeviceTensor, InputSpec] | None = None,
        name: str | None = None,
        source: DevicePicture | None = None,
    ) -> Squares | None:
        """Crops of the frame as it is by now, of one size: into a network's input, as pictures, or both.

        `name`: the crops are kept under it, and returned. `source`: instead of the frame, a square that a
        network gave; `where` is then in its pixels (`models.neural.align.between`).
        """
        self._begun()
        kept = None
        if name is not None:
            size = where[0].size if where else 0
            address = self._memory.take(f"square {name}", max(1, 3 * len(where) * size**2))
            kept = Squares(address, len(where), size)
        self._kernels.warp_crop(
            self._stream,
            self._frame if source is None else source,
            where,
            into=into,
            crops=None if kept is None else kept.address,
        )
        return kept

    def decode(
        self, output: DeviceTensor, spec: PictureOut, name: str, *, count: int | None = None
    ) -> Squares:
        """A network's output as squares, kept under `name`; the first `count`, or all.

        `finish` tells whether they were finite, in the order of these calls. Raises ValueError when it is not
        square pictures, or when a frame has more than MOST_FACES of them.
        """
        self._begun()
        pictures = output.shape[0] if count is None else count
        size = output.shape[2]
        if output.shape[1 if spec.layout == "nhwc" else 3] != size:
            raise ValueError(f"{output.shape} is no batch of squares")
        if self._decoded + pictures > MOST_FACES:
            raise ValueError(f"a frame has more than {MOST_FACES} pictures from networks")
        squares = Squares(self._memory.take(f"square {name}", 3 * pictures * size**2), pictures, size)
        flags = self._unfinite + _INT32_BYTES * self._decoded
        self._kernels.decode(
            self._stream, output, spec, squares.address, flags, self._stamp(), count=pictures
        )
        self._decoded += pictures
        return squares

    def colour(self, squares: Squares, maps: Sequence[ArrayLike]) -> None:
        """Each square through its own (3, 4) map of (b, g, r, 1), in place: `models.colour_match`.

        Raises ValueError when they are not as many.
        """
        self._begun()
        if len(maps) != squares.count:
            raise ValueError(f"{squares.count} squares have as many maps, not {len(maps)}")
        self._kernels.colour(self._stream, squares.address, squares.size, maps)

    def mask(self, name: str, masks: Sequence[NDArray[np.uint8]]) -> int:
        """The minimum of (S, S) uint8 masks on the device; its address stands until `name` is used again.

        A mask that does not change need not be sent with each frame. Raises ValueError when they differ in
        shape, or when `name` was used in this frame already.
        """
        self._begun()
        if name in self._sent:
            raise ValueError(f"the mask {name!r} was sent with this frame already")
        if not masks or any(mask.shape != masks[0].shape or mask.dtype != np.uint8 for mask in masks):
            raise ValueError("masks are uint8 and of one shape")
        self._sent.add(name)
        size = masks[0].shape[0]
        if masks[0].shape != (size, size):
            raise ValueError(f"a mask is square, not {masks[0].shape}")
        stacked = self._memory.pinned(f"mask {name}", len(masks) * size**2).reshape(-1, size, size)
        for place, mask in zip(stacked, masks, strict=True):
            np.copyto(place, mask)
        address = self._memory.take(f"mask {name}", stacked.nbytes)
        self._stream.upload(address, stacked.reshape(-1))
        if len(masks) > 1:
            each = [address + index * size**2 for index in range(len(masks))]
            self._kernels.least_mask(self._stream, each, size, address)
        return address

    def paste(self, squares: Squares, alpha: int, where: Alignment, index: int = 0) -> bool:
        """Blend a square over the frame; whether any of it lay inside. `alpha`: (size, size) on the device.

        `where` says where it lies now, which need not be where it was cropped. Raises ValueError when it is
        of another size or not finite, numpy.linalg.LinAlgError when it cannot be inverted.
        """
        self._begun()
        if where.size != squares.size:
            raise ValueError(f"a square of {squares.size} pixels does not lie on one of {where.size}")
        crop, size = squares.at(index), squares.size
        place = landing(where, self._frame.width, self._frame.height)
        if place is None:
            return False
        if place.factor > 1:
            side = -(-size // place.factor)
            small_crop = self._memory.take("small crop", 3 * side**2)
            small_alpha = self._memory.take("small alpha", side**2)
            size = self._kernels.shrink(
                self._stream, crop, alpha, size, place.factor, small_crop, small_alpha
            )
            crop, alpha = small_crop, small_alpha
        self._kernels.blend(self._stream, self._frame, crop, alpha, size, place.to_crop, place.region)
        region = place.region
        self._rows = (min(self._rows[0], region.y), max(self._rows[1], region.y + region.height))
        return True

    def send(self, name: str, square: NDArray[np.uint8]) -> Squares:
        """A square of the host, (S, S, 3) uint8, on the device, kept under `name`, once a frame.

        Raises ValueError for another shape or type, or when `name` was sent in this frame already.
        """
        self._begun()
        size = square.shape[0]
        if square.shape != (size, size, 3) or square.dtype != np.uint8:
            raise ValueError(f"a square is (S, S, 3) uint8, not {square.shape} {square.dtype}")
        if f"square {name}" in self._sent:
            raise ValueError(f"the square {name!r} was sent with this frame already")
        self._sent.add(f"square {name}")
        staged = self._memory.pinned(f"square {name}", square.nbytes)
        np.copyto(staged.reshape(square.shape), square)
        squares = Squares(self._memory.take(f"square {name}", square.nbytes), 1, size)
        self._stream.upload(squares.address, staged)
        return squares

    def thinned(self, squares: Squares, name: str, least: int) -> Squares:
        """The squares averaged down to `least` pixels or a little more, kept under `name`."""
        self._begun()
        factor = max(1, squares.size // least)
        side = -(-squares.size // factor)
        small = Squares(self._memory.take(f"square {name}", 3 * squares.count * side**2), squares.count, side)
        alpha = self._memory.take("small alpha", side**2)
        for index in range(squares.count):
            crop = squares.at(index)
            # What it says of alpha nobody reads: any memory of that size will do for it.
            self._kernels.shrink(self._stream, crop, crop, squares.size, factor, small.at(index), alpha)
        return small

    def bring(self, squares: Squares, name: str) -> NDArray[np.uint8]:
        """(N, S, S, 3): the squares as they are by now, to be read after `look` or `finish`.

        The array stands until `name` is used again.
        """
        self._begun()
        shape = (squares.count, squares.size, squares.size, 3)
        host = self._memory.pinned(f"brought {name}", prod(shape))
        self._stream.download(host, squares.address)
        return host.reshape(shape)

    def look(self) -> tuple[bool, ...]:
        """Wait in mid-frame for what was brought; of each picture decoded so far: was it finite?"""
        self._begun()
        if self._decoded:
            self._stream.download(self._flags.view(np.uint8), self._unfinite)
        self._stream.record(self._through)
        self._through.synchronise()
        return self._finite()

    def finish(self, out: NDArray[np.uint8]) -> tuple[bool, ...]:
        """Wait, and write the frame into `out`, (H, W, 3) uint8. Of each decoded picture: was it finite?

        `out` may be what was given to `begin`: then only the rows that changed are written. Where a picture
        was not finite, `out` holds what must not be shown. Raises ValueError for another shape or type.
        """
        given = self._begun()
        if out.shape != self._shape or out.dtype != np.uint8:
            raise ValueError(f"frames here are {self._shape} uint8, not {out.shape} {out.dtype}")
        first, last = self._rows
        row_bytes = self._frame.pitch
        if last > first:
            self._stream.download(self._down[first:last].reshape(-1), self._frame.address + first * row_bytes)
        if self._decoded:
            self._stream.download(self._flags.view(np.uint8), self._unfinite)
        self._stream.record(self._through)
        # Also when it fails: the frame is lost then, and must not stand in the way of the next.
        self._given = None
        self._through.synchronise()
        if last > first:
            np.copyto(out[first:last], self._down[first:last])
        if out is not given:
            above, below = min(first, last), max(first, last) if last > first else 0
            np.copyto(out[:above], self._up[:above])
            np.copyto(out[below:], self._up[below:])
        return self._finite()

    def close(self) -> None:
        """Wait for what is in flight and free everything. Idempotent, never raises."""
        if self._closed:
            return
        self._closed = True
        self._given = None
        quietly(self._stream.synchronise)
        if hasattr(self, "_through"):
            quietly(self._through.close)
        self._memory.close()
        quietly(self._stream.close)

    def _begun(self) -> NDArray[np.uint8]:
        if self._given is None:
            raise RuntimeError("no frame is begun")
        return self._given

    def _finite(self) -> tuple[bool, ...]:
        return tuple(bool(flag != self._stamp()) for flag in self._flags[: self._decoded])

    def _stamp(self) -> int:
        """What marks this frame's pictures that were not finite: flags of earlier frames need no clearing."""
        return (self._frames - 1) % _LAST_STAMP + 1
