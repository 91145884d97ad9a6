"""The networks that restore an aligned face: GFPGAN, CodeFormer, GPEN, RestoreFormer++.

One path for all: what they are fed, and what a value of their answer means, is in the catalogue.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.entries import FREE, Model
from models.errors import ModelError, SwapError
from models.loading import OpenModel, open_model
from models.neural.crop_enhancer import DEFAULT_STRENGTH, blend, check_pictures, share
from models.precision import FP32
from models.scratch import Scratch

__all__ = ["DEFAULT_WEIGHT", "NeuralEnhancer", "open_neural_enhancer"]

DEFAULT_WEIGHT = 0.5
"""CodeFormer's own: 0 for the most detail, 1 for the most likeness."""

Pictures = NDArray[np.uint8]


class NeuralEnhancer:
    """Belongs to one thread. Its answers are its own arrays."""

    def __init__(
        self,
        network: OpenModel,
        model: Model,
        *,
        strength: float = DEFAULT_STRENGTH,
        weight: float = DEFAULT_WEIGHT,
    ) -> None:
        """`network`: `model` opened. Raises SettingError for sliders outside 0 to 1, ModelError for a model
        that takes and gives no aligned picture."""
        if not network.takes_picture or not network.gives_picture or not model.contract.template:
            raise ModelError(
                f"{model.name} is no network that restores an aligned face",
                "choose an enhancer by: realtime models list --role enhancer",
            )
        self._session = network.session
        self._name = model.name
        self._batch = network.batch
        self._input, self._output = network.names["picture"], network.names["output:picture"]
        self._weighted = network.names.get("weight", "")
        self._template, self._size = model.contract.template, model.contract.picture.width
        self._scratch = Scratch()
        self.strength = strength
        self.weight = weight

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

    @property
    def weight(self) -> float:
        """What a network that has such an input is fed, 0 to 1. Setting it may raise SettingError."""
        return float(self._weight[0])

    @weight.setter
    def weight(self, value: float) -> None:
        self._weight = np.array([share("weight", value)], np.float64)

    @property
    def has_weight(self) -> bool:
        """Whether `weight` changes anything."""
        return bool(self._weighted)

    def enhance(self, crops: Pictures, shown_px: float = 0.0) -> Pictures:
        """(N, S, S, 3) uint8 BGR, overwritten by the next call; `crops` are the same and are not changed.

        All of them go through in one run where the network takes a batch. `shown_px` does not matter: the
        network has one size. Raises SwapError, which says of which crops, when the answer is not finite or a
        plain area, and BackendError when the network fails.
        """
        crops = np.ascontiguousarray(crops)
        if len(crops) == 0 or self._strength == 0:
            return crops
        out = self._scratch.u8("out", *crops.shape)
        step = len(crops) if self._batch else 1
        for first in range(0, len(crops), step):
            part = slice(first, first + step)
            try:
                enhanced = self._run(crops[part])
                check_pictures(enhanced, crops[part], self._name)
            except SwapError as error:
                raise SwapError(
                    error.message, error.hint, tuple(first + index for index in error.faces or range(step))
                ) from error
            blend(enhanced, crops[part], self._strength, out[part])
        return out

    def _run(self, crops: Pictures) -> Pictures:
        feeds: dict[str, NDArray[Any]] = {self._input: crops}
        if self._weighted:
            feeds[self._weighted] = self._weight
        return np.asarray(self._session.run(feeds)[self._output], np.uint8)

    def warmup(self) -> None:
        """Run once, so that the first frame is no slower. Raises BackendError."""
        self._session.warmup()

    def close(self) -> None:
        """Idempotent, never raises."""
        self._session.close()


def open_neural_enhancer(
    model: Model,
    folder: Path,
    backend: str = "openvino",
    device: str = "",
    *,
    threads: int | None = None,
    strength: float = DEFAULT_STRENGTH,
    weight: float = DEFAULT_WEIGHT,
    precision: str = FP32,
) -> NeuralEnhancer:
    """The enhancer `model` of the catalogue, its file in `folder`.

    Raises ModelError and BackendError as `open_model` does, and SettingError.
    """
    network = open_model(
        model, folder, backend, device=device, threads=threads, batch=FREE, precision=precision
    )
    try:
        return NeuralEnhancer(network, model, strength=strength, weight=weight)
    except BaseException:
        network.session.close()
        raise
