"""From a configuration to a pipeline: the networks that find faces, and what replaces them."""

import logging
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import numpy as np

from models.detector import Detector, open_detector
from models.landmarker import CropRegion, FaceMesh, open_landmarker
from realtime.analyser import analyse
from realtime.clock import NS_PER_S, Clock
from realtime.config import Config
from realtime.dressing import Dresser, swap_models
from realtime.pipeline import Pipeline, PipelineFigures
from realtime.places import LANDMARKER, backends, precision_of, wanted
from realtime.smoothing import OneEuroSettings
from realtime.tracking import Tracker, TrackerSettings
from realtime.who import recogniser_of

__all__ = ["analyse", "backends", "build_pipeline", "model_names"]

_log = logging.getLogger(__name__)


def model_names(config: Config) -> tuple[str, ...]:
    """The models that the configuration needs. Raises ModelError when nobody can be told apart here."""
    recogniser = recogniser_of(config.face)
    told_apart = () if recogniser is None else (recogniser.name,)
    return (config.pipeline.detector, LANDMARKER, *told_apart, *swap_models(config))


def build_pipeline(
    config: Config, folder: Path, clock: Clock, figures: PipelineFigures, *, lossless: bool = False
) -> Pipeline:
    """Load the models of `folder` and the faces; each model runs once, so that the first frame is no slower.

    `figures`: where to count, on from a pipeline that was built before; `lossless`: every frame waits for its
    own faces. Raises ModelError or BackendError for models, ConfigError for faces.
    """
    with ExitStack() as opened:
        detect, landmarks = wanted(config, "detect"), wanted(config, "landmarks")
        detector = open_detector(
            config.pipeline.detector,
            folder,
            detect.backend,
            detect.device,
            precision_of(config, "detect"),
        )
        opened.callback(detector.close)
        landmarker = open_landmarker(
            LANDMARKER, folder, landmarks.backend, landmarks.device, precision_of(config, "landmarks")
        )
        opened.callback(landmarker.close)
        _warm_up(config, detector, landmarker)
        dresser = Dresser(folder, clock, partial(analyse, detector=detector, landmarker=landmarker))
        replacement = dresser.replacement(config, lossless=lossless)
        opened.callback(replacement.close)
        identification = dresser.identification(config, figures.stages["identify"])
        opened.pop_all()
    return Pipeline(detector, landmarker, _tracker(config), identification, replacement, clock, figures)


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
