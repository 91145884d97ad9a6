"""Opens the masks that the settings name."""

from pathlib import Path

from models.catalog import lookup
from models.errors import ModelError
from models.masks.masker import Masker
from models.masks.network import CropMask
from models.masks.parts import open_parts
from models.masks.seen import SeenMask
from models.masks.settings import BUILT_IN, MaskSettings
from models.masks.xseg import open_xseg
from models.precision import FP32

__all__ = ["open_masker"]


def open_masker(
    settings: MaskSettings,
    folder: Path,
    backend: str = "openvino",
    device: str = "CPU",
    precision: str = FP32,
) -> Masker:
    """A masker whose networks lie in `folder`; `precision`: of those of the catalogue.

    Raises ModelError for a name that is no mask of a face, and what `open_model` raises.
    """
    networks: dict[str, CropMask] = {}
    try:
        for name in settings.networks:
            networks[name] = _open(name, settings, folder, backend, device, precision)
        if BUILT_IN in settings.masks:
            from models.occlusion import open_occlusion

            networks[BUILT_IN] = SeenMask(open_occlusion(backend, device))
        return Masker(settings, networks)
    except BaseException:
        for network in networks.values():
            network.close()
        raise


def _open(
    name: str, settings: MaskSettings, folder: Path, backend: str, device: str, precision: str
) -> CropMask:
    model = lookup([name])[0]
    if model.family == "xseg":
        return open_xseg(model, folder, backend, device, precision)
    if model.family == "bisenet":
        return open_parts(model, folder, backend, device, settings.regions, precision)
    raise ModelError(
        f"{name} is a {model.role} of the family {model.family}, not a mask of a face",
        "choose box, hull, own, built-in, or one by: realtime models list --role mask",
    )
