"""Super-resolution networks as enhancers: any size in, four times that out; they know nothing of faces.

What goes in is smaller than what is shown: the network paints the finest octave anew, sharp and without
noise.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.entries import Model
from models.errors import ModelError, SwapError
from models.loading import OpenModel, open_model
from models.neural.crop_enhancer import DEFAULT_STRENGTH, blend, check_pictures, share
from models.precision import FP32
from models.scratch import Scratch

__all__ = ["SIDES", "TIMES", "Upscaler", "input_side", "open_upscaler"]

SIDES = (64, 96, 128)
"""The sizes that may go in: each has a network of fixed shape."""
TIMES = 4
WORTH = 1.4
"""A face that is shown with less than so many times the pixels it has is not made larger by a network."""
STAYS = 1.12
"""How far the shown size may be from where another input begins before it is taken: no flicker between."""

Pictures = NDArray[np.uint8]


def input_side(shown_px: float, known_px: float = 0.0, *, now: int = 0, finest: int = SIDES[-1]) -> int:
    """Which of SIDES goes into the network; 0: none, the face stays as it is.

    `shown_px`: the side that the crop's square has in the frame, in its pixels; `known_px`: the side at which
    the swapper made it, 0 if as many as are shown, of which then the finer half is painted anew; `now`: the
    side taken in the frame before; `finest`: the greatest that the machine can do. No more goes in than is
    known, and nothing when the network would not be asked for more pixels than there are.
    """
    if now and now in _plain_sides(shown_px, known_px, finest):
        return now
    return _plain_side(shown_px, known_px, finest)


def _plain_sides(shown_px: float, known_px: float, finest: int) -> set[int]:
    return {_plain_side(shown_px * factor, known_px, finest) for factor in (1 / STAYS, 1, STAYS)}


def _plain_side(shown_px: float, known_px: float, finest: int) -> int:
    known = known_px or shown_px / 2
    if shown_px < WORTH * max(known, SIDES[0]):
        return 0
    return max((side for side in SIDES if side <= min(known, finest)), default=SIDES[0])


class Upscaler:
    """Belongs to one thread. Its answers are its own arrays."""

    def __init__(
        self,
        networks: Mapping[int, OpenModel],
        name: str,
        *,
        template: str = "ffhq_512",
        size: int = 512,
        strength: float = DEFAULT_STRENGTH,
        known_px: float = 0.0,
    ) -> None:
        """`networks`: by the side of the picture that goes in; `template`, `size`: of the crops it is to be
        given, any will do; `known_px`: see `input_side`. Raises SettingError."""
        self._networks = dict(sorted(networks.items()))
        self._name = name
        self._template, self._size = template, size
        self._scratch = Scratch()
        self._side = 0
        self.known_px = known_px
        self.strength = strength

    @property
    def template(self) -> str:
        return self._template

    @property
    def size(self) -> int:
        return self._size

    @property
    def strength(self) -> float:
        """0 leaves a crop as it is, 1 takes the network's whole answer. Setting it may raise SettingError."""
        return self._strength

    @strength.setter
    def strength(self, value: float) -> None:
        self._strength = share("strength", value)

    def enhance(self, crops: Pictures, shown_px: float = 0.0) -> Pictures:
        """(N, S, S, 3) uint8 BGR, overwritten by the next call; `crops` are the same, of any S, not changed.

        `shown_px`: the side that the squares have in the frame, in its pixels; 0 if as many as in the crop.
        They come back unchanged where `input_side` says that nothing is to be gained. Raises SwapError, which
        says of which crops, when the answer is not finite or a plain area, and BackendError when the network
        fails.
        """
        crops = np.ascontiguousarray(crops)
        if len(crops) == 0 or self._strength == 0:
            return crops
        shown = min(shown_px or crops.shape[1], crops.shape[1])
        self._side = input_side(shown, self.known_px, now=self._side, finest=max(self._networks))
        if self._side == 0:
            return crops
        network = self._networks[self._side]
        out = self._scratch.u8("out", *crops.shape)
        for index, crop in enumerate(crops):
            try:
                enhanced = self._run(network, crop)
                check_pictures(enhanced, crop[None], self._name)
            except SwapError as error:
                raise SwapError(error.message, error.hint, (index,)) from error
            blend(enhanced, crop[None], self._strength, out[index : index + 1])
        return out

    def _run(self, network: OpenModel, crop: Pictures) -> Pictures:
        side, size = self._side, crop.shape[0]
        small = self._scratch.u8("small", 1, side, side, 3)
        _resize(crop, small[0])
        given = network.session.run({network.names["picture"]: small})[network.names["output:picture"]]
        if given.shape[1] != TIMES * side:
            raise ModelError(
                f"{self._name} makes {given.shape[1]} pixels of {side}, not {TIMES} times as many",
                "use the file that the catalogue names: realtime models verify",
            )
        large = self._scratch.u8("large", 1, size, size, 3)
        _resize(given[0], large[0])
        return large

    def warmup(self) -> None:
        """Run each size once, so that the first frame is no slower. Raises BackendError."""
        for network in self._networks.values():
            network.session.warmup()

    def close(self) -> None:
        """Idempotent, never raises."""
        for network in self._networks.values():
            network.session.close()


def open_upscaler(
    model: Model,
    folder: Path,
    backend: str = "openvino",
    device: str = "",
    *,
    threads: int | None = None,
    sides: tuple[int, ...] = SIDES,
    template: str = "ffhq_512",
    size: int = 512,
    strength: float = DEFAULT_STRENGTH,
    known_px: float = 0.0,
    precision: str = FP32,
) -> Upscaler:
    """The network `model` of the catalogue's family upscaler_x4, its file in `folder`, opened for each side.

    Raises ModelError and BackendError as `open_model` does, and SettingError.
    """
    networks: dict[int, OpenModel] = {}
    try:
        for side in sides:
            sized = replace(model, contract=model.contract.sized(side, side))
            networks[side] = open_model(
                sized, folder, backend, device=device, threads=threads, precision=precision
            )
        return Upscaler(
            networks,
            model.name,
            template=template,
            size=size,
            strength=strength,
            known_px=known_px,
        )
    except BaseException:
        for network in networks.values():
            network.session.close()
        raise


def _resize(source: Pictures, out: Pictures) -> None:
    """Into a square of another size."""
    side = out.shape[0]
    way = cv2.INTER_AREA if side < source.shape[0] else cv2.INTER_CUBIC
    cv2.resize(source, (side, side), dst=out, interpolation=way)
