"""From a configuration to a pipeline: models, tracker, swapper, faces."""

import logging
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import astuple
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from models.catalog import lookup
from models.detector import Detector, open_detector
from models.enhancer import open_enhancer
from models.fetch import cache_folder
from models.landmarker import (
    CropRegion,
    FaceMesh,
    Landmarks,
    open_landmarker,
    region_from_detection,
    region_from_points,
)
from models.mesh import MeshSwapper
from models.occlusion import WEIGHTS, FaceOcclusion, open_occlusion
from models.runtime.choice import Outcome, outcome
from models.runtime.place import AUTO, Place
from models.runtime.registry import resolve
from realtime.clock import NS_PER_S, Clock
from realtime.config import Config
from realtime.face_cache import FaceCache, preparation
from realtime.face_cache import cache_folder as faces_folder
from realtime.faces import load_face
from realtime.pipeline import Pipeline, PipelineFigures
from realtime.replacement import Replacement
from realtime.smoothing import OneEuroSettings
from realtime.swap.mesh import MeshPainter
from realtime.tracking import Tracker, TrackerSettings

__all__ = ["analyse", "backends", "build_pipeline", "model_names"]

LANDMARKER = "facemesh_468"
Role = Literal["detect", "landmarks", "mask"]
ROLES: tuple[Role, ...] = get_args(Role)
"""The roles that networks play here."""

_log = logging.getLogger(__name__)


def model_names(config: Config) -> tuple[str, ...]:
    """The models that the configuration needs."""
    return config.pipeline.detector, LANDMARKER


def backends(config: Config) -> Mapping[str, str]:
    """Role to "name/device/precision", for the report; what "auto" passed over follows with its reason."""
    found = {
        "detect": _ran_on(config, "detect", config.pipeline.detector, "fp32"),
        "landmarks": _ran_on(config, "landmarks", LANDMARKER, "fp32"),
        "swap": f"{config.pipeline.swapper}/CPU/uint8",
    }
    if config.pipeline.occlusion == "on":
        found["mask"] = _ran_on(config, "mask", None, "int8")
    if config.pipeline.enhancer != "none":
        found["enhance"] = f"{config.pipeline.enhancer}/CPU/uint8"
    return found


def _wanted(config: Config, role: Role) -> Place:
    """Where the configuration wants the network of a role to run."""
    own: str = getattr(config.backend, role)
    return resolve(own) if own else resolve(config.pipeline.backend, config.pipeline.device)


def _ran_on(config: Config, role: Role, model: str | None, precision: str) -> str:
    """`model`: of the catalogue; None for the network that comes with the program."""
    place = _wanted(config, role)
    if place.backend != AUTO:
        return f"{place}/{precision}"
    path = WEIGHTS if model is None else cache_folder() / lookup([model])[0].file
    found = outcome(path, place.device) or Outcome(place)
    why = f" ({'; '.join(found.passed_over)})" if found.passed_over else ""
    return f"{found.place}/{precision}{why}"


def build_pipeline(config: Config, folder: Path, clock: Clock, figures: PipelineFigures) -> Pipeline:
    """Load the models of `folder` and the faces; each model runs once, so that the first frame is no slower.

    `figures`: where to count, on from a pipeline that was built before.
    Raises ModelError or BackendError for models, ConfigError for faces.
    """
    chosen = config.pipeline
    made_by = preparation([model.sha256 for model in lookup(model_names(config))])
    cache = FaceCache(faces_folder(), made_by)
    for role, engine in (("swap", chosen.swapper), ("enhance", chosen.enhancer)):
        if getattr(config.backend, role):
            _log.warning("backend.%s has no effect: %s runs no network", role, engine)
    places = {role: astuple(_wanted(config, role)) for role in ROLES}
    with ExitStack() as opened:
        detector = open_detector(chosen.detector, folder, *places["detect"])
        opened.callback(detector.close)
        landmarker = open_landmarker(LANDMARKER, folder, *places["landmarks"])
        opened.callback(landmarker.close)
        occlusion = open_occlusion(*places["mask"]) if chosen.occlusion == "on" else None
        if occlusion is not None:
            opened.callback(occlusion.close)
        worn = tuple(
            load_face(uri, lambda bgr: analyse(bgr, detector, landmarker), cache) for uri in config.face.uris
        )
        _warm_up(config, detector, landmarker, occlusion)
        opened.pop_all()
    painter = MeshPainter(MeshSwapper(), clock, open_enhancer(chosen.enhancer))
    replacement = Replacement(painter, worn, clock, occlusion)
    return Pipeline(detector, landmarker, _tracker(config), replacement, clock, figures)


def analyse(bgr: NDArray[np.uint8], detector: Detector, landmarker: FaceMesh) -> tuple[Landmarks, ...]:
    """Every face of a still picture: detected, then its landmarks twice, the second time from the first."""
    found = []
    for detection in detector.detect(bgr):
        rough = landmarker.landmarks(bgr, region_from_detection(detection))
        found.append(landmarker.landmarks(bgr, region_from_points(rough.points)))
    return tuple(found)


def _warm_up(
    config: Config, detector: Detector, landmarker: FaceMesh, occlusion: FaceOcclusion | None
) -> None:
    blank = np.zeros((config.source.height, config.source.width, 3), np.uint8)
    detector.detect(blank)
    middle = (config.source.width / 2, config.source.height / 2)
    mesh = landmarker.landmarks(blank, CropRegion(middle, config.source.height / 2, 0.0))
    if occlusion is not None:
        occlusion.visible(blank, mesh.points, 0, 0)
        occlusion.forget(0)


def _tracker(config: Config) -> Tracker:
    tracking = config.tracking
    return Tracker(
        TrackerSettings(
            max_faces=config.pipeline.max_faces,
            beat_ns=round(NS_PER_S / tracking.beat_hz),
            stable_beat_ns=round(NS_PER_S / tracking.stable_beat_hz),
            min_presence=tracking.min_presence,
            smoothing=OneEuroSettings(tracking.min_cutoff_hz, tracking.beta),
        )
    )
