"""The pictures that a build is calibrated and tried with."""

import logging
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.detector import open_detector
from models.entries import Model
from models.landmarker import region_from_detection
from realtime.capture.still import StillSource
from realtime.errors import ConfigError, RealtimeError
from realtime.picture_file import read_picture

__all__ = ["calibration_pictures", "faces_of", "split", "still_pictures"]

logger = logging.getLogger(__name__)

Picture = NDArray[np.uint8]

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")
STILL_SIZE = (640, 480)
"""Width and height of the built-in still's frames."""
STILL_STEP_S = 0.9
"""Between its frames: the head has moved on, and some show the eyes closed."""
FACE_SIDE_PX = 512
TRIAL_EVERY = 4
"""One picture in so many is not calibrated with but kept for the trial."""
_DETECTOR = "blazeface_short_range"


def calibration_pictures(folder: Path, count: int) -> list[Picture]:
    """At most `count` pictures spread evenly over the folder's, by name, and over those of its folders.

    A picture that cannot be read is told and left out. Raises ConfigError when none is left.
    """
    try:
        paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    except OSError as error:
        raise ConfigError(f"{folder} cannot be read: {error.strerror or error}", "name a folder") from error
    if not folder.is_dir() or not paths:
        raise ConfigError(
            f"there are no pictures in {folder}",
            f"put some there whose names end in {', '.join(SUFFIXES[:3])}",
        )
    chosen = [paths[number * len(paths) // count] for number in range(min(count, len(paths)))]
    if len(paths) <= count:
        chosen = paths
    pictures = []
    for path in chosen:
        try:
            pictures.append(read_picture(path))
        except RealtimeError as error:
            logger.warning("left out: %s", error.message)
    if not pictures:
        raise ConfigError(f"none of the pictures in {folder} can be read", "give it JPEG or PNG files")
    return pictures


def still_pictures(count: int) -> list[Picture]:
    """Frames of the built-in still, (480, 640, 3): a drawn face that moves, turns and blinks."""
    source = StillSource(None, *STILL_SIZE, fps=1 / STILL_STEP_S)
    source.open()
    frames: list[Picture] = []
    try:
        for _ in range(count):
            frames.append(np.empty((STILL_SIZE[1], STILL_SIZE[0], 3), np.uint8))
            source.read(lambda shape: frames[-1].reshape(shape))
    finally:
        source.close()
    return frames


def faces_of(pictures: Sequence[Picture], model: Model | None, folder: Path) -> list[Picture]:
    """What a network of this role is shown: a face, cut out and upright, of each picture that has one.

    Detectors are shown whole pictures, and so is everything when the detector is not in `folder`.
    """
    if model is None or model.role == "detector":
        return list(pictures)
    try:
        detector = open_detector(_DETECTOR, folder)
    except RealtimeError as error:
        logger.warning("calibrating with whole pictures instead of faces: %s", error.message)
        return list(pictures)
    faces: list[Picture] = []
    try:
        for picture in pictures:
            found = detector.detect(picture)
            if found:
                matrix = region_from_detection(found[0]).matrix(FACE_SIDE_PX)
                size = (FACE_SIDE_PX, FACE_SIDE_PX)
                face = cv2.warpAffine(picture, matrix, size, borderMode=cv2.BORDER_REPLICATE)
                faces.append(np.asarray(face, np.uint8))
    finally:
        detector.close()
    return faces or list(pictures)


def split(pictures: Sequence[Picture]) -> tuple[list[Picture], list[Picture]]:
    """For calibration and for the trial; the same ones where there are fewer than `TRIAL_EVERY`."""
    trial = list(pictures[::TRIAL_EVERY])
    rest = [picture for number, picture in enumerate(pictures) if number % TRIAL_EVERY]
    return (rest, trial) if rest else (trial, trial)
