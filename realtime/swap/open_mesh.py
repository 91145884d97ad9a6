"""Opens what a configuration with the mesh swapper asks for."""

import logging
from dataclasses import astuple
from pathlib import Path

from models.enhancer import ENHANCERS, NONE, open_enhancer
from models.mesh import MeshSwapper
from models.occlusion import open_occlusion
from models.precision import AUTO_PRECISION
from realtime.clock import Clock
from realtime.config import Config
from realtime.places import MESH, precision_of, wanted
from realtime.swap.base import Painter
from realtime.swap.mesh import MeshPainter

__all__ = ["open_mesh_painter"]

_log = logging.getLogger(__name__)


def open_mesh_painter(config: Config, folder: Path, clock: Clock) -> Painter:
    """The painter with its networks open. `folder`: of the models. Raises ModelError and BackendError."""
    chosen, neural = config.pipeline, config.neural
    if config.backend.swap:
        _log.warning("backend.swap has no effect: %s runs no network", MESH)
    if chosen.precision != AUTO_PRECISION and chosen.enhancer in (NONE, *ENHANCERS):
        _log.warning("--precision %s has no effect: %s runs no network", chosen.precision, MESH)
    occlusion = open_occlusion(*astuple(wanted(config, "mask"))) if chosen.occlusion == "on" else None
    try:
        place = wanted(config, "enhance")
        enhancer = open_enhancer(
            chosen.enhancer,
            folder,
            place.backend,
            place.device,
            strength=neural.blend,
            weight=neural.weight,
            precision=precision_of(config, "enhance"),
        )
    except BaseException:
        if occlusion is not None:
            occlusion.close()
        raise
    return MeshPainter(MeshSwapper(), clock, occlusion, enhancer)
