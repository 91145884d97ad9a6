"""Enhancers: what is done to a swapped face before it is pasted."""

from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from models.errors import ModelError
from models.patch import Patch

if TYPE_CHECKING:
    from models.neural.crop_enhancer import CropEnhancer

__all__ = ["ENHANCERS", "NONE", "Enhancer", "open_crop_enhancer", "open_enhancer"]

NONE = "none"
ROLE = "enhancer"

ENHANCERS: Mapping[str, str] = MappingProxyType({"detail": "models.detail:DetailEnhancer"})
"""Those that need no model. Name to "module:Class"; a module is imported when its enhancer is opened."""


class Enhancer(Protocol):
    """Makes the pixels of a patch better. Belongs to one thread."""

    def enhance(
        self,
        patch: Patch,
        points: NDArray[np.floating[Any]] | None = None,
        picture: NDArray[np.uint8] | None = None,
    ) -> None:
        """Change `patch.bgr` in place; `patch.alpha` stays.

        `picture`: (H, W, 3) uint8, the frame that the patch is of; `points`: (468, 3), the face's landmarks
        in its pixels. An enhancer that needs them leaves a patch that comes without as it is. Raises
        BackendError.
        """
        ...

    def close(self) -> None:
        """Free what it holds. Idempotent, never raises."""
        ...


def open_enhancer(
    name: str,
    folder: Path | None = None,
    backend: str = "openvino",
    device: str = "",
    *,
    strength: float | None = None,
    weight: float | None = None,
    precision: str = "fp32",
) -> Enhancer | None:
    """The enhancer `name`, which may be a model of the catalogue with its file in `folder`; None for "none".

    Without a folder it is that of the user's models.
    `strength`, `weight`: 0 to 1, of networks; None: their own. `precision`: see `models.precision`. Raises
    ModelError for an unknown name, and what `open_crop_enhancer` raises.
    """
    if name == NONE:
        return None
    if name in ENHANCERS:
        module, kind = ENHANCERS[name].split(":")
        return cast(Enhancer, getattr(import_module(module), kind)())
    from models.neural.on_patch import PatchEnhancer

    return PatchEnhancer(
        open_crop_enhancer(
            name, folder, backend, device, strength=strength, weight=weight, precision=precision
        )
    )


def open_crop_enhancer(
    name: str,
    folder: Path | None = None,
    backend: str = "openvino",
    device: str = "",
    *,
    strength: float | None = None,
    weight: float | None = None,
    precision: str = "fp32",
) -> "CropEnhancer":
    """The enhancer of aligned crops that the model `name` is.

    `folder`: None for that of the user's models. Raises ModelError for a name that is no enhancer's, and when
    its file is missing or another's, BackendError, and SettingError for sliders outside 0 to 1.
    """
    from models.catalog import lookup
    from models.neural.crop_enhancer import DEFAULT_STRENGTH
    from models.neural.enhancer import DEFAULT_WEIGHT, open_neural_enhancer
    from models.neural.upscaler import open_upscaler
    from models.store import cache_folder

    try:
        model = lookup([name])[0]
    except ModelError as error:
        raise ModelError(f"there is no enhancer {name!r}", _known(name)) from error
    if model.role != ROLE:
        raise ModelError(f"{name} is a {model.role}, not an enhancer", _known(name))
    folder = cache_folder() if folder is None else folder
    share = DEFAULT_STRENGTH if strength is None else strength
    if model.contract.template:
        likeness = DEFAULT_WEIGHT if weight is None else weight
        return open_neural_enhancer(
            model, folder, backend, device, strength=share, weight=likeness, precision=precision
        )
    return open_upscaler(model, folder, backend, device, strength=share, precision=precision)


def _known(name: str) -> str:
    from models.catalog import load_catalog

    networks = [each.name for each in load_catalog().values() if each.role == ROLE]
    near = get_close_matches(name, networks, n=1)
    if near:
        return f"did you mean {near[0]!r}?"
    without = ", ".join([NONE, *ENHANCERS])
    return f"choose {without}, or one by: realtime models list --role {ROLE}"
