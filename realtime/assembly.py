"""From a configuration to a pipeline: models, tracker, swapper, faces."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.detector import Detector, open_detector
from models.landmarker import (
    CropRegion,
    FaceMesh,
    Landmarks,
    open_landmarker,
    region_from_detection,
    region_from_points,
)
from models.mesh import MeshSwapper
from realtime.clock import NS_PER_S, Clock
from realtime.config import Config
from realtime.faces import load_face
from realtime.pipeline import Pipeline, PipelineFigures
from realtime.smoothing import OneEuroSettings
from realtime.tracking import Tracker, TrackerSettings

__all__ = ["analyse", "backends", "build_pipeline", "model_names"]

LANDMARKER = "facemesh_468"


def model_names(config: Config) -> tuple[str, ...]:
    """The models that the configuration needs."""
    return config.pipeline.detector, LANDMARKER


def backends(config: Config) -> Mapping[str, str]:
    """Role to "name/device/precision", for the report."""
    chosen = f"{config.pipeline.backend}/{config.pipeline.device}/fp32"
    return {"detect": chosen, "landmarks": chosen, "swap": f"{config.pipeline.swapper}/CPU/uint8"}


def build_pipeline(config: Config, folder: Path, clock: Clock, figures: PipelineFigures) -> Pipeline:
    """Load the models of `folder` and the faces; each model runs once, so that the first frame is no slower.

    `figures`: where to count, on from a pipeline that was built before.
    Raises ModelError or BackendError for models, ConfigError for faces.
    """
    chosen = config.pipeline
    detector = open_detector(chosen.detector, folder, chosen.backend, chosen.device)
    try:
        landmarker = open_landmarker(LANDMARKER, folder, chosen.backend, chosen.device)
        try:
            sources = tuple(
                load_face(uri, lambda bgr: analyse(bgr, detector, landmarker)) for uri in config.face.uris
            )
            _warm_up(config, detector, landmarker)
        except BaseException:
            landmarker.close()
            raise
    except BaseException:
        detector.close()
        raise
    return Pipeline(
        detector,
        landmarker,
        MeshSwapper(),
        _tracker(config),
        sources,
        clock,
        figures,
    )


def analyse(bgr: NDArray[np.uint8], detector: Detector, landmarker: FaceMesh) -> tuple[Landmarks, ...]:
    """Every face of a still picture: detected, then its landmarks twice, the second time from the first."""
    found = []
    for detection in detector.detect(bgr):
        rough = landmarker.landmarks(bgr, region_from_detection(detection))
        found.append(landmarker.landmarks(bgr, region_from_points(rough.points)))
    return tuple(found)


def _warm_up(config: Config, detector: Detector, landmarker: FaceMesh) -> None:
    blank = np.zeros((config.source.height, config.source.width, 3), np.uint8)
    detector.detect(blank)
    middle = (config.source.width / 2, config.source.height / 2)
    landmarker.landmarks(blank, CropRegion(middle, config.source.height / 2, 0.0))


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
